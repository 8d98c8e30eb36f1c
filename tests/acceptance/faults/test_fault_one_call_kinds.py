"""A worker is killed in each stage of the kinds that take one call, and of drafts alone; nothing is charged twice.

A paid call without a draft is not made again, whatever became of it. So its render may stay without a sign, until its
deadline: better that than paid twice.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest

from harness import until
from harness.samples import example
from renderline import contract
from renderline.studio import StudioV2
from tests.acceptance.faults.crashes import AVATAR, CrashHarness, CrashSystem, wait_until_dead

AT_ONCE = 8
DEADLINE = 4.0
"""Seconds after which a render without a sign ends: longer than a lease."""

SPOKEN = {"language": "en", "text": "Hello.", "model": "M000045058"}
UPDATE = {"sceneIdx": 0, "property": "AIModel", "values": {"script": "Other words."}}
REQUESTS: dict[str, dict[str, Any]] = {
    "audio": {"kind": "audio", **SPOKEN},
    "v2_simple_audio": {"kind": "v2_simple_audio", **SPOKEN},
    "v2_simple_video": {"kind": "v2_simple_video", **SPOKEN, "clothes": "BG00006160"},
    "v2_edit": {"kind": "v2_edit", "updates": [UPDATE]},
    "simple_custom": {"kind": "simple_custom", **SPOKEN},
    "draft": {"kind": "project", "scenes": [{"script": "Hello.", "avatar": AVATAR}], "export": False},
}
ANSWER_LOST = "while the paid call is under way"


@dataclass(frozen=True)
class Kill:
    """Where a worker dies, how the render then ends, and how often it was charged."""

    kind: str
    at: str
    state: str = "delivered"
    charged: int = 1

    def __str__(self) -> str:
        return f"{self.kind}: {self.at}"


KILLS = [
    Kill("audio", "before submit_intend 1"),
    Kill("audio", "after submit_intend 1", "expired", 0),
    Kill("audio", ANSWER_LOST, "expired"),
    Kill("audio", "before submit_complete 1", "expired"),
    Kill("audio", "after submit_complete 1"),
    Kill("v2_simple_audio", "after submit_intend 1", "expired", 0),
    Kill("v2_simple_audio", ANSWER_LOST, "expired"),
    Kill("v2_simple_audio", "after submit_start 1"),
    Kill("v2_simple_video", "before submit_start 1", "expired"),
    Kill("v2_edit", "after submit_claim 1"),
    Kill("v2_edit", "before submit_advance 1"),
    Kill("v2_edit", "after submit_advance 1", "expired", 0),
    Kill("v2_edit", ANSWER_LOST),
    Kill("v2_edit", "before submit_start 1"),
    Kill("v2_edit", "after submit_start 1"),
    Kill("simple_custom", "before submit_advance 1"),
    Kill("simple_custom", "after submit_advance 1"),
    Kill("simple_custom", "before submit_start 1"),
    Kill("draft", "after submit_claim 1", charged=0),
    Kill("draft", "before submit_complete 1", charged=0),
    Kill("draft", "after submit_complete 1", charged=0),
]

LONG = {kill for kill in KILLS if kill.at == ANSWER_LOST}
LONG.add(Kill("v2_simple_audio", "after submit_intend 1", "expired", 0))
"""What others show too: before the write that follows an answered call, all stands as while its answer is on its way.
The intent of one kind with one call is as that of another."""


def request_for(system: CrashSystem, kill: Kill) -> dict[str, Any]:
    """Return the request; what it edits is made and rendered first."""
    request = {**REQUESTS[kill.kind], "deadline": DEADLINE if kill.state == "expired" else 60.0}
    hangs = "[sandbox:hang=20@export]" if kill.at == ANSWER_LOST else ""
    if kill.kind != "v2_edit":
        return {**request, "text": f"Hello. {hangs}"} if hangs else request
    studio = StudioV2(system.sandbox.url, secret_key=system.environ["AISTUDIOS_V2_SECRET_KEY"])
    key = studio.create_project(example("v2-seed-minimal.json"))
    studio.close()
    system.sandbox.control("POST", "complete", id=key)
    update = {**UPDATE, "values": {"script": f"Other words. {hangs}[sandbox:slow=900]"}}
    return {**request, "project_id": key, "updates": [update]}


def charged(system: CrashSystem) -> int:
    """Return how often the vendor started something that costs, for the accounts of this system."""
    key = hashlib.sha256(system.environ["AISTUDIOS_V2_SECRET_KEY"].encode()).hexdigest()[:8]
    accounts = system.sandbox.control("GET", "charges")["accounts"]
    found = [accounts[name] for name in (system.environ["AISTUDIOS_APP_ID"], f"v2:{key}") if name in accounts]
    return sum(sum(figures["started"].values()) for figures in found)


def send(system: CrashSystem, request: dict[str, Any]) -> None:
    """Send the request through the Celery door; a draft has nothing to download."""
    download = [] if request.get("export") is False else [{"type": "download"}]
    body = {"hooks": [*download, {"type": "http", "url": system.hook_endpoint.url}], **request}
    system.producer.send_task(contract.REQUEST, kwargs={"request": body, "key": system.key}, queue="requests")


@dataclass
class End:
    """How a render ended, and how often it was charged."""

    record: dict[str, Any]
    charged: int
    webhook_ids: list[str]


def run(crash_harness: CrashHarness, kill: Kill) -> End:
    """Kill a worker, start another one, and wait for the end."""
    system = crash_harness.system()
    try:
        request = request_for(system, kill)
        before = charged(system)
        if kill.at == ANSWER_LOST:
            victim = system.start()
            send(system, request)
            until(lambda: charged(system) > before, what=f"{kill} is under way")
            victim.kill()
        else:
            victim = system.start(failing=True, CRASH_AT=kill.at)
            send(system, request)
            wait_until_dead(victim, what=str(kill))
        system.start()
        if kill.kind == "v2_edit" and kill.state == "delivered":
            # The vendor has the new video under the URL of the old one: only its progress shows that it is another.
            until(lambda: (system.ledger.record(system.id) or {}).get("progress"), what=f"{kill}: progress")
            system.sandbox.control("POST", "complete", id=request["project_id"])
        until(system.settled, seconds=90, what=f"{kill} still {system.state()}")
        record = system.ledger.record(system.id)
        assert record is not None
        return End(record, charged(system) - before, crash_harness.webhook_ids(system.id))
    finally:
        system.close()


@pytest.fixture(scope="module")
def ends(crash_harness: CrashHarness, ahead: Any) -> dict[Kill, Future[End]]:
    """How each one that was asked for ended."""
    return ahead(lambda kill: run(crash_harness, kill), AT_ONCE)


@pytest.mark.parametrize(
    "kill", [pytest.param(kill, marks=[pytest.mark.chaos] if kill in LONG else []) for kill in KILLS], ids=str
)
def test_a_worker_killed_here_has_nothing_charged_twice(ends: dict[Kill, Future[End]], kill: Kill) -> None:
    end = ends[kill].result()
    assert (end.record["state"], end.charged) == (kill.state, kill.charged)
    assert len(set(end.webhook_ids)) == 1
    if kill.state == "expired":
        assert end.record["error"]["code"] == "unconfirmed"
    if kill.kind == "draft":
        assert (end.record["download_url"], end.record["project_id"] is not None) == (None, True)
