"""Accepts render requests: validates and records them, then publishes their messages. Every door uses it."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from renderline.catalogue.name_check import NameCheck
from renderline.contract import key_error, render_id_for_key, render_id_for_message, tenant_error
from renderline.dispatcher import Dispatcher
from renderline.hooks import HookKind, problem_of
from renderline.kinds import KINDS, is_draft, named_files, named_sources, vendor_files
from renderline.ledger import Entry, KeyConflict, Ledger, Quota, QuotaExceeded, subject
from renderline.ledger.labels import shown_labels
from renderline.requests import RenderRequest, RequestRefused, load_request
from renderline.retry import HookRetryPolicy
from renderline.tenants import DEFAULT, Actor, Tenant, Tenants
from renderline.uploads import StorageFailed, UploadStore, missing, parse

log = structlog.get_logger(__name__)


_GRANT: Final = "; an operator grants others in the file of RENDERLINE_TENANTS"


@dataclass(frozen=True)
class Item:
    """One request of several: its content, its idempotency key, and the id of its message."""

    data: Any
    key: str | None
    message_id: str


class NotTogether(ValueError):
    """Some of the requests were refused, so none was accepted; `refusals` has the errors by position."""

    def __init__(self, refusals: Mapping[int, RequestRefused | KeyConflict]) -> None:
        super().__init__(f"{len(refusals)} of the requests were refused, so none was accepted")
        self.refusals = dict(refusals)


@dataclass(frozen=True)
class Acceptor:
    """Turns requests into recorded renders. `deadline` (seconds) is the default of requests without one."""

    ledger: Ledger
    dispatcher: Dispatcher
    accounts: Collection[str]
    hook_kinds: Mapping[str, HookKind]
    deadline: float
    max_bytes: int
    tenants: Tenants = field(default_factory=Tenants)
    names: NameCheck | None = None
    """Checks what a request names; None: nothing does."""
    uploads: UploadStore | None = None
    """Where the files that requests name are; None: this process does not know, so workers find out."""
    labels: tuple[str, ...] = ()
    """The names of the metadata by whose values renders are found."""
    hook_retries: HookRetryPolicy = field(default_factory=HookRetryPolicy)
    """How long, and how often, hooks may ask to be retried."""

    def accept(
        self, data: Any, *, key: str | None, message_id: str, actor: Actor, request_id: str | None = None
    ) -> str:
        """Record a request once and return its render id.

        `request_id` is that of the call or message that it came with; a render that is accepted again keeps its first.
        The same `key` always gives the same render of a tenant; without a key, the same `message_id` does. Raises
        `RequestRefused` with every wrong field, `KeyConflict` if the key was used before with another request, or
        `QuotaExceeded` if the quota of its tenant is used up. A repetition is never refused for a quota.
        """
        request = self.load(data, actor=actor)
        check_key(key)
        render_id = _render_id(key, message_id, request.tenant)
        status, due, _ = self.ledger.accept(self._entry(render_id, request, actor, request_id))
        subject.note(request.name, request.metadata)
        labels = shown_labels(request.metadata, self.labels)
        about = {"labels": labels} if labels else {}
        log.info("accepted" if status == "new" else "accepted before", render_id=render_id, kind=request.kind, **about)
        if due:
            self.dispatcher.submit(render_id, request.priority)
        return render_id

    def accept_all(
        self, items: Sequence[Item], *, actor: Actor, together: bool = False, request_id: str | None = None
    ) -> list[str | RequestRefused | KeyConflict | QuotaExceeded]:
        """Record many requests in one round trip. Returns the render id of each, or why it was refused.

        With `together` all are accepted in one transaction, or none is and `NotTogether` is raised; `QuotaExceeded` if
        they exceed the quota of their tenant.
        """
        results: list[str | RequestRefused | KeyConflict | QuotaExceeded] = []
        requests: dict[int, RenderRequest] = {}
        for place, item in enumerate(items):
            try:
                request = self.load(item.data, actor=actor)
                check_key(item.key)
                requests[place] = request
                results.append(_render_id(item.key, item.message_id, request.tenant))
            except RequestRefused as refused:
                results.append(refused)
        if together and len(requests) < len(items):
            raise NotTogether({at: why for at, why in enumerate(results) if isinstance(why, RequestRefused)})
        entries = [self._entry(str(results[place]), request, actor, request_id) for place, request in requests.items()]
        taken = self.ledger.accept_all(entries, together=together) if entries else []
        statuses = [one.status for one in taken]
        conflicts = {
            place: KeyConflict(f"render {results[place]} was accepted with another request under the same key")
            for place, status in zip(requests, statuses, strict=True)
            if status == "conflict"
        }
        if together and conflicts:
            raise NotTogether(conflicts)
        log.info("accepted many", new=statuses.count("new"), before=statuses.count("known"))
        due = [place for place, one in zip(requests, taken, strict=True) if one.due and place not in conflicts]
        self.dispatcher.submit_all([(str(results[place]), requests[place].priority) for place in due])
        over = {place: one.over for place, one in zip(requests, taken, strict=True) if one.over}
        reasons: dict[int, KeyConflict | QuotaExceeded] = {**conflicts, **over}
        return [reasons.get(place, result) for place, result in enumerate(results)]

    def load(self, data: Any, *, actor: Actor) -> RenderRequest:
        """Return the checked request, with its tenant filled in; raises `RequestRefused`. It records nothing."""
        tenant = self._tenant(data, actor)
        policy = self.tenants.of(tenant)
        request = load_request(
            data,
            accounts=self.allowed(actor, tenant),
            hook_kinds=self.hook_kinds,
            max_bytes=self.max_bytes,
            hook_problem=functools.partial(problem_of, tenant=policy, actor=actor),
            hook_retries=self.hook_retries,
        )
        self._check_sources(data, request, policy)
        if self.names:
            checked = (request.kind, request.body, request.account)
            if unknown := self.names.at_door(*checked, request=data, tenant=tenant):
                raise RequestRefused(unknown)
        self._check_files(data, request, tenant)
        return replace(request, tenant=tenant)

    def _check_sources(self, data: Any, request: RenderRequest, tenant: Tenant) -> None:
        """Raise `RequestRefused` if the request names a vendor project or template that is not the tenant's to name."""
        errors = {}
        for source in named_sources(KINDS[request.kind], data, request.body):
            if source.what == "template":
                if not tenant.may_name_template(source.id):
                    errors[source.path] = [f"tenant {tenant.name} was granted no such template{_GRANT}"]
            elif not tenant.may_name_project(source.id, self.ledger.project_tenant(request.account, source.id)):
                errors[source.path] = [f"must be one of the projects that renders of tenant {tenant.name} made{_GRANT}"]
        if errors:
            raise RequestRefused(errors)

    def _check_files(self, data: Any, request: RenderRequest, tenant: str) -> None:
        """Raise `RequestRefused` if the request names a file that is not the tenant's to name."""
        errors = {}
        if tenant != DEFAULT:
            for path in vendor_files(KINDS[request.kind], data):
                errors[path] = [f"tenant {tenant} may name uploads and URLs alone: the vendor knows no tenants"]
        try:
            for file in named_files(KINDS[request.kind], data):
                reference = parse(file.reference)
                if self.uploads and reference and not self.uploads.has_lately(reference, tenant=tenant):
                    errors[file.path] = [missing(reference, tenant)]
        except StorageFailed as failed:
            log.warning("the storage of uploads does not answer; the worker will look", why=str(failed))
        if errors:
            raise RequestRefused(errors)

    def allowed(self, actor: Actor, tenant: str | None = None) -> Collection[str]:
        """Return the vendor accounts that the actor may name in a request for `tenant` (None: its own)."""
        return actor.allowed(self.accounts, self.tenants.of(tenant or actor.home))

    def _tenant(self, data: Any, actor: Actor) -> str:
        """Return the tenant of a request: the one that it names, or that of the actor; raises `RequestRefused`."""
        named = data.get("tenant") if isinstance(data, dict) else None
        if named is None or tenant_error(named):
            # A bad name is refused with the other wrong fields.
            return actor.home
        if not actor.sees(named):
            raise RequestRefused({"tenant": [f"must be {actor.home}, the tenant of the API key, or left out"]})
        if actor.door == "broker" and named not in self.tenants.broker:
            allowed = ", ".join(sorted(self.tenants.broker))
            raise RequestRefused({"tenant": [f"messages may name {allowed}, as RENDERLINE_BROKER_TENANTS says"]})
        return str(named)

    def _entry(self, render_id: str, request: RenderRequest, actor: Actor, request_id: str | None) -> Entry:
        entry = ledger_entry(render_id, request, deadline=self.deadline, by=str(actor), request_id=request_id or "")
        return replace(entry, quota=Quota.of(self.tenants.of(entry.tenant)), labels=self.labels)


def ledger_entry(
    render_id: str, request: RenderRequest, *, deadline: float, by: str = "", request_id: str = ""
) -> Entry:
    """Return the ledger entry of a request that `by` had accepted; `deadline` (seconds) is the default of a request
    without one, `request_id` the id of the call or message that it came with.
    """
    return Entry(
        render_id,
        kind=request.kind,
        account=request.account,
        priority=request.priority,
        deadline=request.deadline or deadline,
        meta={
            "name": request.name,
            "hooks": list(request.hooks),
            "metadata": request.metadata,
            **({"warnings": list(request.warnings)} if request.warnings else {}),
        },
        body=request.body_json(),
        fingerprint=request.fingerprint(),
        tenant=request.tenant or DEFAULT,
        by=by,
        request_id=request_id,
        draft=is_draft(request.body),
        level=KINDS[request.kind].level,
    )


def check_key(key: Any) -> None:
    """Raise `RequestRefused` for a bad idempotency key. None means no key."""
    error = key_error(key) if key is not None else None
    if error:
        raise RequestRefused({"key": [error]})


def _render_id(key: str | None, message_id: str, tenant: str | None) -> str:
    tenant = tenant or DEFAULT
    return render_id_for_key(key, tenant) if key is not None else render_id_for_message(message_id, tenant)
