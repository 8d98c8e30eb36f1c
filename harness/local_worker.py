"""A worker's use cases, without Celery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from redis import Redis

from harness.fake_vendor import FakeVendor
from harness.ledger import GRACE
from harness.processes import SandboxProcess
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.accounts.token import SharedToken
from renderline.drafts import project_name
from renderline.kinds import KINDS, CallContext
from renderline.ledger import AccountLimits, Ledger, PumpWake, Submission, TransitionLog
from renderline.observer import Observers
from renderline.polling.confirmation import Confirmation
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.renders import FINAL
from renderline.requests import load_body_json
from renderline.retry import RetryPolicy
from renderline.studio import StudioV2, StudioV3, TokenEndpoint
from renderline.submission.outcome import Outcome
from renderline.submission.submitter import Submitter

USER_KEY = "5c1d2e3f-0000-4000-8000-a1b2c3d4e5f6"


@dataclass
class LocalWorker:
    """The use cases in this process, without Celery: a call does the work of a task."""

    redis: Redis
    sandbox: SandboxProcess | FakeVendor
    mode: str = "two_phase"
    settle: float = 0.3
    user_key: str = USER_KEY
    app_id: str = "studio.acme"
    first_look: float = 0.02
    read_timeout: float = 5.0
    failures: int = 10_000
    """Failed calls that open the circuit; high, so that most tests need not wait for its probes."""
    clock: Callable[[], float] | None = None
    window: float | None = None
    resubmit_after: float | None = None
    rate_limit: Any = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.redis, grace=GRACE, clock=self.clock, observer=Observers((TransitionLog(),)))
        self.limits = AccountLimits(self.ledger)
        breaker = CircuitBreaker(self.limits, "main", failures=self.failures)
        self.guard = Guard("main", self.limits, breaker, self.rate_limit)
        guarded = {"guard": self.guard, "read_timeout": self.read_timeout}
        issuer = TokenEndpoint(self.sandbox.url, app_id=self.app_id, user_key=self.user_key, guard=self.guard)
        self.tokens = SharedToken(self.redis, issuer, account="main")
        self.v3 = StudioV3(self.sandbox.url, tokens=self.tokens, **guarded)
        self.v2 = StudioV2(self.sandbox.url, secret_key="v2-key-0123456789", **guarded)
        self.accounts = {"main": AccountClients("main", self.v3, self.v2, guard=self.guard)}
        self.dispatcher = RecordedDispatcher()
        self.moved, self.wakes = self.dispatcher.changes, self.dispatcher.wakes
        self.submitter = self.new_submitter()
        self.policy = PollPolicy(first_interval=0.02, min_interval=0.02, max_interval=0.2, confirm_interval=self.settle)
        self.poller = Poller(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            durations=Durations(self.ledger),
            accounts=self.accounts,
            policy=self.policy,
            lease=5.0,
            confirmation=Confirmation(
                self.ledger,
                self.policy,
                window=self.settle if self.window is None else self.window,
                lease=5.0,
                resubmit_after=self.resubmit_after,
            ),
            threads=8,
        )

    def new_submitter(self, **changes: Any) -> Submitter:
        given: dict[str, Any] = {
            "ledger": self.ledger,
            "dispatcher": self.dispatcher,
            "accounts": self.accounts,
            "mode": self.mode,
            "lease": 30.0,
            "policy": PollPolicy(first_interval=self.first_look),
            "durations": Durations(self.ledger),
            "retries": RetryPolicy(attempts=30, base=0.05, cap=0.2),
        }
        return Submitter(**{**given, **changes})

    def accept(self, data: dict[str, Any], one: str, *, deadline: float = 60.0, account: str = "main") -> str:
        return record(self.ledger, one, data, account=account, deadline=deadline)

    def submit(self, one: str) -> Outcome:
        return self.submitter.submit(one)

    def poll_until(
        self, one: str, *states: str, progress: float | None = None, seconds: float = 60.0
    ) -> dict[str, Any]:
        """Run the pumps as their messages would, until the render is in one of the states or has this progress."""
        give_up = time.monotonic() + seconds
        while (record := self.record(one))["state"] not in states:
            if progress is not None and record["progress"] >= progress:
                break
            assert time.monotonic() < give_up, record
            if record["state"] in ("accepted", "submitting"):
                self.submit(one)
            if not self.wakes:
                self.wakes += self.ledger.restart_pumps()
            for wake in [self.wakes.pop() for _ in range(len(self.wakes))]:
                self._pump(wake)
        return record

    def run_all(self, ids: Iterable[str], *, seconds: float) -> None:
        """Do the work of tasks and sweep, in threads, until all renders have ended."""
        give_up = time.monotonic() + seconds
        left = list(ids)
        with ThreadPoolExecutor(12) as pool:
            while left := [one for one in left if self.record(one)["state"] not in FINAL]:
                assert time.monotonic() < give_up, [self.record(one) for one in left]
                waiting = [one for one in left if self.record(one)["state"] in ("accepted", "submitting")]
                wakes = [self.wakes.pop() for _ in range(len(self.wakes))] or self.ledger.restart_pumps()
                pumps = [pool.submit(self._pump, wake) for wake in wakes]
                list(pool.map(self.submit, waiting))
                for pump in pumps:
                    pump.result(30)
                time.sleep(0.01)

    def close(self) -> None:
        self.poller.close()
        self.v3.close()
        self.v2.close()

    def _pump(self, wake: PumpWake) -> None:
        time.sleep(min(wake.delay, 0.5))
        rest = self.poller.run(wake.account, slot=wake.slot, ticket=wake.ticket)
        if rest:
            self.wakes.append(PumpWake(wake.account, wake.slot, rest.ticket, rest.delay))

    def record(self, one: str) -> dict[str, Any]:
        record = self.ledger.record(one)
        assert record
        return record

    def claim(self, one: str) -> Submission:
        claim = self.ledger.claim_submission(one, lease=30.0)
        assert isinstance(claim, Submission)
        return claim

    def record_intent(self, claim: Submission, stage: str) -> None:
        assert self.ledger.record_intent(claim, stage, lease=30.0)

    def context(self, claim: Submission) -> CallContext:
        """Return the arguments of the stages of this claim's plan."""
        body = load_body_json(claim.body)
        name = project_name(claim.name, claim.id)
        return KINDS[claim.kind].context(body, name=name, webhook_url=None, project_id=claim.project_id)

    def lapse(self, one: str) -> None:
        """End the lease on a submission, as time would."""
        self.redis.hset(f"{self.ledger.prefix}render:{one}", "lease_until", "0")

    def seen(self, name: str = "") -> list[dict[str, Any]]:
        """Return the sandbox's projects with this in their name."""
        return [project for project in self.sandbox.projects() if name in project["name"]]

    def exports(self) -> int:
        return int(self.sandbox.control("GET", "stats")["exports"])


@contextmanager
def local_workers(redis: Redis, vendor: SandboxProcess | FakeVendor) -> Iterator[Callable[..., LocalWorker]]:
    """Yield a factory of local workers at one vendor; closes them at the end."""
    with ExitStack() as stack:

        def new(**options: Any) -> LocalWorker:
            worker = LocalWorker(redis, vendor, **options)
            stack.callback(worker.close)
            return worker

        yield new
