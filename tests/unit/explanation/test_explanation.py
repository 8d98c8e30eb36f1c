"""Every state and every condition of a render has a sentence; a new state or note of the scripts is not forgotten."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest

from renderline.explanation import Explanation, explain
from renderline.ledger.condition import AccountCondition, Condition, HookCondition, SlotHolder
from renderline.ledger.record import HELD, public_record, unreadable_record
from renderline.renders import State
from renderline.retry import HookRetryPolicy

ONE, OTHER = "1f2e" + "0" * 28, "2a3b" + "0" * 28
NOW = 1_760_104_920.0  # 2025-10-10 14:02:00 UTC
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEBHOOK = {"type": "http", "url": "https://example.com/done"}


def record(state: str, *hooks: dict[str, Any], ago: float = 6 * MINUTE, **fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"kind": "project", "account": "main", "priority": "normal", "state": state}
    times = {f"t:{state}": NOW - ago, "t:accepted": NOW - 10 * MINUTE}
    texts = {name.replace("__", ":"): str(value) for name, value in {**known, **times, **fields}.items()}
    return public_record(ONE, texts, {"name": "Welcome", "hooks": list(hooks)})


def account(**changes: Any) -> Condition:
    return Condition(account=AccountCondition(**changes), ahead=changes.pop("ahead", None))


def said(given: dict[str, Any], condition: Condition = Condition(), **options: Any) -> Explanation:  # noqa: B008
    return explain(given, condition, now=NOW, **options)


WAITING: dict[str, tuple[Condition, str, str, str]] = {
    "for a slot": (
        Condition(account=AccountCondition(slots=5, taken=5), ahead=3, holder=SlotHolder(OTHER, NOW - 12 * MINUTE)),
        f"Waits for a slot: 5 of 5 slots of account main are taken, the oldest by render {OTHER} since 13:50 UTC "
        "(12 min ago); 3 renders of its tenant are before it.",
        "It goes on when one is free and its turn comes.",
        "",
    ),
    "for a slot that others hold": (
        Condition(account=AccountCondition(slots=5, taken=5), ahead=0),
        "Waits for a slot: 5 of 5 slots of account main are taken.",
        "It goes on when one is free and its turn comes.",
        "",
    ),
    "for a paused account": (
        Condition(account=AccountCondition(paused=True), ahead=1),
        "Account main is paused; 1 render of its tenant is before it.",
        "Its renders go on once it is resumed.",
        "renderline resume main.",
    ),
    "for credit": (
        Condition(account=AccountCondition(refusal="No credit", refused_since=NOW - HOUR, attempt_at=NOW + 240)),
        "The vendor has refused to render for account main since 13:02 UTC (1 h ago): No credit.",
        "One submission tries again at 14:06 UTC (in 4 min); the first that is taken lets all go on.",
        "Check its credit; then renderline resume main.",
    ),
    "for an open circuit": (
        Condition(account=AccountCondition(circuit_since=NOW - 20 * MINUTE)),
        "The vendor has not answered account main since 13:42 UTC (20 min ago), circuit open.",
        "One call at a time probes; the first answer lets all go on.",
        "Check the vendor's status; renderline resume main lets calls go on at once.",
    ),
    "for a Retry-After": (
        Condition(account=AccountCondition(backoff_until=NOW + 10)),
        "The vendor asked account main to wait (429).",
        "Its calls go on at 14:02:10 UTC (in 10 s).",
        "",
    ),
    "for its turn": (
        Condition(ahead=1200),
        "Waits for its turn; 1,200 renders of its tenant are before it.",
        "It goes on when those before it have begun.",
        "",
    ),
    "for a rate that a 429 lowered": (
        Condition(account=AccountCondition(slowed=True), ahead=0),
        "Waits for its turn: the vendor's 429 has slowed account main down.",
        "It goes on within seconds of its turn; the rate grows back by itself.",
        "",
    ),
    "for any worker": (
        Condition(workers=False, ahead=0),
        "No worker is running, so nobody submits it.",
        "It goes on once one runs.",
        "Start a worker: celery -A workers.app worker.",
    ),
    "for a worker that knows the account": (
        Condition(account=AccountCondition(known=False)),
        "No running worker knows its account main.",
        "It goes on once one does; after a day it fails.",
        "Start a worker whose settings name that account.",
    ),
    "in the queue": (
        Condition(queued_at=NOW - 2),
        "Its submission is in the queue.",
        "A worker takes it within seconds.",
        "",
    ),
    "in the queue for long": (
        Condition(queued_at=NOW - 5 * MINUTE, resend_at=NOW + 30),
        "Its submission has been in the queue for 5 min: the workers are busy, or none consumes it.",
        "If its message was lost, it is sent again at 14:02:30 UTC (in 30 s).",
        "renderline doctor says which workers consume which queue.",
    ),
    "for its message": (
        Condition(resend_at=NOW + 30),
        "It is about to begin.",
        "If its message was lost, it is sent again at 14:02:30 UTC (in 30 s).",
        "",
    ),
    "for its calls": (
        Condition(claimed_until=NOW + 20),
        "A worker is making its vendor calls now.",
        "If that worker dies, another one takes over after 14:02:20 UTC (in 20 s).",
        "",
    ),
}


@pytest.mark.parametrize("what", WAITING)
def test_an_accepted_render_waits(what: str) -> None:
    condition, *expected = WAITING[what]
    assert list(said(record("accepted"), condition)) == expected
    assert said(record("submitting"), condition).sentence


def test_a_held_render_says_by_whom_and_how_it_goes_on() -> None:
    held = record(HELD, held_at=NOW - 12 * MINUTE, held_by="anna", held_reason="checking the script\x1b[2J")
    assert list(said(held)) == [
        "Held by anna since 13:50 UTC (12 min ago): checking the script [2J.",
        "It is submitted once it is released.",
        f"It goes on with: renderline release {ONE}.",
    ]
    assert said(record(HELD, held_at=NOW)).sentence == "Held since 14:02:00 UTC."


RENDERING: dict[str, tuple[dict[str, Any], Condition, str, str]] = {
    "at 40 %": (
        {"progress": 40, "deadline_at": NOW + HOUR},
        Condition(typical=360.0, done_at=NOW + 4 * MINUTE, next_poll=NOW + 20),
        "The vendor is at 40 %; renders of this kind usually take 6 min.",
        "Expected at 14:06 UTC (in 4 min). Next poll at 14:02:20 UTC (in 20 s). "
        "It expires at its deadline, 15:02 UTC (in 1 h).",
    ),
    "without progress": (
        {"ago": 2 * MINUTE},
        Condition(typical=360.0, intent_at=NOW - 2 * MINUTE),
        "The vendor has it since 14:00 UTC (2 min ago), and has reported no progress; "
        "renders of this kind usually take 6 min.",
        "Expected at 14:06 UTC (in 4 min).",
    ),
    "late": (
        {"progress": 90},
        Condition(done_at=NOW - 3 * MINUTE),
        "The vendor is at 90 %.",
        "It is 3 min late.",
    ),
    "past its deadline": (
        {"progress": 90, "deadline_at": NOW - 5},
        Condition(),
        "The vendor is at 90 %.",
        "Its deadline passed at 14:01:55 UTC: one last poll looks whether it is done.",
    ),
    "after a failed poll": (
        {"progress": 50, "note": "GET /editor/progress HTTP 500: oops"},
        Condition(),
        "The vendor is at 50 %. The last poll failed: GET /editor/progress HTTP 500: oops.",
        "",
    ),
    "in a stage": (
        {"progress": 10, "stage": "generate"},
        Condition(),
        "The vendor is at 10 % with stage generate.",
        "",
    ),
    "behind an open circuit": (
        {"progress": 40, "deadline_at": NOW + HOUR},
        Condition(account=AccountCondition(circuit_since=NOW - 20 * MINUTE)),
        "The vendor has not answered account main since 13:42 UTC (20 min ago), circuit open. The vendor is at 40 %.",
        "One call at a time probes; the first answer lets all go on. It expires at its deadline, 15:02 UTC (in 1 h).",
    ),
    "during a Retry-After": (
        {"progress": 40},
        Condition(account=AccountCondition(backoff_until=NOW + 10)),
        "The vendor asked account main to wait (429). The vendor is at 40 %.",
        "Its calls go on at 14:02:10 UTC (in 10 s).",
    ),
    "without workers": (
        {"progress": 40},
        Condition(workers=False),
        "No worker is running, so nobody asks the vendor. The vendor is at 40 %.",
        "It goes on once one runs.",
    ),
    "of an account that is gone": (
        {"progress": 40},
        Condition(account=AccountCondition(known=False)),
        "No running worker knows its account main, so nobody asks the vendor. The vendor is at 40 %.",
        "It goes on once one does.",
    ),
}


@pytest.mark.parametrize("what", RENDERING)
def test_a_rendering_render_says_how_far_it_is(what: str) -> None:
    fields, condition, sentence, ends = RENDERING[what]
    found = said(record("rendering", **fields), condition)
    assert (found.sentence, found.ends) == (sentence, ends)


@pytest.mark.parametrize(
    ("fields", "condition", "more"),
    [
        ({}, Condition(), ""),
        (
            {},
            Condition(revoking=True),
            " No sign of it was found: its draft is being deleted, then another one is made and exported.",
        ),
        (
            {"note": "the vendor answered with the project of another render"},
            Condition(),
            " The vendor answered with the project of another render.",
        ),
        ({}, Condition(workers=False), " No worker is running, so nobody asks the vendor."),
    ],
)
def test_an_unconfirmed_render_says_what_is_not_known(fields: Any, condition: Condition, more: str) -> None:
    found = said(record("unconfirmed", stage="export", ago=DAY, **fields), condition)
    since = "2025-10-09 14:02 UTC (1 d ago)"
    assert found.sentence == f"Nobody knows since {since} whether the vendor took the paid call of stage export.{more}"
    assert f"renderline adopt {ONE} PROJECT" in found.action


HOOKS: dict[str, tuple[dict[str, Any], HookCondition, str, str]] = {
    "failing": (
        {"h0": "retrying", "h0:attempts": 4, "h0:error": "503 Busy.\n", "h0:at": NOW - 60},
        HookCondition(until=NOW + 34 * MINUTE, calls="https://example.com"),
        "Hook 0 (http https://example.com) has failed since 13:56 UTC (6 min ago), 4 attempts: 503 Busy.",
        "Next attempt at 14:36 UTC (in 34 min). It is given up at 2025-10-13 13:56 UTC, or after 9 attempts.",
    ),
    "behind an open circuit": (
        {"h0": "retrying", "h0:attempts": 1, "h0:error": "no answer"},
        HookCondition(host="acme/example.com", circuit_since=NOW - HOUR),
        "Hook 0 (http) waits: example.com has not answered since 13:02 UTC (1 h ago), circuit open: no answer.",
        "One call at a time probes that host. It is given up at 2025-10-13 13:56 UTC, or after 9 attempts.",
    ),
    "of an unknown type": (
        {},
        HookCondition(known=False),
        "Hook 0 (http) waits: no running worker has hooks of type http.",
        "It runs once one has; after a day it is dead-lettered.",
    ),
    "running": (
        {"h0:attempts": 1},
        HookCondition(until=NOW + 20),
        "Hook 0 (http) is running.",
        "If its worker dies, another one takes it after 14:02:20 UTC.",
    ),
    "left to another worker": (
        {"h0:error": "hook target 'celery:billing' is not installed in this worker"},
        HookCondition(until=NOW + 20),
        "Hook 0 (http) waits: hook target 'celery:billing' is not installed in this worker.",
        "It is tried again at 14:02:20 UTC (in 20 s).",
    ),
    "in a line": (
        {},
        HookCondition(host="*"),
        "Hook 0 (http) waits for its turn.",
        "It runs when a thread for hooks is free.",
    ),
    "in the line of a host": (
        {},
        HookCondition(host="example.com"),
        "Hook 0 (http) waits for example.com.",
        "It runs when another call there ends.",
    ),
    "about to run": ({}, HookCondition(), "Hook 0 (http) is about to run.", ""),
}


@pytest.mark.parametrize("what", HOOKS)
@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELED])
def test_a_hook_waits(what: str, state: State) -> None:
    fields, hook, sentence, ends = HOOKS[what]
    given = record(state, WEBHOOK, **fields)
    found = said(given, Condition(hooks=(hook,)), retries=HookRetryPolicy(attempts=9))
    beginning = "The video is ready." if state == State.COMPLETED else said(record(state)).sentence
    assert (found.sentence, found.ends) == (f"{beginning} {sentence}", ends)


def test_a_hook_says_that_it_waits_for_the_download() -> None:
    found = said(
        record("completed", {"type": "download"}, WEBHOOK, h0__attempts=1),
        Condition(hooks=(HookCondition(until=NOW + 9), HookCondition())),
    )
    assert found.sentence == "The video is ready. Hook 0 (download) is running. Another hook is not finished either."
    found = said(record("failed", {"type": "download"}, WEBHOOK, h0="retrying"), Condition(workers=False))
    assert "Hook 0 (download) waits: no worker is running." in found.sentence


def test_a_dead_hook_says_how_it_is_replayed() -> None:
    fields = {"h1": "dead", "h1:attempts": 12, "h1:error": "503", "h1:at": NOW - DAY, "h0": "delivered"}
    found = said(record("undelivered", {"type": "download"}, {**WEBHOOK, "endpoint": "crm"}, **fields))
    assert list(found) == [
        "The video is ready. Hook 1 (http crm) was dead-lettered at 2025-10-09 14:02 UTC, 12 attempts: 503.",
        "",
        f"Correct what it calls; then renderline dead replay {ONE} 1, or dead discard.",
    ]


ENDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "delivered": (
        {"t:completed": NOW - 6 * MINUTE},
        "Done: the video was ready at 13:56 UTC (6 min ago), 4 min after its acceptance.",
        "",
    ),
    "undelivered": ({}, "Done: the video was ready at 13:56 UTC (6 min ago), 4 min after its acceptance.", ""),
    "completed": ({}, "Done: the video was ready at 13:56 UTC (6 min ago), 4 min after its acceptance.", ""),
    "canceled": (
        {"t:submitting": NOW},
        "Canceled by anna at 13:56 UTC (6 min ago). The vendor may still finish and charge it.",
        "",
    ),
    "expired": (
        {"error_code": "deadline", "error_message": "not ready within 600 s", "error_origin": "renderline"},
        "Expired at 13:56 UTC (6 min ago): not ready within 600 s.",
        f"The vendor may still finish it: look there first. renderline retry {ONE} starts a new attempt, which is "
        "charged again. Another deadline needs a new request.",
    ),
    "failed": (
        {"error_code": "50010", "error_message": "No such voice.", "error_origin": "vendor"},
        "Failed at the vendor at 13:56 UTC (6 min ago): [50010] No such voice.",
        "The vendor refused it: correct the request, and enqueue it under another key. If it was right: "
        f"renderline retry {ONE} starts a new attempt, which is charged again.",
    ),
}


@pytest.mark.parametrize("state", ENDS)
def test_a_render_has_ended(state: str) -> None:
    fields, sentence, action = ENDS[state]
    assert list(said(record(state, **fields), Condition(ended_by="anna"))) == [sentence, "", action]


@pytest.mark.parametrize(
    ("code", "origin", "fields", "advice"),
    [
        ("unknown_name", "caller", {}, "Correct the request, and enqueue it under another key."),
        ("given_up", "caller", {}, "An operator gave it up."),
        ("unavailable_account", "renderline", {}, "Give a worker that account"),
        ("deadline", "renderline", {}, "goes on with what is there."),
        ("other", "renderline", {}, "The worker's log says more"),
        ("7001", "vendor", {"t:rendering": NOW - HOUR}, "The vendor had taken it, so it may succeed: renderline retry"),
        ("500", "vendor", {"error_message": "given up after 8 failures: oops"}, "The vendor failed repeatedly"),
    ],
)
def test_a_failure_says_who_can_do_what(code: str, origin: str, fields: dict[str, Any], advice: str) -> None:
    known = {"error_code": code, "error_message": "no", "error_origin": origin, **fields}
    assert advice in said(record("failed", **known)).action


def test_an_expired_one_that_may_have_been_charged_is_looked_up_first() -> None:
    known = {"error_message": "no sign", "error_origin": "renderline"}
    assert "whether it was charged" in said(record("expired", error_code="unconfirmed", **known)).action
    assert "download it" in said(record("expired", error_code="no_download_url", **known)).action


# -- nothing is forgotten


def test_every_state_is_in_a_table() -> None:
    shown = {"accepted", "submitting", "rendering", "unconfirmed", *ENDS}
    assert shown == set(State)


TURN = "Waits for its turn"
LAST = f"{TURN}, since at its last attempt: "
API = "waits for a worker that has the v2 credentials of its account"
NOTES = {
    "waits for its turn": TURN,
    "waits for its end": TURN,
    "waits for a worker that knows its account": TURN,
    API: f"W{API[1:]} main",
    "its account is paused": f"{LAST}its account is paused",
    "its account hangs, with as many submissions under way as one worker makes": (
        f"{TURN}: the calls of account main hang, with as many under way as one worker makes"
    ),
    "the circuit of its account is open, or the vendor asked it to wait": (
        f"{LAST}the circuit of its account is open, or the vendor asked it to wait"
    ),
    "the vendor refuses its account: X": f"{LAST}the vendor refuses its account: X",
    "all X renders that its account may have at the vendor at once are taken": (
        f"{LAST}all X renders that its account may have at the vendor at once are taken"
    ),
    "the rate limit of its account is used up": f"{TURN}: the vendor's 429 has slowed account main down",
    "quarantined: its record cannot be read": "Its record cannot be read, so no worker takes it",
}
"""What is said of a parked render with each note of the scripts, once its reason is over."""

POLL_NOTES = (
    "the poll result could not be recorded",
    "the vendor answered with the project of another render",
)


_WRITES = re.compile(
    r"\bpark\(id, (?P<parked>.+?)\)(?: end\)|$)|set(?:\(|, )id, 'note', (?P<noted>.+?)\)|\breason = (?P<why>['\"].+)$"
)
_LITERAL = re.compile(r"""'([^']*)'|"([^"]*)\"""")


def notes() -> set[str]:
    """Every note that the scripts write, with an X for what varies."""
    found = set()
    for script in (resources.files("renderline.ledger") / "scripts").iterdir():
        for line in script.read_text().splitlines():
            for written in _WRITES.finditer(line):
                parts = next(filter(None, written.groups())).split(" .. ")
                read = [_LITERAL.fullmatch(part) for part in parts]
                if any(read):
                    found.add("".join(one[1] or one[2] if one else "X" for one in read))
    return found


def test_every_note_of_the_scripts_is_in_a_table() -> None:
    assert notes() == {one.replace("the v2 credentials", "the X credentials") for one in (*NOTES, *POLL_NOTES)}


@pytest.mark.parametrize("note", NOTES)
def test_a_note_has_its_sentence(note: str) -> None:
    assert said(record("accepted", note=note), Condition(ahead=2)).sentence.startswith(NOTES[note])


@pytest.mark.parametrize("note", POLL_NOTES)
def test_a_note_of_a_poll_has_its_sentence(note: str) -> None:
    found = said(record("rendering", note=note, progress=1))
    assert found.sentence == f"The vendor is at 1 %. The last poll failed: {note}."


# -- foreign and odd


def test_a_submission_that_failed_is_tried_again() -> None:
    note = "POST /editor/project HTTP 500: oops"
    found = said(record("submitting", note=note), Condition(resend_at=NOW + 40))
    assert found.sentence == f"Its submission did not succeed yet: {note}."
    assert found.ends == "It is tried again by itself, at the latest at 14:02:40 UTC (in 40 s)."


def test_a_kind_of_a_later_version_waits_for_one() -> None:
    found = said(record("submitting", note="its kind hologram is not known to this worker"))
    assert found.sentence == "It waits for a worker of a later version: its kind hologram is not known to this worker."


def test_unreadable_and_unknown_ones_are_explained() -> None:
    assert "cannot be read" in said(unreadable_record(ONE, {"state": "rendering"})).sentence
    assert said(record("paused\x00")).sentence == "It is paused, a state that this version does not know."


def test_foreign_texts_are_cleaned_and_shortened() -> None:
    text = "\x1b[31m\ud800 <b>no</b>\r\n" + "long " * 400
    given = record("failed", error_code="x" * 500, error_message=text, error_origin="vendor")
    sentence = said(given).sentence
    assert sentence.isprintable()
    assert len(sentence) < 400
