"""Compares what a request names with the vendor's lists: at the doors, and before anything is charged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import structlog

from renderline.catalogue.likeness import meant
from renderline.catalogue.pick_lists import (
    BUSINESS_TEMPLATES,
    CATEGORIES,
    MODELS,
    WORKSPACES,
    automation_templates,
)
from renderline.catalogue.pick_lists import known as pick_list
from renderline.catalogue.refresh import ListUnavailable
from renderline.catalogue.runner import CatalogueRunner
from renderline.catalogue.snapshot import Snapshot
from renderline.catalogue.store import PAUSE, CatalogueStore
from renderline.kinds import KINDS, Named, named_in
from renderline.tenants import DEFAULT
from renderline.validation.errors import quoted

log = structlog.get_logger(__name__)

Mode = Literal["warn", "refuse", "ignore"]

RECENT: Final = 60.0
"""Seconds after which a name that a list lacks is looked up in a newer one."""
_LOOKED_UP_FOR: Final = 5.0
_MOST_HINTS: Final = 20
"""Unknown names of a request that are compared with every row of a list. A request may have tens of thousands."""

_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "model": (MODELS,),
    "clothes": (MODELS,),
    "workspace": (WORKSPACES,),
    "template": (BUSINESS_TEMPLATES,),
    "automation template": tuple(map(automation_templates, CATEGORIES)),
}
"""The lists in which a thing may be. It is unknown if none has it."""


class Unknown(NamedTuple):
    """A name that no list has: the path of its field, and what is wrong with it."""

    path: str
    message: str
    refused: bool

    @property
    def warning(self) -> str:
        """The text for the record."""
        return f"{self.path.removeprefix('payload.')}: {self.message}"


@dataclass(frozen=True)
class NameCheck:
    """Says which names of a request are unknown. `mode` is `warn`, `refuse` or `ignore`."""

    store: CatalogueStore
    mode: Mode
    runner: CatalogueRunner | None = None
    """Reads lists in this process; None: the workers are asked to."""
    patience: float = 3.0
    """Seconds for which a submission waits for a list."""
    _seen: dict[tuple[str, str], tuple[float, Snapshot | None]] = field(default_factory=dict, repr=False)
    _gave_up: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)

    def at_door(
        self,
        kind: str,
        body: Mapping[str, Any],
        account: str,
        *,
        request: Mapping[str, Any],
        tenant: str = DEFAULT,
    ) -> dict[str, list[str]]:
        """Return an error for each unknown name of a tenant's request by its path, if such names are refused.

        It asks the cached lists alone, and only fresh ones: what they cannot say is checked before anything is charged.
        """
        if self.mode != "refuse":
            return {}
        errors: dict[str, list[str]] = {}
        for named in named_in(KINDS[kind], body, request):
            found = [(name, self._cached(account, name)) for name in _LISTS[named.what]]
            fresh = [one for name, one in found if one and self.store.is_fresh(name, one)]
            if len(fresh) == len(found) and _is_unknown(named, fresh) and not named.custom:
                old = [name for name, one in found if one and one.age(self.store.clock()) >= RECENT]
                if old:
                    # Made since the list was read, it is accepted in a moment.
                    self.store.want(account, old)
                hint = len(errors) < _MOST_HINTS and _may_hint(named, tenant)
                errors.setdefault(named.path, []).append(_message(named, fresh, hint=hint))
        return errors

    def before_charge(
        self, kind: str, body: Mapping[str, Any], account: str, *, tenant: str = DEFAULT
    ) -> list[Unknown]:
        """Return the unknown names of a checked body; a name that a list lacks is looked up in a newer one first.

        A list that cannot be read in time refuses nothing.
        """
        if self.mode == "ignore":
            return []
        unknown: list[Unknown] = []
        give_up = time.monotonic() + self.patience
        for named in named_in(KINDS[kind], body):
            found = [self._looked_up(account, name, named, give_up) for name in _LISTS[named.what]]
            known = [one for one in found if one]
            if len(known) == len(found) and _is_unknown(named, known):
                # A wait for the lists takes seconds.
                recent = all(one.age(self.store.clock()) < RECENT + self.patience for one in known)
                refused = self.mode == "refuse" and recent and not named.custom
                hint = len(unknown) < _MOST_HINTS and _may_hint(named, tenant)
                unknown.append(Unknown(named.path, _message(named, known, hint=hint), refused))
        return unknown

    def _cached(self, account: str, name: str) -> Snapshot | None:
        """Return a cached list, as it was a few seconds ago at most; a worker is asked for one that is not fresh."""
        now = time.monotonic()
        looked_up_at, found = self._seen.get((account, name), (float("-inf"), None))
        if now - looked_up_at >= _LOOKED_UP_FOR:
            found = self.store.read(account, name)
            if found is None or not self.store.is_fresh(name, found):
                self.store.want(account, [name])
            self._seen[account, name] = now, found
        return found

    def _looked_up(self, account: str, name: str, named: Named, give_up: float) -> Snapshot | None:
        found = self._cached(account, name)
        if found and (_has(found, named) or found.age(self.store.clock()) < RECENT):
            return found
        if self.runner is None or account not in self.runner.refresher.clients or self.store.failure(account, name):
            return found
        if time.monotonic() - self._gave_up.get((account, name), float("-inf")) < PAUSE:
            # One submission has waited for it in vain.
            return found
        self.store.want(account, [name])
        self.runner.start_account(account)
        try:
            newer = self.runner.refresher.await_newer(account, name, found, patience=give_up - time.monotonic())
        except ListUnavailable as why:
            log.warning("names not checked", account=account, list=name, why=str(why))
            newer = None
        if newer is None or (found and newer.at == found.at):
            self._gave_up[account, name] = time.monotonic()
        self._seen[account, name] = time.monotonic(), newer
        return newer


def _is_unknown(named: Named, lists: Sequence[Snapshot]) -> bool:
    """Return whether none of the lists has it. One of which the end was left out proves nothing."""
    return bool(lists) and all(one.complete and not _has(one, named) for one in lists)


def _has(found: Snapshot, named: Named) -> bool:
    if named.what != "clothes":
        return named.id in found.by_id
    clothes = _clothes(found, named)
    # Of an unknown avatar, or one whose clothes the list leaves out, nothing is known to be wrong.
    return clothes is None or any(one["id"] == named.id for one in clothes)


def _clothes(found: Snapshot, named: Named) -> list[Mapping[str, Any]] | None:
    row = found.by_id.get(named.model or "")
    return row.get("clothes") if row else None


def _may_hint(named: Named, tenant: str) -> bool:
    """Return whether a tenant may see a like name: of templates it knows those that it was granted."""
    return tenant == DEFAULT or not any(pick_list(name).granted for name in _LISTS[named.what])


def _message(named: Named, lists: Iterable[Snapshot], *, hint: bool) -> str:
    meant_id = next(_meant(named, lists), None) if hint else None
    text = f"unknown {named.what}{quoted(named.id)}"
    if named.what == "clothes":
        text += f" of model{quoted(named.model)}"
    if meant_id:
        return f"{text}; did you mean '{meant_id}'?"
    return f"{text}: the vendor's list of this account does not have it"


def _meant(named: Named, lists: Iterable[Snapshot]) -> Iterator[str]:
    for one in lists:
        rows = (_clothes(one, named) or []) if named.what == "clothes" else one.rows
        hint = meant(named.id, rows, "id" if named.what == "clothes" else one.id)
        if hint:
            yield hint
