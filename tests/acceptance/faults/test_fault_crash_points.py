"""A worker is killed at every single step between "accepted" and "delivered"; another one keeps the promise.

The promise: one final state, at most one paid export, no draft left over, the hook delivered at least once and always
under the same id, within the lease and a sweep. Here the worker dies before or after each of its Redis writes,
publishes and acknowledgements; in test_fault_calls.py while each of its HTTP calls is under way.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness import until
from tests.acceptance.faults.crashes import (
    LEASE,
    RENDER,
    SWEEP,
    CrashHarness,
    CrashResult,
    CrashSystem,
    lists_of,
    recover,
    wait_until_dead,
)

AT_ONCE = 8
SETTLE = 10.0
"""Seconds within which an announced export that was never made is revoked and made again: window, deletion, draft."""
SLOW = 25.0
"""Seconds that a busy machine may add: two processes start, and eight crashes are tried at once."""


@dataclass(frozen=True)
class Scenario:
    """A way that a render can go: its request, what its end must be, and how long it takes without a crash."""

    name: str
    request: dict[str, Any] = field(default_factory=dict, hash=False)
    state: str = "delivered"
    exports: int = 1
    takes: float = 3.0
    environ: dict[str, str] = field(default_factory=dict, hash=False)
    lose: str = ""
    """A queue whose message is lost first, so that it is the sweep that sends it again."""

    @property
    def magic(self) -> dict[str, Any]:
        return {"name": self.name, **self.request}


SMOOTH = Scenario("smooth")
NAMES = Scenario("names", environ={"RENDERLINE_UNKNOWN_NAMES": "warn"})
# Slowly enough for the pump to go back to the queue between its polls.
WAITS = Scenario("waits", {"name": "[sandbox:slow=12]"}, takes=10.0, environ={"RENDERLINE_POLL_MIN": "1.2"})
DIRECT = Scenario("direct", environ={"RENDERLINE_SUBMIT": "direct"})
UNSEEN = Scenario("unseen", {"name": "[sandbox:drop]"})
LIMITED = Scenario("limited", {"name": "[sandbox:429=1@draft]"}, takes=9.0)
REFUSED = Scenario("refused", {"name": "[sandbox:refuse]"}, state="failed", exports=0)
REFUSED_EXPORT = Scenario("refused-export", {"name": "[sandbox:refuse@export]"}, state="failed", exports=0, takes=12.0)
EXPIRED = Scenario("expired", {"name": "[sandbox:stuck]", "deadline": 1.5}, state="expired", takes=6.0)
LOST_SUBMIT = Scenario("lost-submit", lose="submit", takes=3 + 2 * LEASE)
LOST_POLL = Scenario("lost-poll", lose="poll", takes=3 + 2 * LEASE)
LOST_HOOKS = Scenario("lost-hooks", lose="hooks", takes=3 + 2 * LEASE)

WRITES: dict[Scenario, list[tuple[str, int]]] = {
    SMOOTH: [
        # The door task: until `accept` nothing is promised, and the producer asks again.
        ("noted requests", 1),
        ("accept", 1),
        ("publish submit", 1),
        ("SETEX celery-task-meta-<id>", 1),
        ("acked requests", 1),
        # Submitting. `submit_claim` announces the draft, `submit_intend` again after the first token had to be fetched,
        # `submit_advance` the export.
        # Which accounts this worker knows, and the mark of its watch on the disk.
        ("capabilities_set", 1),
        ("SET renderline:disk_probe", 1),
        ("SET renderline:old_uploads", 1),
        ("forgetting_claim", 1),
        # What a worker sends itself to see that its connection delivers; the timeline, for which nothing waits.
        ("publish canary", 1),
        ("timeline_note", 1),
        ("noted submit", 1),
        ("circuit", 1),
        ("submit_claim", 1),
        ("submit_intend", 1),
        ("SET renderline:token:default:lock", 1),
        ("unlock renderline:token:default:refusals", 1),
        ("HSET renderline:token:default", 1),
        ("unlock renderline:token:default:lock", 1),
        ("submit_advance", 1),
        ("submit_start", 1),
        ("publish poll", 1),
        ("acked submit", 1),
        # The poll that finds it done.
        ("noted poll", 1),
        ("poll_claim", 1),
        ("poll_record", 1),
        ("publish hooks", 1),
        ("pump_sleep", 1),
        ("acked poll", 1),
        # The chain: the download, then the call.
        ("hook_queue", 1),
        ("noted hooks", 1),
        ("hook_claim", 1),
        # The file's name is claimed; after that, and before the record, the file gets it.
        ("SET renderline:stored_file:<id>", 1),
        ("hook_record", 1),
        ("hook_take", 1),
        ("publish hooks", 2),
        ("acked hooks", 1),
        ("noted hooks", 2),
        ("hook_claim", 2),
        ("hook_record", 2),
        ("acked hooks", 2),
    ],
    # The vendor's pick lists are read before the first call, and again in the background.
    NAMES: [
        ("SADD renderline:wanted_lists:default", 1),
        ("backoff_left", 1),
        ("SPOP renderline:wanted_lists:default", 1),
        ("SCARD renderline:wanted_lists:default", 1),
        ("SET renderline:catalogue:default:models:lease", 1),
        ("DEL renderline:catalogue:default:models:failure", 1),
        ("unlock renderline:catalogue:default:models:lease", 1),
    ],
    WAITS: [("poll_record", 1), ("pump_sleep", 1), ("publish poll", 2), ("acked poll", 1)],
    DIRECT: [("submit_intend", 1), ("submit_start", 1)],
    UNSEEN: [("submit_start", 1), ("publish poll", 1), ("poll_record", 1)],
    LIMITED: [("submit_release", 1), ("publish submit", 2), ("acked submit", 1)],
    REFUSED: [("fail", 1), ("publish hooks", 1)],
    REFUSED_EXPORT: [("fail", 1)],
    EXPIRED: [("publish hooks", 1)],
    # The sweep, which runs in every worker; here a render waits for it.
    LOST_SUBMIT: [
        ("sweep_turn", 1),
        ("sweep_lost", 1),
        ("sweep_stalled", 1),
        ("publish submit", 1),
        ("sweep_overdue", 1),
        ("sweep_pumps", 1),
        ("unpark", 1),
        ("sweep_forget", 1),
        ("sweep_end", 1),
    ],
    LOST_POLL: [("publish poll", 1)],
    LOST_HOOKS: [("publish hooks", 1)],
}


@dataclass(frozen=True)
class Crash:
    """Where a worker dies."""

    flow: Scenario
    side: str
    write: str
    nth: int

    def __str__(self) -> str:
        return f"{self.flow.name}: {self.side} {self.write} {self.nth}"

    @property
    def bound(self) -> float:
        """Within how many seconds of the crash the render must have ended."""
        # An export that was announced and never made is made again once its draft was revoked.
        announced = self in (Crash(SMOOTH, "after", "submit_advance", 1), Crash(SMOOTH, "before", "submit_start", 1))
        announced = announced or (self.flow is DIRECT)
        return LEASE + 1 + SWEEP + self.flow.takes + (SETTLE + 2 if announced else 0) + SLOW


BEFORE = {
    # A message left the queue.
    (SMOOTH, "noted requests"),
    (SMOOTH, "noted submit"),
    (SMOOTH, "noted poll"),
    (SMOOTH, "noted hooks"),
    # The vendor answered, or the endpoint of a hook. The draft, the export and its progress: see
    # test_fault_calls.py, where their answers are lost.
    (SMOOTH, "HSET renderline:token:default"),
    (SMOOTH, "hook_record"),
    (NAMES, "DEL renderline:catalogue:default:models:failure"),
    (DIRECT, "submit_start"),
    (REFUSED_EXPORT, "fail"),
    # What comes before is no point of its own.
    (EXPIRED, "publish hooks"),
    (LOST_POLL, "publish poll"),
    (LOST_HOOKS, "publish hooks"),
}
"""The writes before which a worker did something outside of Redis. Before any other write all stands as after the one
in front of it, where a worker dies too: `make chaos` tries both."""


def _short(at: Crash) -> bool:
    # A direct submission that was announced and never made leaves no trace: see below.
    return at.side == "after" or (at.flow, at.write) in BEFORE or (at.flow, at.write) == (DIRECT, "submit_intend")


CRASHES = [
    pytest.param(at, marks=() if _short(at) else pytest.mark.chaos)
    for flow, writes in WRITES.items()
    for write, nth in writes
    for at in (Crash(flow, "before", write, nth), Crash(flow, "after", write, nth))
    # A direct submission that was announced and never made leaves no trace: it stays unconfirmed until its deadline.
    if at != Crash(DIRECT, "after", "submit_intend", 1)
]


def lose_message(system: CrashSystem, flow: Scenario) -> None:
    """Bring the render to where the flow's message is queued, and take the message away."""
    before = {"submit": "requests", "poll": "requests,submit", "hooks": "requests,submit,poll"}[flow.lose]
    worker = system.start(queues=before)
    system.send(flow.magic)
    until(lambda: system.waiting(flow.lose), what=f"a message in {flow.lose}")
    worker.kill()
    system.redis.delete(*lists_of(flow.lose), "unacked", "unacked_index", "renderline:sweep", "renderline:sweep:lock")
    if flow is LOST_SUBMIT:
        until(system.stands_still, what="the first sweep of the next worker will find it")


def crash(crash_harness: CrashHarness, at: Crash) -> CrashResult:
    """Run one render into the crash and out of it."""
    system = crash_harness.system(**at.flow.environ)
    try:
        if at.flow.lose:
            lose_message(system, at.flow)
        victim = system.start(failing=True, CRASH_AT=f"{at.side} {at.write} {at.nth}")
        if not at.flow.lose:
            system.send(at.flow.magic)
        wait_until_dead(victim, what=str(at))
        return recover(crash_harness, system, at.flow.magic, seconds=at.bound + 60)
    finally:
        system.close()


@pytest.fixture(scope="module")
def outcomes(crash_harness: CrashHarness, ahead: Any) -> dict[Crash, Future[CrashResult]]:
    """How each one that was asked for ended."""
    return ahead(lambda at: crash(crash_harness, at), AT_ONCE)


@pytest.mark.parametrize("at", CRASHES, ids=str)
def test_a_worker_killed_here_costs_only_time(
    outcomes: dict[Crash, Future[CrashResult]], at: Crash, record_property: Any
) -> None:
    outcome = outcomes[at].result()
    record_property("recovered_in", round(outcome.recovered_in, 2))

    assert outcome.record["state"] == at.flow.state
    assert outcome.exports == [1] * at.flow.exports
    assert outcome.drafts == 0
    assert len(outcome.webhook_ids) >= 1
    assert len(set(outcome.webhook_ids)) == 1
    assert [hook["state"] for hook in outcome.record["hooks"]][-1] == "delivered"
    assert not any(outcome.left.values()), outcome.left
    assert outcome.recovered_in < at.bound


def writes_of(crash_harness: CrashHarness, flow: Scenario) -> set[str]:
    """Return every write of a worker that takes a render through a flow."""
    system = crash_harness.system(**flow.environ)
    try:
        noted = system.directory / "writes"
        system.start(failing=True, WRITES_TO=str(noted))
        system.send(flow.magic)
        until(system.settled, what="delivered")
        until(system.quiet, what="all acknowledged")
        until(lambda: noted.read_text().count("sweep_end") >= 2, what="sweeps")
        assert float(system.environ["RENDERLINE_POLL_MIN"]) > RENDER
        # On a busy machine a hook takes long enough to renew its claim.
        return set(noted.read_text().splitlines()) - {"hook_renew"}
    finally:
        system.close()


PLAIN = {write for flow in (SMOOTH, LOST_SUBMIT) for write, _ in WRITES[flow]}


def test_every_write_of_a_run_is_among_the_crash_points(crash_harness: CrashHarness) -> None:
    assert writes_of(crash_harness, SMOOTH) == PLAIN


def test_every_write_of_a_run_that_checks_names_is_among_them_too(crash_harness: CrashHarness) -> None:
    assert writes_of(crash_harness, NAMES) - PLAIN == {write for write, _ in WRITES[NAMES]}
