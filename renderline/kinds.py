"""How each kind of render runs: which vendor calls, which of them costs, where its fence stands. One table.

A plan is a row of stages. Free stages come first and may be repeated; the last stage is the paid one, made once. A
kind that can be drafted has a two-phase plan (draft, then export) and a direct one (create and export in one call).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from renderline.accounts.clients import AccountClients
from renderline.payloads import build
from renderline.requests import RenderRequest
from renderline.studio import OutcomeUnknown, Progress, Project


@dataclass
class Order:
    """One render on its way to the vendor."""

    request: RenderRequest
    name: str
    """The name that the project gets: the caller's with our render id in it."""
    webhook_url: str | None
    project_id: str | None

    def body(self) -> dict[str, Any]:
        """Return the full, validated vendor body."""
        return build(self.request, name=self.name, webhook_url=self.webhook_url)

    def project(self) -> str:
        """Return the project that a stage acts on: the one made before, or the one that the request names."""
        found = self.project_id or self.request.project_id
        if not found:
            raise LookupError("no project to act on")
        return found

    def export_options(self) -> dict[str, Any]:
        """Return the options that belong to the export call."""
        return {
            "resolution": self.request.resolution,
            "workspace_id": self.request.workspace_id,
            "webhook_url": self.webhook_url or self.request.webhook_url,
        }


@dataclass(frozen=True)
class Made:
    """What a stage brought about."""

    project_id: str | None = None
    baseline: str | None = None


@dataclass(frozen=True)
class Stage:
    """One vendor call of a plan. `named`: a project that it made can be found by its name if the answer is lost."""

    name: str
    call: Callable[[AccountClients, Order], Made]
    paid: bool = False
    named: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of render request and how it runs."""

    name: str
    two_phase: tuple[Stage, ...]
    direct: tuple[Stage, ...]
    look: Callable[[AccountClients, str], Progress]
    inspect: Callable[[AccountClients, str], Project] | None
    """Reads the project, to settle an export whose outcome nobody saw; None where the API has no such call."""
    disposable: bool = False
    """Whether the project is one that we drafted, to be deleted when it will not be exported."""
    api: Literal["v3", "v2"] = "v3"
    """Which of the vendor's APIs its calls belong to; only those of v3 carry the shared token."""
    calls_back: bool = True
    """Whether the paid call takes a webhook URL (contract, webhook)."""

    def plan(self, mode: str, *, at: str) -> tuple[Stage, ...]:
        """Return the stages for `two_phase` or `direct`, from stage `at` on ('': from the first).

        A render that stands at a stage stays with the plan that has it, though the setting has changed since.
        """
        plan, other = (self.direct, self.two_phase) if mode == "direct" else (self.two_phase, self.direct)
        for stages in (plan, other):
            for index, stage in enumerate(stages):
                if at in ("", stage.name):
                    return stages[index:]
        raise LookupError(f"kind {self.name} has no stage {at!r}")

    def stage(self, name: str) -> Stage | None:
        """Return the stage of that name, None if there is none."""
        return next((stage for stage in (*self.two_phase, *self.direct) if stage.name == name), None)


def signs(project: Project) -> dict[str, Any]:
    """Return what a project shows of renders started on it (contract, get project)."""
    return {
        "task": project.backend_task_id,
        "credit": project.credit_subtracted,
        "progress": project.progress,
        "url": project.download_url,
        "updated": project.updated_at,
    }


def started_since(project: Project, baseline: str | None) -> bool:
    """Return whether a project shows a render started since `baseline` (its signs before; None: a fresh draft)."""
    # That it was touched proves nothing: our own draft call may have done that.
    now = {sign: value for sign, value in signs(project).items() if sign != "updated"}
    if baseline is None:
        return any(now.values())
    before = json.loads(baseline)
    return any(value != before.get(sign) for sign, value in now.items())


def _draft(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().create_project(order.body(), export=False))


def _create(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().create_project(order.body(), export=True))


def _draft_simple(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().create_simple_video(order.body(), export=False))


def _create_simple(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().create_simple_video(order.body(), export=True))


def _draft_template(clients: AccountClients, order: Order) -> Made:
    template = order.request.template_id
    if not template:
        raise LookupError("no template to create from")
    return Made(clients.use_v3().create_from_template(template, order.body()))


def _draft_edit(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().edit_project(_asked(order), order.body(), export=False))


def _edit(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v3().edit_project(_asked(order), order.body(), export=True))


def _asked(order: Order) -> str:
    # An edit that is repeated starts again from the named project, not from the copy that it may have made.
    if not order.request.project_id:
        raise LookupError("no project to edit")
    return order.request.project_id


def _baseline(clients: AccountClients, order: Order) -> Made:
    return Made(baseline=json.dumps(signs(clients.use_v3().get_project(order.project()))))


def _baseline_of_export(clients: AccountClients, order: Order) -> Made:
    # The id does not change (contract, export), so an export whose answer is lost can be looked for on this project.
    return Made(order.project(), _baseline(clients, order).baseline)


def _export(clients: AccountClients, order: Order) -> Made:
    # The id does not change (contract, export): whoever is answered another one does not know what was exported.
    wanted = order.project()
    told = clients.use_v3().export_project(wanted, **order.export_options())
    if told != wanted:
        raise OutcomeUnknown("the vendor answered the export with another project", endpoint="export", status=200)
    return Made(wanted)


def _create_v2(clients: AccountClients, order: Order) -> Made:
    return Made(clients.use_v2().create_project(order.body()))


def _look_v3(clients: AccountClients, project_id: str) -> Progress:
    return clients.use_v3().progress(project_id)


def _look_v2(clients: AccountClients, key: str) -> Progress:
    return clients.use_v2().progress(key)


def _inspect_v3(clients: AccountClients, project_id: str) -> Project:
    return clients.use_v3().get_project(project_id)


_EXPORT = Stage("export", _export, paid=True)
# A project that was there before us may have been rendered before: what it shows then is no sign of ours.
_BASELINE = Stage("baseline", _baseline)


def _v3(
    name: str, *, draft: tuple[Stage, ...], direct: tuple[Stage, ...] | None = None, disposable: bool = False
) -> Kind:
    two_phase = (*draft, _EXPORT)
    return Kind(name, two_phase, direct or two_phase, _look_v3, _inspect_v3, disposable)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _v3(
            "project",
            draft=(Stage("draft", _draft, named=True),),
            direct=(Stage("create", _create, paid=True, named=True),),
            disposable=True,
        ),
        _v3(
            "edit",
            draft=(Stage("draft", _draft_edit), _BASELINE),
            direct=(_BASELINE, Stage("edit", _edit, paid=True)),
        ),
        _v3("export", draft=(Stage("baseline", _baseline_of_export),)),
        _v3("template", draft=(Stage("draft", _draft_template, named=True),), disposable=True),
        _v3(
            "simple_video",
            draft=(Stage("draft", _draft_simple),),
            direct=(Stage("create", _create_simple, paid=True),),
            disposable=True,
        ),
        # v2 has no draft form, no list and no name to find it by.
        Kind(
            "v2_project",
            two_phase=(Stage("create", _create_v2, paid=True),),
            direct=(Stage("create", _create_v2, paid=True),),
            look=_look_v2,
            inspect=None,
            api="v2",
            calls_back=False,
        ),
    )
}

APIS = {kind.name: kind.api for kind in KINDS.values()}
"""The API that the calls of each kind belong to."""

PAID = tuple(sorted({stage.name for kind in KINDS.values() for stage in (*kind.two_phase, *kind.direct) if stage.paid}))
"""The names of the stages that cost; no free stage of any kind has one of them."""
