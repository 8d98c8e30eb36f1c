"""A worker is killed while one of its HTTP calls is under way, stopped from outside: the other end keeps it back.

The call may not have arrived yet (and then never does, or does after its caller has died), or it was processed and its
answer is lost.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from harness import until
from tests.acceptance.faults.crashes import LEASE, SWEEP, CrashHarness, CrashResult, recover

AT_ONCE = 8
SETTLE = 12.0
SLOW = 8.0

V3 = "/api/odin/v3"
CALLS = {
    # what is called: the route, and the name of a project in whose run it is called
    "token": (f"POST {V3}/auth/token", "plain"),
    "draft": (f"POST {V3}/editor/project", "plain"),
    "export": (f"POST {V3}/editor/project/export", "plain"),
    "progress": (f"GET {V3}/editor/progress/{{key}}", "plain"),
    "project": (f"GET {V3}/editor/project/{{key}}", "[sandbox:drop]"),
    "list": (f"GET {V3}/editor/project", "[sandbox:drop@draft]"),
    "delete": (f"DELETE {V3}/editor/project", "[sandbox:refuse@export]"),
    "download": ("GET /files/{projectId}.mp4", "plain"),
}
Fate = Literal["never arrives", "arrives late", "answer lost"]


@dataclass(frozen=True)
class Call:
    """A call during which the worker is killed, and what becomes of the call."""

    name: str
    fate: Fate

    def __str__(self) -> str:
        return f"{self.name} {self.fate}"


WRITING = {"draft", "export", "delete"}
READING: dict[str, Fate] = {
    "token": "never arrives",
    "progress": "answer lost",
    "project": "arrives late",
    "list": "answer lost",
    "download": "never arrives",
}
"""What is read is the same whatever becomes of the call: one fate stands for the others, which `make chaos` tries."""
HELD = [
    pytest.param(call, marks=() if name in WRITING or fate == READING[name] else pytest.mark.chaos)
    for name in CALLS
    for fate in ("never arrives", "arrives late", "answer lost")
    for call in [Call(name, fate)]
]
WITHOUT_ACCOUNT = {"token", "download"}
"""Calls in which the sandbox sees no account: each is held in a sandbox of its own."""


def kill_during(crash_harness: CrashHarness, call: Call) -> CrashResult:
    """Kill a worker while its call is kept back, then let the call's fate take its course."""
    route, name = CALLS[call.name]
    sandbox = crash_harness.own_sandbox() if call.name in WITHOUT_ACCOUNT else crash_harness.sandbox
    system = crash_harness.system(sandbox=sandbox)
    account = "" if call.name in WITHOUT_ACCOUNT else system.environ["AISTUDIOS_APP_ID"]
    try:
        fault = "hold" if call.fate == "answer lost" else "hold-before"
        sandbox.control("POST", "faults", call=route, fault=fault, times=1, account=account)
        victim = system.start()
        system.send({"name": name})
        held = until(
            lambda: [one for one in sandbox.control("GET", "held") if one["account"] == account],
            what=f"{call} is under way",
        )
        victim.kill()

        def let_go() -> None:
            for one in held:
                sandbox.control("POST", "release", id=one["id"], forget=call.fate != "arrives late")

        # A draft that arrives after another was made in its system is an orphan; the others arrive at once.
        orphan = call == Call("draft", "arrives late")
        if not orphan:
            let_go()
        return recover(crash_harness, system, {"name": name}, seconds=90, afterwards=let_go if orphan else lambda: None)
    finally:
        system.close()
        if sandbox is not crash_harness.sandbox:
            sandbox.stop()


def kill_during_hook(crash_harness: CrashHarness) -> CrashResult:
    """Kill a worker while the hook endpoint of its hook has taken the delivery and not answered yet."""
    system = crash_harness.system()
    taken, answer = threading.Event(), threading.Event()

    def hold(body: dict[str, Any]) -> int:
        if body["data"]["id"] == system.id and not taken.is_set():
            taken.set()
            answer.wait(60)
        return 204

    crash_harness.hook_endpoint.answer = hold
    try:
        victim = system.start()
        system.send({})
        assert taken.wait(20)
        victim.kill()
        answer.set()
        return recover(crash_harness, system, {}, seconds=60)
    finally:
        answer.set()
        system.close()


@pytest.fixture(scope="module")
def outcomes(crash_harness: CrashHarness, ahead: Any) -> dict[Call, Future[CrashResult]]:
    """How each one that was asked for ended."""
    return ahead(lambda call: kill_during(crash_harness, call), AT_ONCE)


@pytest.mark.parametrize("call", HELD, ids=str)
def test_a_worker_killed_during_a_vendor_call_costs_only_time(
    outcomes: dict[Call, Future[CrashResult]], call: Call, record_property: Any
) -> None:
    outcome = outcomes[call].result()
    record_property("recovered_in", round(outcome.recovered_in, 2))

    refused = call.name == "delete"
    assert outcome.record["state"] == ("failed" if refused else "delivered")
    assert outcome.exports == ([] if refused else [1])
    assert outcome.drafts == 0
    assert len(set(outcome.webhook_ids)) == 1
    assert not any(outcome.left.values()), outcome.left
    # An export of which nothing is seen is made again once its draft was revoked.
    settling = SETTLE if call == Call("export", "never arrives") else 0
    assert outcome.recovered_in < LEASE + 1 + SWEEP + 3 + settling + SLOW


def test_a_worker_killed_while_the_receiver_answers_delivers_again_under_the_same_id(
    crash_harness: CrashHarness,
) -> None:
    outcome = kill_during_hook(crash_harness)

    assert outcome.record["state"] == "delivered"
    assert outcome.exports == [1]
    assert len(outcome.webhook_ids) == 2
    assert len(set(outcome.webhook_ids)) == 1
    assert outcome.recovered_in < LEASE + 1 + SWEEP + 1 + SLOW
