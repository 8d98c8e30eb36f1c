"""A ledger whose time the test drives, and the core's use cases against the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.accounts.token import SharedToken
from renderline.drafts import project_name
from renderline.kinds import Order
from renderline.ledger import AccountLimits, Commands, DuePoll, Entry, Ledger, PollResult, PumpWake, Submission
from renderline.polling.confirmation import Confirmation
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.renders import FINAL
from renderline.requests import RenderRequest, load_request
from renderline.retry import RetryPolicy
from renderline.studio import StudioV2, StudioV3, TokenEndpoint
from renderline.submission.outcome import Outcome, Submitted
from renderline.submission.submitter import Submitter
from tests.bendable_vendor import BendableVendor
from tests.parts import ROOT, SandboxProcess, Valkey

GRACE = 30.0
LEASE = 20.0
USER_KEY = "5c1d2e3f-0000-4000-8000-a1b2c3d4e5f6"


class Clock:
    """The ledger's time, which passes only when told to."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Book:
    """A ledger with its clock, and short ways to bring a render into a state."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.clock = redis, Clock()
        self.ledger = Ledger(redis, grace=GRACE, clock=self.clock)
        self.operations, self.flow = Commands(self.ledger), AccountLimits(self.ledger)

    def accept(
        self,
        one: str = "r1",
        *,
        hooks: int | tuple[str, ...] = 0,
        account: str = "main",
        priority: str = "normal",
        deadline: float = 600.0,
        fingerprint: str = "f1",
    ) -> bool:
        kinds = hooks if isinstance(hooks, tuple) else ("http",) * hooks
        entry = self.entry(one, kinds, account, priority, deadline, fingerprint)
        return self.ledger.accept(**vars(entry))

    @staticmethod
    def entry(
        one: str,
        hooks: tuple[str, ...] = (),
        account: str = "main",
        priority: str = "normal",
        deadline: float = 600.0,
        fingerprint: str = "f1",
    ) -> Entry:
        meta = {"name": f"Render {one}", "hooks": [{"type": kind} for kind in hooks], "metadata": {"order": one}}
        return Entry(one, "project", account, priority, deadline, meta, '{"scenes":[]}', fingerprint)

    def claim(self, one: str = "r1") -> Submission:
        claim = self.ledger.begin_submission(one, lease=LEASE)
        assert isinstance(claim, Submission)
        return claim

    def started(self, one: str = "r1", *, confirmed: bool = True, look_in: float = 2.0) -> PumpWake | None:
        claim = self.claim(one)
        assert self.ledger.intend(claim, "draft", lease=LEASE)
        assert self.ledger.advance(claim, stage="export", project_id=f"p-{one}")
        assert self.ledger.intend(claim, "export", lease=LEASE)
        recorded, kick = self.ledger.start(claim, confirmed=confirmed, project_id=f"p-{one}", look_in=look_in)
        assert recorded
        return kick

    def started_all(self, *names: str) -> PumpWake:
        """Accept and start renders, all due at the same time; returns the one pump that this takes."""
        kicks = [self.started(one) for one in names if self.accept(one)]
        (kick,) = [kick for kick in kicks if kick]
        return kick

    def look(self, kick: PumpWake, *, limit: int = 64) -> Sequence[DuePoll]:
        """Let the kick's delay pass and claim what is due."""
        self.clock.forward(kick.delay)
        batch = self.ledger.claim_due(kick.account, slot=kick.slot, ticket=kick.ticket, limit=limit, lease=LEASE)
        assert batch is not None
        return batch.looks

    def look_again(self, seconds: float = 2 * GRACE) -> Sequence[DuePoll]:
        """Let so much time pass that the pumps count as dead, and have the sweep start one."""
        self.clock.forward(seconds)
        return self.look(self.ledger.pumps()[0])

    def find(self, look: DuePoll, verdict: str, **details: Any) -> list[tuple[str, str]]:
        return self.ledger.record_findings([PollResult(look.id, look.epoch, verdict, **details)])

    def completed(self, one: str = "r1", *, hooks: int | tuple[str, ...] = 1) -> None:
        self.accept(one, hooks=hooks)
        kick = self.started(one)
        assert kick
        (look,) = self.look(kick)
        assert self.find(look, "done", url="https://v/1.mp4")

    def state(self, one: str = "r1") -> str:
        record = self.ledger.record(one)
        assert record
        return str(record["state"])

    def record(self, one: str = "r1") -> dict[str, Any]:
        record = self.ledger.record(one)
        assert record
        return record

    def stands(self, name: str, one: str = "r1") -> float | None:
        """Return the score of a render in one of the ledger's sorted sets, None if it is not in it."""
        score = self.redis.zscore(f"{self.ledger.prefix}{name}", one)
        return None if score is None else float(score)

    def sound(self, one: str = "r1") -> None:
        """Assert that the indexes agree with the record, so that somebody will find the render again."""
        state = self.state(one)
        prefix = f"{self.ledger.prefix}state:"
        indexed = [key for key in self.redis.scan_iter(f"{prefix}*") if self.redis.zscore(key, one) is not None]
        assert indexed == [f"{prefix}{state}"]
        account = self.record(one)["account"]
        followed = {name for name in (f"due:{account}", "deadline") if self.stands(name, one) is not None}
        woken = self.stands("wake", one) is not None
        if state in ("rendering", "unconfirmed"):
            assert followed == {f"due:{account}", "deadline"}
        else:
            assert not followed
            owed = state not in ("accepted", "submitting") and self.ledger.owed_hooks([one])[0]
            if state in ("accepted", "submitting", "completed") or (owed and state != "canceled"):
                assert woken, f"{state}, and nothing will ever wake it"
        if state in ("accepted", "completed", "delivered", "undelivered", "failed", "expired", "canceled"):
            assert not self.redis.sismember(f"{self.ledger.prefix}slots:{account}", one)


@pytest.fixture
def new_book(redis: Redis) -> Callable[[], Book]:
    """Start over with an empty ledger."""

    def new() -> Book:
        redis.flushall()
        return Book(redis)

    return new


@pytest.fixture
def book(redis: Redis) -> Book:
    return Book(redis)


@pytest.fixture
def rendering(book: Book) -> DuePoll:
    """A render that is due for its first look, and the look."""
    book.accept()
    kick = book.started()
    assert kick is not None
    (look,) = book.look(kick)
    return look


@dataclass
class Stage:
    """The core in this process, without Celery: what the tasks would do is done by calling it."""

    redis: Redis
    sandbox: SandboxProcess | BendableVendor
    mode: str = "two_phase"
    settle: float = 0.3
    user_key: str = USER_KEY
    app_id: str = "studio.acme"
    first_look: float = 0.02
    read_timeout: float = 5.0
    failures: int = 10_000
    """Failed calls that open the circuit; tests that are not about it do not wait for its probes."""
    clock: Callable[[], float] | None = None
    window: float | None = None
    resubmit_after: float | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.redis, grace=GRACE, clock=self.clock)
        self.flow = AccountLimits(self.ledger)
        self.guard = Guard("main", self.flow, CircuitBreaker(self.flow, "main", failures=self.failures))
        seen = {"observer": self.guard.saw, "read_timeout": self.read_timeout}
        issuer = TokenEndpoint(self.sandbox.url, app_id=self.app_id, user_key=self.user_key, observer=self.guard.saw)
        self.tokens = SharedToken(self.redis, issuer, account="main")
        self.v3 = StudioV3(self.sandbox.url, tokens=self.tokens, **seen)
        self.v2 = StudioV2(self.sandbox.url, secret_key="v2-key-0123456789", **seen)
        self.accounts = {"main": AccountClients("main", self.v3, self.v2, guard=self.guard)}
        self.submitter = self.new_submitter()
        self.policy = PollPolicy(first=0.02, least=0.02, most=0.2, settle=self.settle)
        self.poller = Poller(
            ledger=self.ledger,
            durations=Durations(self.ledger),
            accounts=self.accounts,
            policy=self.policy,
            lease=5.0,
            settlement=Confirmation(
                self.ledger,
                self.policy,
                window=self.settle if self.window is None else self.window,
                lease=5.0,
                resubmit_after=self.resubmit_after,
            ),
            threads=8,
        )
        self.moved: list[tuple[str, str]] = []
        self.kicks: list[PumpWake] = []

    def new_submitter(self, **changes: Any) -> Submitter:
        given: dict[str, Any] = {
            "ledger": self.ledger,
            "accounts": self.accounts,
            "mode": self.mode,
            "lease": 30.0,
            "policy": PollPolicy(first=self.first_look),
            "durations": Durations(self.ledger),
            "retries": RetryPolicy(attempts=30, base=0.05, cap=0.2),
        }
        return Submitter(**{**given, **changes})

    def accept(self, data: dict[str, Any], one: str, *, deadline: float = 60.0, account: str = "main") -> str:
        request = load_request({"account": account, **data}, accounts=[account], hook_kinds={}, max_bytes=1 << 20)
        self.ledger.accept(
            one,
            kind=request.kind,
            account=request.account,
            priority=request.priority,
            deadline=request.deadline or deadline,
            meta={"name": request.name, "hooks": [], "metadata": {}},
            body=request.to_json(),
            fingerprint=request.fingerprint(),
        )
        return one

    def submit(self, one: str) -> Outcome:
        outcome = self.submitter.submit(one)
        if isinstance(outcome, Submitted) and outcome.kick:
            self.kicks.append(outcome.kick)
        return outcome

    def poll_until(self, one: str, *states: str, seconds: float = 60.0) -> dict[str, Any]:
        """Run the pumps as their messages would until the render is in one of the states."""
        give_up = time.monotonic() + seconds
        while (record := self.record(one))["state"] not in states:
            assert time.monotonic() < give_up, record
            if record["state"] in ("accepted", "submitting"):
                self.submit(one)
            if not self.kicks:
                self.kicks += self.ledger.pumps()
            for kick in [self.kicks.pop() for _ in range(len(self.kicks))]:
                self._pump(kick)
        return record

    def run_all(self, ids: Iterable[str], *, seconds: float) -> None:
        """Do what the tasks and the sweep would do, with threads, until all renders have come to their end."""
        give_up = time.monotonic() + seconds
        left = list(ids)
        with ThreadPoolExecutor(12) as pool:
            while left := [one for one in left if self.record(one)["state"] not in FINAL]:
                assert time.monotonic() < give_up, [self.record(one) for one in left]
                waiting = [one for one in left if self.record(one)["state"] in ("accepted", "submitting")]
                kicks, self.kicks = self.kicks or self.ledger.pumps(), []
                pumps = [pool.submit(self._pump, kick) for kick in kicks]
                list(pool.map(self.submit, waiting))
                for pump in pumps:
                    pump.result(30)
                time.sleep(0.01)

    def close(self) -> None:
        self.poller.close()
        self.v3.close()
        self.v2.close()

    def _pump(self, kick: PumpWake) -> None:
        time.sleep(min(kick.delay, 0.5))
        rest = self.poller.run(
            kick.account, slot=kick.slot, ticket=kick.ticket, moved=self.moved.extend, kick=self.kicks.append
        )
        if rest:
            self.kicks.append(PumpWake(kick.account, kick.slot, rest.ticket, rest.delay))

    def record(self, one: str) -> dict[str, Any]:
        record = self.ledger.record(one)
        assert record
        return record

    def claim(self, one: str) -> Submission:
        claim = self.ledger.begin_submission(one, lease=30.0)
        assert isinstance(claim, Submission)
        return claim

    def intend(self, claim: Submission, stage: str) -> None:
        assert self.ledger.intend(claim, stage, lease=30.0)

    def order(self, claim: Submission) -> Order:
        """Return what the submitter would hand to the stages of this claim's plan."""
        request = RenderRequest.from_json(claim.body)
        return Order(request, project_name(claim.name, claim.id), None, claim.project_id)

    def lapse(self, one: str) -> None:
        """Let the lease on a submission end, as time would."""
        self.redis.hset(f"{self.ledger.prefix}render:{one}", "lease_until", "0")

    def seen(self, name: str = "") -> list[dict[str, Any]]:
        """Return what the sandbox knows of the projects with this in their name."""
        return [project for project in self.sandbox.projects() if name in project["name"]]

    def exports(self) -> int:
        return int(self.sandbox.control("GET", "stats")["exports"])


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for the tests of a module; `stage` resets it."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox") / "sandbox.log", "--render-seconds", "0.3")
    yield process
    process.stop()


@pytest.fixture
def new_stage(redis: Redis, shared_sandbox: SandboxProcess) -> Iterator[Callable[..., Stage]]:
    """Set the core up against the module's sandbox, which remembers nothing of the test before."""
    shared_sandbox.control("DELETE", "faults")
    shared_sandbox.control("POST", "reset")
    shared_sandbox.control("POST", "outage", on=False)
    made: list[Stage] = []

    def new(**options: Any) -> Stage:
        made.append(Stage(redis, shared_sandbox, **options))
        return made[-1]

    yield new
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def stage_class() -> type[Stage]:
    """For fixtures of a wider scope than a test."""
    return Stage


@pytest.fixture
def stage(new_stage: Callable[..., Stage]) -> Stage:
    return new_stage()


def example(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "examples" / name).read_text())


@pytest.fixture(scope="session")
def examples() -> Callable[[str], dict[str, Any]]:
    """Read one of the example payloads."""
    return example


@pytest.fixture
def module_path() -> Path:
    return ROOT


@pytest.fixture
def valkey_url(valkey: Valkey) -> str:
    return valkey.url
