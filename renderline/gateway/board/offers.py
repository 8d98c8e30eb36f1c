"""What a person can do with a render, as its state and the session's scopes allow: each a button with a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from renderline.gateway.access import ADMIN, SUBMIT
from renderline.renders import FINAL, State


@dataclass(frozen=True, kw_only=True)
class Field:
    """A text that the question asks for."""

    name: str
    label: str
    required: bool = True
    longest: int = 500


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button: what it is called, what it asks first, and what is sent when the answer is yes."""

    action: str
    label: str
    question: str
    yes: str
    danger: bool = False
    field: Field | None = None
    hook: int | None = None
    """The hook that it is about, from 0."""


SCOPES: Final[Mapping[str, str]] = {
    "cancel": SUBMIT,
    "retry": SUBMIT,
    "hold": ADMIN,
    "release": ADMIN,
    "adopt": ADMIN,
    "resubmit": ADMIN,
    "fail": ADMIN,
    "replay": ADMIN,
    "discard": ADMIN,
}
"""The scope that each operation needs, as in the HTTP API."""

DONE: Final[Mapping[str, str]] = {
    "cancel": "The render is canceled.",
    "retry": "The render starts anew.",
    "hold": "The render is held: it is not submitted until it is released.",
    "release": "The render is released.",
    "adopt": "The project belongs to this render now, which is polled.",
    "resubmit": "The render is submitted again.",
    "fail": "The render has failed; its hooks run.",
    "replay": "The hook is delivered again.",
    "discard": "The hook is discarded.",
    "pause": "The account is paused: nothing more is submitted for it.",
    "resume": "The account goes on.",
}
"""What the page says after an operation."""

_CHARGED: Final = "The vendor has no way to cancel: it finishes and charges what it has begun."
_READY: Final = "Its video is ready and paid. Hooks that have not run by now are not called."
_UNSENT: Final = "Nothing was sent to the vendor yet, so it costs nothing."


def offers(record: Mapping[str, Any], *, dead: Collection[int], may: Callable[[str], bool]) -> list[Offer]:
    """Return the operations that apply to a render, whose hooks `dead` are dead letters, for somebody who `may`."""
    return [offer for offer in _applying(record, dead) if may(SCOPES[offer.action])]


def with_buttons(action: str, record: Mapping[str, Any], offered: Collection[Offer], *, resumes: bool) -> str:
    """Return what a person can do with the page's buttons in place of the commands that do the same.

    `offered` are the buttons of this render; `resumes`: whether the page of its account offers to resume it. Commands
    without a button stay.
    """
    one = re.escape(record["id"])
    for offer in offered:
        alike = sum(other.action == offer.action for other in offered)
        label = offer.label if alike == 1 else offer.action.capitalize()
        command = _COMMANDS.get(offer.action, f"renderline {offer.action} {one}")
        action = re.sub(command.replace("ID", one), f"\u201c{label}\u201d", action)
    if resumes:
        account = re.escape(str(record["account"]))
        action = re.sub(f"renderline resume {account}", "\u201cResume\u201d on the account's page", action)
    return action


_COMMANDS: Final[Mapping[str, str]] = {
    "adopt": r"renderline adopt ID PROJECT",
    "fail": r"renderline fail ID --reason TEXT",
    "replay": r"renderline dead replay ID( \d+)?",
    "discard": r"(renderline )?dead discard( ID( \d+)?)?",
}
"""How an explanation writes the command that does the same; of the others it is `renderline`, their name and the id."""


def _applying(record: Mapping[str, Any], dead: Collection[int]) -> list[Offer]:
    state, found = record["state"], []
    if state in (State.FAILED, State.EXPIRED):
        found.append(
            Offer(
                action="retry",
                label="Retry",
                question="Retry this render? It is submitted anew, and may cost credits again.",
                yes="Yes, retry it",
            )
        )
    if state == State.UNCONFIRMED:
        found += _SETTLING
    for index in sorted(dead):
        found += _of_dead_hook(index, record)
    if state == State.ACCEPTED:
        found.append(_RELEASE if record.get("held") else _HOLD)
    if state in tuple(State) and state not in FINAL:
        begun = _CHARGED if State.SUBMITTING in record["times"] else _UNSENT
        found.append(
            Offer(
                action="cancel",
                label="Cancel",
                question=f"Cancel this render? {_READY if state == State.COMPLETED else begun}",
                yes="Yes, cancel it",
                danger=True,
            )
        )
    return found


_HOLD: Final = Offer(
    action="hold",
    label="Hold",
    question="Hold this render? It is not submitted until somebody releases it.",
    yes="Yes, hold it",
    field=Field(name="reason", label="Why (shown to all who see the render)", required=False, longest=200),
)
_RELEASE: Final = Offer(
    action="release", label="Release", question="Release this render? It is submitted when its turn comes.", yes="Yes"
)
_SETTLING: Final = (
    Offer(
        action="adopt",
        label="Adopt a project",
        question="Does a project of this render exist at the vendor? It is polled from now on.",
        yes="Adopt it",
        field=Field(name="project_id", label="The vendor's project id", longest=64),
    ),
    Offer(
        action="resubmit",
        label="Resubmit",
        question="Submit it again? If the vendor did start it, it is rendered and paid twice. Look for it there first.",
        yes="Yes, submit it again",
        danger=True,
    ),
    Offer(
        action="fail",
        label="Fail",
        question="Give this render up as failed? Its hooks run, and it can be retried.",
        yes="Yes, give it up",
        danger=True,
        field=Field(name="message", label="Why (part of its record)", required=False),
    ),
)


def _of_dead_hook(index: int, record: Mapping[str, Any]) -> list[Offer]:
    name = f"hook {index}"
    return [
        Offer(
            action="replay",
            label=f"Replay {name}",
            question=f"Deliver {name} ({record['hooks'][index]['type']}) again? It keeps its webhook id.",
            yes="Yes, deliver it",
            hook=index,
        ),
        Offer(
            action="discard",
            label=f"Discard {name}",
            question=f"Take {name} off the dead letters without delivering it?",
            yes="Yes, discard it",
            danger=True,
            hook=index,
        ),
    ]
