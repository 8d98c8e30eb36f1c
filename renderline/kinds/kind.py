"""The definition of a kind: its request fields, the vendor body built from them, and its plan of vendor calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from marshmallow import Schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.plan import CallContext, Poll, Stage
from renderline.renders import BEGIN
from renderline.studio import Project

EXPORT: Final = "export"
"""The field of a request and of its body that is false for a draft alone."""


def is_draft(body: Mapping[str, Any]) -> bool:
    """Return whether a request with this checked body ends with a draft, which is never exported."""
    return body.get(EXPORT) is False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of render request: how it is checked, how its body is built and which vendor calls it takes."""

    name: str
    matches: Callable[[Mapping[str, Any]], bool]
    """Whether a bare vendor body is one of this kind. At most one kind may match a body."""

    schema: Schema
    """The schema of the vendor body."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a request as documentation shows it, without `kind`: `examples/files` and the sandbox have what it
    names.
    """
    fields: Mapping[str, str]
    """Fields allowed at the top of the request instead of in `payload`, and the vendor's name for each."""
    target: tuple[str, str] | None = None
    """Our name and the vendor's for the id of the project or template that the call acts on."""
    target_in_body: bool = False
    """Whether that id is sent in the body; otherwise it is part of the URL."""
    takes_name: bool = False
    """Whether the call takes a `name`."""
    webhook_field: str | None = "webhookUrl"
    """The field of the last paid call for a webhook URL (contract, webhook). None: it takes none."""
    export_fields: frozenset[str] = frozenset()
    """Fields of the payload that are sent with the export, not with this call."""
    defaults: Mapping[str, Any] = field(default_factory=lambda: {"resolution": "1080"})
    """The vendor's defaults. Two requests that differ only in these mean the same."""
    file_fields: tuple[str, ...] = ()
    """The fields, of the request or its payload, that name files: each a reference, or a list or object of some."""
    compact_schema: Schema | None = None
    """The schema of the compact form, which has `scenes` at the top of the request."""
    lay_out: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Turns a body in the compact form into the vendor's."""

    two_phase: tuple[Stage, ...]
    """The stages where the project is drafted first, then exported."""
    direct: tuple[Stage, ...]
    """The stages where one call creates and exports, if the vendor has one; otherwise those of `two_phase`."""
    poll: Poll
    """Follows the last paid stage: asks the vendor how far the render of a project is."""
    inspect: Callable[[AccountClients, str], Project] | None
    """Reads the project, to find out whether an export was started. None where the API has no such call."""
    owns_project: bool = False
    """Whether the project is made for the render alone, by free calls, so that it may be deleted. One that the vendor
    generated has cost something: a retry uses it again.
    """
    level: int = 0
    """The level of records (`renderline.ledger.schema.LEVEL`) since which programs know this kind; those of earlier
    levels leave its renders alone.
    """
    api: Literal["v3", "v2"] = "v3"
    """The vendor API of its calls. Only v3 calls use the shared token."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, of both plans."""
        return (*self.two_phase, *self.direct)

    @property
    def leaves_draft(self) -> bool:
        """Whether its plan can end with a draft, which is never exported."""
        return 0 < len(self.draft_plan) < len(self.two_phase)

    @property
    def draft_plan(self) -> tuple[Stage, ...]:
        """The stages that make a draft alone."""
        return tuple(stage for stage in self.two_phase if not stage.exports)

    def plan(self, mode: str, *, at: str, draft: bool = False) -> tuple[Stage, ...]:
        """Return the stages for `two_phase` or `direct`, starting with stage `at` ('' or `BEGIN`: the first).

        A render keeps its plan even if the setting has changed since. `draft`: it ends with a draft.
        """
        if draft:
            plans: tuple[tuple[Stage, ...], ...] = (self.draft_plan,)
        else:
            plans = (self.direct, self.two_phase) if mode == "direct" else (self.two_phase, self.direct)
        for stages in plans:
            for index, stage in enumerate(stages):
                if at in ("", BEGIN, stage.name):
                    return stages[index:]
        raise LookupError(f"kind {self.name} has no stage {at!r}")

    def stage(self, name: str) -> Stage | None:
        """Return the stage with that name, None if there is none."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def followed(self, name: str) -> Stage:
        """Return the paid stage that a render follows whose current stage is `name`."""
        found = self.stage(name)
        # Earlier versions left the only stage of a plan unnamed.
        return found if found and found.paid else next(stage for stage in reversed(self.direct) if stage.paid)

    def after(self, followed: Stage, *, draft: bool) -> Stage | None:
        """Return the stage that comes once `followed` is finished; None: the render is."""
        rest = self.plan("two_phase", at=followed.name, draft=draft)[1:] if followed.poll else ()
        return rest[0] if rest else None

    def resumes_at(self, name: str) -> str:
        """Return the stage at which a new attempt goes on after one that ended at stage `name`; '': the first.

        What an earlier paid stage made is kept, for it cost something.
        """
        names = [stage.name for stage in self.two_phase]
        before = self.two_phase[: names.index(name)] if name in names else ()
        paid = [index for index, stage in enumerate(before) if stage.paid]
        return names[paid[-1] + 1] if paid else ""

    def with_defaults(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's body with the vendor's defaults filled in, to compare two requests."""
        if "payload" not in body:
            return dict(body)
        given = {name: value for name, value in body["payload"].items() if value is not None}
        return {**body, "payload": {**self.defaults, **given}}

    def build(self, body: Mapping[str, Any], *, name: str, webhook_url: str | None) -> dict[str, Any]:
        """Return the vendor body for a request's `body`, without `isExport`, which the client adds.

        `name` is set where the call takes one. `webhook_url`, where the call takes one, replaces the caller's own.
        Nested parts are shared with `body`: treat them as read-only.
        """
        body = {key: value for key, value in body.items() if key != EXPORT}
        if "payload" in body:
            built = {field: value for field, value in body["payload"].items() if field not in self.export_fields}
        else:
            assert self.lay_out is not None
            built = self.lay_out(dict(body))
        if self.target is not None and self.target_in_body:
            built[self.target[1]] = body[self.target[0]]
        if self.takes_name:
            built["name"] = name
        webhook = self.webhook_field
        if webhook_url is not None and webhook and webhook not in self.export_fields:
            built[webhook] = webhook_url
        return built

    def context(
        self,
        body: Mapping[str, Any],
        *,
        name: str,
        webhook_url: str | None,
        project_id: str | None,
        data: Mapping[str, Any] | None = None,
    ) -> CallContext:
        """Return the arguments of the stages, for a request's `body`.

        `name` is the project's name, `data` what earlier stages recorded.
        """
        vendor_body = partial(self.build, body, name=name, webhook_url=webhook_url)
        return CallContext(body, vendor_body, webhook_url, project_id, name, dict(data or {}))
