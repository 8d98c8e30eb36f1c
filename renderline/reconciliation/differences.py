"""The differences between a restored ledger and the vendor, each with a proposal. No call, no change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from renderline.drafts import TaggedProject
from renderline.kinds import KINDS, Kind
from renderline.ledger import HELD, RecordedRender
from renderline.reconciliation.vendor_view import VendorView
from renderline.renders import State

Proposal = Literal["adopt", "confirm", "resubmit", "fail", "remember"]

_NOT_SUBMITTED: Final = frozenset({State.ACCEPTED, State.SUBMITTING, HELD})


@dataclass(frozen=True)
class Difference:
    """One render about which ledger and vendor disagree, or may: what is proposed, and why.

    `adopt`: the project renders, or has; it is polled. `confirm`: the render becomes unconfirmed, and polls look for
    evidence. `resubmit`: the same, and without evidence it is submitted again after `resubmit_at`. `fail`: it ends.
    `remember`: the ledger has no such attempt; if it comes again, it gets the project.
    """

    render_id: str
    account: str
    proposal: Proposal
    reason: str
    render: RecordedRender | None = None
    project: TaggedProject | None = None
    resubmit_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "id": self.render_id,
            "account": self.account,
            "state": self.render.state if self.render else None,
            "proposal": self.proposal,
            "reason": self.reason,
            "project_id": self.project.project_id if self.project else None,
            "resubmit_at": self.resubmit_at,
        }


@dataclass(frozen=True)
class Patience:
    """When a render is certain to be in the project list, which shows it at the latest when it is finished.

    `since` is when the ledger came into doubt; `seconds` how long a render of a kind takes at most (the deadline of the
    render where it is not known). `conclusive`: a project that was finished stays in the list.
    """

    since: float
    seconds: dict[str, float]
    conclusive: bool
    fixed: float | None = None

    def over_at(self, render: RecordedRender) -> float:
        """Return when a render that was submitted since the snapshot must be in the list."""
        if self.fixed is not None:
            return self.since + self.fixed
        return self.since + self.seconds.get(render.kind, render.deadline)


def difference(render: RecordedRender, view: VendorView, patience: Patience) -> Difference | None:
    """Return the difference about a render whose vendor calls may not be over; None: it goes on as it is.

    Raises a `StudioFault` if the vendor does not answer.
    """
    kind = KINDS.get(render.kind)
    if kind is None:
        return None
    about = _About(render, kind, view, patience)
    if render.state == State.RENDERING:
        return about.rendering()
    return about.not_rendering()


def attempts(renders: Iterable[RecordedRender]) -> list[tuple[str, int]]:
    """Return every attempt that the ledger knows: render id and number."""
    return [(one.id, attempt) for one in renders for attempt in range(1, one.attempt + 1)]


def unknown(view: VendorView, known: Iterable[tuple[str, int]], account: str) -> list[Difference]:
    """Return the projects of attempts that are not `known`: of renders accepted, or retried, since the snapshot."""
    in_ledger = set(known)
    newest: dict[tuple[str, int], TaggedProject] = {}
    for one in (one for rows in (view.by_render or {}).values() for one in rows):
        about = one.render_id, one.attempt
        if about not in in_ledger and (about not in newest or one.number > newest[about].number):
            newest[about] = one
    reason = "the ledger does not know this {}: if it comes again with its key, it gets the project and pays nothing"
    return [
        Difference(
            one.render_id,
            account,
            "remember",
            reason.format("render" if one.attempt == 1 else f"attempt {one.attempt}"),
            project=one,
        )
        for one in newest.values()
    ]


@dataclass(frozen=True)
class _About:
    render: RecordedRender
    kind: Kind
    view: VendorView
    patience: Patience

    def rendering(self) -> Difference | None:
        newer = self._newer()
        if newer and (newer.rendered or self._fate(newer.project_id) == "begun"):
            return self._adopt(newer, "it was submitted again since the snapshot")
        project = self.render.project_id
        if not project or not self.kind.owns_project or self._fate(project) != "gone":
            return None
        return self._made(
            "fail", "the vendor has its project no more: it was delivered and deleted since the snapshot, or by hand"
        )

    def not_rendering(self) -> Difference | None:
        newest = self._newest()
        if newest:
            return self._with_project(newest)
        if self.render.project_id and self.kind.owns_project:
            own = TaggedProject(
                self.render.project_id, self.render.id, self.render.attempt, self.render.draft, rendered=False
            )
            return self._with_project(own)
        if self.render.waits or (self._costs_nothing and self.render.state in _NOT_SUBMITTED):
            return None
        # A render that an operator holds stays held: nothing but its release submits it.
        return None if self.render.state == HELD else self._without_project()

    def _with_project(self, project: TaggedProject) -> Difference | None:
        fate = "begun" if project.rendered else self._fate(project.project_id)
        if fate == "begun":
            return self._adopt(project, "it was submitted since the snapshot")
        if fate == "gone":
            if self.render.waits:
                return None
            return self._absent("the vendor has its project no more")
        same = project.project_id == self.render.project_id
        if self._costs_nothing or (same and self.render.state == State.UNCONFIRMED):
            return None
        reason = "its draft shows no start; an export may still come: polls look for one, then the draft is revoked"
        return self._made("confirm", reason, project)

    def _without_project(self) -> Difference | None:
        if any(stage.findable for stage in self.kind.stages) and self.view.by_render is not None:
            return self._absent("the project list does not show it")
        if self.render.state == State.UNCONFIRMED:
            return None
        reason = (
            f"nothing at the vendor tells whether a render of kind {self.kind.name} was paid for since the snapshot"
        )
        return self._made("confirm", reason)

    def _absent(self, what: str) -> Difference | None:
        if not self.patience.conclusive:
            if self.render.state == State.UNCONFIRMED and self.render.project_id is None:
                return None
            return self._made("confirm", f"{what}, and finished projects are deleted: it may have been paid for")
        at = self.patience.over_at(self.render)
        reason = f"{what}; it may be rendering, and is submitted again only when it would be in the project list"
        return self._made("resubmit", reason, resubmit_at=at)

    def _adopt(self, project: TaggedProject, reason: str) -> Difference:
        return self._made("adopt", reason, project)

    def _made(
        self,
        proposal: Proposal,
        reason: str,
        project: TaggedProject | None = None,
        resubmit_at: float | None = None,
    ) -> Difference:
        one = self.render
        return Difference(one.id, one.account, proposal, reason, one, project, resubmit_at)

    def _newest(self) -> TaggedProject | None:
        rows = [
            one
            for one in self.view.of(self.render.id)
            if one.attempt >= self.render.attempt
            and (one.project_id == self.render.project_id or not self.view.earlier(one, self.render.accepted_at))
        ]
        begun = [one for one in rows if one.rendered]
        return (begun or rows)[-1] if rows else None

    def _newer(self) -> TaggedProject | None:
        newest = self._newest()
        if newest is None or newest.project_id == self.render.project_id:
            return None
        mine = self.render.attempt, self.render.draft
        return newest if (newest.attempt, newest.number) > mine else None

    def _fate(self, project_id: str) -> str:
        return self.view.fate(self.kind.name, project_id)

    @property
    def _costs_nothing(self) -> bool:
        """Whether it ends with a draft that no paid stage makes."""
        return self.render.draft_only and not any(stage.paid for stage in self.kind.draft_plan)
