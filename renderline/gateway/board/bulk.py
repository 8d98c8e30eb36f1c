"""One operation on the chosen renders, or on all that a search finds: a question first, then what came of it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Final, cast

from flask import Response, request, url_for

from renderline.bulk import ACTIONS, LIMIT, Action, Bulk, BulkRefused, BulkResult
from renderline.gateway.access import ADMIN, READ, SUBMIT, caller, demand
from renderline.gateway.board.access import may, requires
from renderline.gateway.board.blueprint import blp, page
from renderline.gateway.board.context import board
from renderline.gateway.context import context
from renderline.gateway.problem import Problem
from renderline.ledger import Filter
from renderline.search import parse_search

SCOPES: Final[dict[Action, str]] = {
    "retry": SUBMIT,
    "cancel": SUBMIT,
    "hold": ADMIN,
    "release": ADMIN,
    "replay": ADMIN,
}
"""What the API key of the session needs for each action."""
LABELS: Final[dict[Action, str]] = {
    "retry": "Retry",
    "cancel": "Cancel",
    "hold": "Hold",
    "release": "Release",
    "replay": "Replay hooks of",
}
_QUESTIONS: Final[dict[Action, str]] = {
    "retry": "Each is submitted to the vendor anew, which may cost its credits again.",
    "cancel": "They are no longer followed. What the vendor has begun it renders, and charges.",
    "hold": "They are not submitted before somebody releases them.",
    "release": "They are submitted as soon as it is their turn.",
    "replay": "Each dead-lettered hook of theirs is called again.",
}
_SHOWN: Final = 100
_MOST_CHOSEN: Final = 1000
_ID: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Wanted:
    """What a form asks for. `everything`: all that the search finds, not only the chosen ones."""

    action: Action
    text: str
    everything: bool
    ids: tuple[str, ...]

    @staticmethod
    def sent() -> Wanted:
        """Return what the form of the present request asks for; raises a 422 problem for one that makes no sense."""
        form = request.form
        if form.get("action") not in ACTIONS:
            raise Problem(422, f"The action must be one of {', '.join(ACTIONS)}.")
        # What is no id is no render, and would be kept in the audit trail as it was sent.
        ids = tuple(dict.fromkeys(filter(_ID.fullmatch, form.getlist("id"))))[:_MOST_CHOSEN]
        return Wanted(cast("Action", form["action"]), form.get("q", "").strip(), form.get("scope") == "all", ids)

    def filter(self) -> Filter:
        """Return which renders it is about; raises SearchError."""
        return parse_search(self.text, now=time.time()) if self.everything else Filter(ids=self.ids)


def actions() -> list[tuple[Action, str]]:
    """Return what the API key of the present session may do to several renders, with labels."""
    names: dict[Action, str] = {**LABELS, "replay": "Replay hooks"}
    return [(action, names[action]) for action in ACTIONS if may(SCOPES[action])]


@blp.post("/board/bulk")
@requires(READ)
def bulk() -> Response:
    """Ask whether it shall be done, with how many it concerns; or do it, and say what was refused."""
    wanted = Wanted.sent()
    demand(SCOPES[wanted.action])
    if not wanted.everything and not wanted.ids:
        raise Problem(422, "No render is chosen. Go back and choose some, or all that match.")
    asked = request.form.get("confirmed") != "yes"
    try:
        result = _run(wanted, asked=asked)
    except ValueError as refused:
        raise Problem(422, f"{refused}.") from None
    return page(
        "bulk.html",
        asked=asked,
        wanted=wanted,
        result=result,
        label=LABELS[wanted.action],
        question=_QUESTIONS[wanted.action],
        other=0 if wanted.everything or not asked else len(wanted.ids) - result.matched,
        limit=LIMIT,
        shown=_SHOWN,
        back=url_for("board.renders", q=wanted.text or None),
    )


def _run(wanted: Wanted, *, asked: bool) -> BulkResult:
    runs = Bulk(board().search, context().operations)
    if not asked and not wanted.everything:
        # Those that are in another state by now are refused, with the reason.
        return runs.on(wanted.action, wanted.ids, actor=caller())
    try:
        return runs.run(wanted.action, wanted.filter(), actor=caller(), dry_run=asked, limit=LIMIT, every=True)
    except BulkRefused:
        if wanted.everything:
            raise
        return BulkResult()
