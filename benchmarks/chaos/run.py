"""One run of one system: start everything, send requests, cause faults on schedule, wait for the end, count."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from redis import RedisError

from benchmarks.chaos.accounting import Figures, Reported, figures, meets_hanging_endpoint, misled, orphans_of, twice
from benchmarks.chaos.contender import BROKER_AWAY, Contender, System
from benchmarks.chaos.durations import Durations, durations
from benchmarks.chaos.hook_endpoint import HookEndpoint, Tally
from benchmarks.chaos.plan import Action, Plan
from benchmarks.chaos.poison import Poisoner
from benchmarks.chaos.stores import Stores
from benchmarks.chaos.supervisor import Freezer, Killer, Supervisor
from benchmarks.chaos.vendors import ACCOUNTS, ILL, Vendors

Say = Callable[[str], None]

_QUIET_BEFORE_GIVING_UP = 120.0
"""Together with the visibility timeout, longer than a hook waits for its next retry after six failures."""


@dataclass
class Result:
    """The figures of a run, the faults that happened, and remarks on renders that did not end well."""

    plan: Plan
    figures: Figures
    faults: dict[str, int]
    durations: dict[str, Durations]
    receiver_calls: int
    receiver_refused: int
    receiver_hung: int
    twice: dict[int, list[str]] = field(default_factory=dict)
    """The projects of each render that the vendor started more than once, with the number of starts."""
    untold: list[Reported] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    misled: list[Reported] = field(default_factory=list)


def run(make: Callable[[System], Contender], plan: Plan, *, directory: Path, say: Say) -> Result:
    """Run one system through the plan; everything that is started here ends here."""
    directory.mkdir(parents=True)
    tally = Tally(fails=plan.receiver_fails if plan.has("receiver") else 0.0, seed=plan.seed)
    with contextlib.ExitStack() as parts:
        stores = parts.enter_context(Stores(directory, replicated=plan.has("failovers")))
        hook_endpoint = parts.enter_context(HookEndpoint(tally))
        # Under another host name, as another company's endpoint would be.
        hanging = parts.enter_context(HookEndpoint(tally, host="localhost"))
        vendors = Vendors(directory, plan)
        parts.callback(vendors.close)
        urls = (stores.url, vendors.url, vendors.ill_url, hook_endpoint.url, hanging.url)
        contender = make(System(plan, directory, *urls, tally.arrived))
        parts.callback(contender.close)
        supervisor = Supervisor(contender, plan.worker_queues, directory=directory, seed=plan.seed)
        parts.callback(supervisor.stop)
        return _Run(plan, stores, vendors, tally, hanging, contender, supervisor, say).perform()


@dataclass
class _Run:
    plan: Plan
    stores: Stores
    vendors: Vendors
    tally: Tally
    hanging: HookEndpoint
    contender: Contender
    supervisor: Supervisor
    say: Say
    asked_again: int = 0
    asked: dict[int, float] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)
    poisoner: Poisoner | None = None

    def perform(self) -> Result:
        self.supervisor.start()
        self.vendors.put_in_force(self.plan, paid=self.contender.paid_call)
        begin = time.monotonic()
        timeline = threading.Thread(target=self._go_through, args=(begin,), name="timeline", daemon=True)
        with self._attacks() as stop_attacks:
            timeline.start()
            self._feed(begin)
            timeline.join()
            self._settle(stop_attacks, begin)
        # Calls that are still in the vendor's queue would not be counted.
        time.sleep(self.plan.last_late_call)
        self._settle(lambda: None, begin)
        return self._count(time.monotonic() - begin)

    @contextlib.contextmanager
    def _attacks(self) -> Iterator[Callable[[], None]]:
        """Kill, freeze and poison until the yielded function is called."""
        plan, supervisor = self.plan, self.supervisor
        threads: list[Killer | Freezer | Poisoner] = []
        if plan.has("kills"):
            threads.append(Killer(supervisor, every=plan.between_kills))
        if plan.has("freezes"):
            threads.append(Freezer(supervisor, seconds=plan.frozen, rest=plan.between_freezes, seed=plan.seed))
        if plan.has("poison"):
            url, tasks = self.stores.url, self.contender.tasks
            self.poisoner = Poisoner(url, tasks, every=plan.poison_every, seed=plan.seed)
            threads.append(self.poisoner)
        for thread in threads:
            thread.start()

        def stop() -> None:
            for thread in threads:
                thread.stop()

        try:
            yield stop
        finally:
            stop()

    def _feed(self, begin: float) -> None:
        # Random, so that the requests do not keep step with the kills.
        chance = random.Random(self.plan.seed)
        moments = sorted(chance.uniform(0, self.plan.feed_seconds) for _ in range(self.plan.renders))
        tend_at = begin
        for order, moment in enumerate(moments):
            while (wait := begin + moment - time.monotonic()) > 0:
                time.sleep(min(wait, 1.0))
                tend_at = self._tend_from(tend_at)
            self.asked[order] = time.time()
            self._ask(order)
            tend_at = self._tend_from(tend_at)
            if order % 50 == 49:
                self.say(f"{order + 1} asked, {self._toll()}")

    def _ask(self, order: int) -> None:
        give_up = time.monotonic() + 60
        while True:
            try:
                return self.contender.ask(order)
            except BROKER_AWAY as error:
                if time.monotonic() > give_up:
                    raise
                self.say(f"the producer waits for the broker ({type(error).__name__})")
                time.sleep(0.5)

    def _go_through(self, begin: float) -> None:
        steps: dict[Action, Callable[[], object]] = {
            "endpoint hangs": self.hanging.hang,
            "endpoint answers": self.hanging.answer,
            "tokens revoked": self.vendors.revoke_tokens,
            "restart": self._restart,
            "failover": self._fail_over,
            "outage: hangs": lambda: self.vendors.outage(on=True, hangs=True),
            "outage: refuses": lambda: self.vendors.outage(on=True),
            "outage ends": lambda: self.vendors.outage(on=False),
        }
        for moment, action in self.plan.timeline():
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            steps[action]()
            self.happened[action] = self.happened.get(action, 0) + 1
            self.say(action)

    def _restart(self) -> None:
        self.stores.kill_primary()
        time.sleep(self.plan.valkey_down)
        self.stores.start_primary()

    def _fail_over(self) -> None:
        seconds = self.stores.fail_over()
        self.contender.reconnect()
        self.say(f"writes waited {seconds:.2f} s for the failover")

    def _settle(self, stop_attacks: Callable[[], None], begin: float) -> None:
        """Wait until everything has ended, the time is up, or nothing has changed for long."""
        give_up = time.monotonic() + self.plan.settle_within
        spared = time.monotonic() + self.plan.settle_within / 4
        best, moved_at = None, time.monotonic()
        while time.monotonic() < give_up:
            self.supervisor.restart_ended()
            left = self._unsettled()
            if left == 0 and self.supervisor.kills >= self.plan.kills:
                return
            if left != best:
                best, moved_at = left, time.monotonic()
                self.say(f"{left} unsettled, {self._toll()}, {time.monotonic() - begin:.0f} s")
            if time.monotonic() > spared:
                stop_attacks()
            if time.monotonic() - moved_at > self.plan.visibility_timeout + _QUIET_BEFORE_GIVING_UP:
                return
            time.sleep(0.5)

    def _toll(self) -> str:
        one = self.supervisor
        return f"{one.kills} workers killed, {one.freezes} frozen, {one.deaths} dead by themselves"

    def _tend_from(self, moment: float) -> float:
        if time.monotonic() < moment:
            return moment
        self._tend()
        self.supervisor.restart_ended()
        return time.monotonic() + 2.0

    def _tend(self) -> None:
        # While the broker is down nothing can be read.
        with contextlib.suppress(*BROKER_AWAY):
            self.asked_again += self.contender.tend()

    def _unsettled(self) -> int:
        self._tend()
        with contextlib.suppress(RedisError, OSError):
            return self.contender.unsettled()
        return -1

    def _group(self, order: int, begun: float) -> str:
        part = self.plan.part(self.asked[order] - begun)
        if part == "quiet":
            return part
        own = meets_hanging_endpoint(order) if part == "endpoint hung" else ACCOUNTS[order % len(ACCOUNTS)] == ILL
        return f"{part}, {'its own' if own else 'others'}"

    def _count(self, seconds: float) -> Result:
        reported = self.contender.reported()
        projects = self.vendors.projects()
        begun = time.time() - seconds
        return Result(
            self.plan,
            figures(
                reported,
                asked=self.plan.renders,
                asked_again=self.asked_again,
                projects=projects,
                taken=self.tally.taken(),
                counts=self.vendors.counts(),
                kills=self.supervisor.kills,
                deaths=self.supervisor.deaths,
                wall_seconds=seconds,
            ),
            faults={
                **self.vendors.faults(),
                **self.happened,
                "freezes": self.supervisor.freezes,
                "poison messages": self.poisoner.thrown if self.poisoner else 0,
            },
            durations=durations(
                self.asked, self.tally.arrived(), projects, group=lambda order: self._group(order, begun)
            ),
            receiver_calls=self.tally.calls,
            receiver_refused=self.tally.refused,
            receiver_hung=self.tally.hung,
            twice=twice(projects),
            untold=[one for one in reported if one.fate != "delivered"],
            orphans=orphans_of(projects),
            misled=misled(reported, projects),
        )
