"""A worker dies in every vendor call of every kind's plan: nothing is charged twice, and nothing is lost.

Each case is a render in an account of its own, so that what the vendor charged can be counted. All calls are held at
the vendor at once; then the worker is killed, and another one goes on.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import Process, SandboxProcess, Valkey, until
from harness.fork_server import shared
from harness.forked_sandbox import ForkedSandbox
from renderline import contract
from renderline.kinds import KINDS
from renderline.ledger import Ledger
from renderline.producer import enqueue_renders
from renderline.renders import FINAL
from renderline.uploads import UploadStore
from tests.acceptance.faults.stage_kills import FLOWS, UPLOADS, Kill, hold, kills

MODES = ("two_phase", "direct")
DEADLINE = 32.0


def environ(directory: Path, valkey: Valkey, mode: str, cases: list[Kill]) -> dict[str, str]:
    return {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_ACCOUNTS": str(directory / "accounts.toml"),
        "RENDERLINE_SUBMIT": mode,
        "RENDERLINE_RENDER_DEADLINE": str(DEADLINE),
        "RENDERLINE_WORKER_CONCURRENCY": str(len(cases) + 8),
        "RENDERLINE_POLL_MIN": "0.6",
        # A paid call that a busy machine does not finish within it has an unknown outcome: so many are made at once.
        "RENDERLINE_LEASE": "7",
        "RENDERLINE_SLOW_LEASE": "7",
        "RENDERLINE_SWEEP_EVERY": "1",
        # Leases are short here.
        "RENDERLINE_WAIT_FOR_DISK": "never",
        "RENDERLINE_EVIDENCE_WINDOW": "5",
        "RENDERLINE_UPLOADS_URL": (directory / "uploads").as_uri(),
    }


def start(log: Path, settings: dict[str, str]) -> Process:
    """Start a worker, and wait until it takes messages."""
    worker = shared().start(",".join(contract.QUEUES), log, environ=settings)
    worker.wait_until(lambda: " ready." in worker.output(), what="worker ready")
    return worker


class Aftermath:
    """What became of every case of one mode."""

    def __init__(self, directory: Path, mode: str) -> None:
        self.cases = list(kills(mode))
        with Valkey(directory) as valkey:
            sandbox = ForkedSandbox(directory / "sandbox.log", "--render-seconds", "1.5")
            try:
                self._run(directory, valkey, sandbox, mode)
            finally:
                sandbox.stop()

    def _run(self, directory: Path, valkey: Valkey, sandbox: SandboxProcess, mode: str) -> None:
        (directory / "accounts.toml").write_text("".join(case.as_toml(sandbox.url) for case in self.cases))
        requests = [{**case.flow.request(case.base(sandbox.url)), "account": case.account} for case in self.cases]
        self.before = charges(sandbox, self.cases)
        uploads = UploadStore((directory / "uploads").as_uri(), max_bytes=10**6)
        for name, content in UPLOADS.items():
            uploads.put(name, iter([content]), tenant="default")
        hold(sandbox, self.cases)
        settings = environ(directory, valkey, mode, self.cases)
        first = start(directory / "first.log", settings)
        try:
            with Celery("producer", broker=valkey.url) as app:
                self.ids = dict(zip(self.cases, enqueue_renders(app, requests), strict=True))
            until(lambda: len(sandbox.control("GET", "held")) == len(self.cases), what="every call is held")
        finally:
            first.kill()
        self._after_the_kill(sandbox)
        second = start(directory / "second.log", settings)
        try:
            with Redis.from_url(valkey.url, decode_responses=True) as redis:
                ledger = Ledger(redis)
                left = list(self.ids.values())
                until(lambda: all_ended(ledger, left), seconds=3 * DEADLINE, what="every render has ended")
                self.records = {case: ledger.record(one) or {} for case, one in self.ids.items()}
        finally:
            second.kill()
        self.charged = charges(sandbox, self.cases)

    def _after_the_kill(self, sandbox: SandboxProcess) -> None:
        late = {(case.vendor_account, case.step.call) for case in self.cases if case.point == "late"}
        for held in sandbox.control("GET", "held"):
            sandbox.control("POST", "release", id=held["id"], forget=(held["account"], held["call"]) not in late)


def all_ended(ledger: Ledger, left: list[str]) -> bool:
    """Return whether all these renders have ended; takes those out of the list that have."""
    while left:
        record = ledger.record(left[-1])
        if not record or record["state"] not in FINAL:
            return False
        left.pop()
    return True


def charges(sandbox: SandboxProcess, cases: list[Kill]) -> dict[Kill, Counter[str]]:
    """Return how often the vendor began each sort of what costs, in the account of each case."""
    accounts = sandbox.control("GET", "charges")["accounts"]
    return {case: Counter(accounts.get(case.vendor_account, {}).get("started", {})) for case in cases}


@pytest.fixture(scope="module", params=MODES)
def aftermath(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    return Aftermath(tmp_path_factory.mktemp("stages"), request.param)


def test_every_kind_has_its_stages_here() -> None:
    assert FLOWS.keys() == KINDS.keys()
    for name, flow in FLOWS.items():
        paid = sum(stage.paid for stage in KINDS[name].two_phase)
        assert sum(step.paid for step in flow.steps) == paid, name
        assert bool(flow.direct) == (KINDS[name].direct != KINDS[name].two_phase), name


def test_nothing_is_charged_twice(aftermath: Aftermath) -> None:
    twice: dict[Any, Any] = {}
    for case in aftermath.cases:
        new = {sort: count - aftermath.before[case][sort] for sort, count in aftermath.charged[case].items()}
        if any(count > 1 for count in new.values()):
            twice[case.account] = (new, aftermath.records[case])
    assert twice == {}


def test_a_killed_worker_costs_no_render_but_one_that_left_no_trace(aftermath: Aftermath) -> None:
    wrong = {
        case.account: (record["state"], record["error"], record["note"], record["times"])
        for case, record in aftermath.records.items()
        if record["state"] != "delivered"
        and not (case.step.traceless and record["state"] == "expired" and record["error"]["code"] == "unconfirmed")
    }
    assert wrong == {}


def test_what_was_delivered_was_charged_once_for_each_paid_stage(aftermath: Aftermath) -> None:
    wrong = {}
    for case, record in aftermath.records.items():
        paid = sum(step.paid for step in case.steps)
        new = sum(aftermath.charged[case].values()) - sum(aftermath.before[case].values())
        if record["state"] == "delivered" and new != paid:
            wrong[case.account] = (paid, new, aftermath.charged[case])
    assert wrong == {}
