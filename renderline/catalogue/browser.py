"""Looks through the cached lists for an actor: what its tenant may name, searched, page by page. It asks no vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from renderline.catalogue.pick_lists import PROJECTS, known, outline_of
from renderline.catalogue.snapshot import Snapshot, searched_text
from renderline.catalogue.store import PAUSE, CatalogueStore
from renderline.ledger import Ledger
from renderline.tenants import Actor, Tenants

SOON: Final = 2
"""Seconds in which a worker has read a list that was asked for."""
_AT_ONCE: Final = 500

Row = Mapping[str, Any]


class ListMissing(Exception):
    """No worker has read the list yet; one was asked to. Call again after `retry_after` seconds."""

    def __init__(self, account: str, why: str | None) -> None:
        self.retry_after = int(PAUSE) if why else SOON
        asked = f"it could not be read: {why}" if why else "a worker has been asked to read it"
        super().__init__(f"There is no such list of account {account} yet; {asked}.")


class ProjectUnknown(Exception):
    """The vendor has no such project, or the actor's tenant may not name it."""


@dataclass(frozen=True)
class Page:
    """Some rows of a list, the position of the next one (None: no more), and the list that they are from."""

    rows: list[Row]
    next: int | None
    snapshot: Snapshot
    stale: bool
    """Whether a worker was asked to read the list anew."""


@dataclass(frozen=True)
class Browser:
    """Reads the lists that workers keep in Redis, and asks them to read one anew."""

    store: CatalogueStore
    ledger: Ledger
    tenants: Tenants

    def page(
        self,
        account: str,
        name: str,
        *,
        actor: Actor,
        limit: int,
        begin: int = 0,
        search: str = "",
        wanted: Callable[[Row], bool] = lambda _: True,
    ) -> Page:
        """Return the rows that the actor may see and whose texts have all words of `search`, from the `begin`th on.

        Positions count these rows alone: they do not tell how many others there are. Raises `ListMissing`.
        """
        snapshot, stale = self._snapshot(account, name)
        words = search.casefold().split()

        def found(row: Row) -> bool:
            text = searched_text(row) if words else ""
            return wanted(row) and all(word in text for word in words)

        visible = self._visible(account, name, actor, snapshot.rows, found)
        rows = list(islice(visible, begin, begin + limit + 1))
        return Page(rows[:limit], begin + limit if len(rows) > limit else None, snapshot, stale)

    def project(self, account: str, project_id: str, *, actor: Actor) -> tuple[Row, Snapshot, bool]:
        """Return the outline of a project, the list that it is from, and whether that is read anew.

        Raises `ProjectUnknown`, or `ListMissing`.
        """
        if actor.tenant is not None:
            made_by = self.ledger.project_tenant(account, project_id)
            if not self.tenants.of(actor.tenant).may_name_project(project_id, made_by):
                raise ProjectUnknown
        snapshot, stale = self._snapshot(account, outline_of(project_id))
        if not snapshot.rows:
            raise ProjectUnknown
        return snapshot.rows[0], snapshot, stale

    def _snapshot(self, account: str, name: str) -> tuple[Snapshot, bool]:
        snapshot = self.store.read(account, name)
        stale = snapshot is None or not self.store.is_fresh(name, snapshot)
        if stale:
            self.store.want(account, [name])
        if snapshot is None:
            raise ListMissing(account, self.store.failure(account, name))
        return snapshot, stale

    def _visible(
        self, account: str, name: str, actor: Actor, rows: Sequence[Row], found: Callable[[Row], bool]
    ) -> Iterator[Row]:
        """Yield the rows that the actor may see; owners are looked up for many at once."""
        key = known(name).id
        for first in range(0, len(rows), _AT_ONCE):
            some = [row for row in rows[first : first + _AT_ONCE] if found(row)]
            seen = self._seen(account, name, actor, [str(row[key]) for row in some])
            yield from (row for row, visible in zip(some, seen, strict=True) if visible)

    def _seen(self, account: str, name: str, actor: Actor, ids: Sequence[str]) -> list[bool]:
        """Return for each id whether requests of the actor may name it. Avatars and workspaces are the account's."""
        tenant = None if actor.tenant is None else self.tenants.of(actor.tenant)
        if tenant is not None and name == PROJECTS:
            made_by = self.ledger.tenants_of_projects(account, ids)
            return [tenant.may_name_project(one, by) for one, by in zip(ids, made_by, strict=True)]
        if tenant is not None and known(name).granted:
            return [tenant.may_name_template(one) for one in ids]
        return [True] * len(ids)
