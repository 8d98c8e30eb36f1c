"""One run of one system: everything started, fed and broken on schedule, left to settle, counted up, ended."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kombu.exceptions import KombuError
from redis import RedisError

from benchmarks.chaos.accounting import Figures, Told, figures, orphans_of
from benchmarks.chaos.contender import Contender, Site
from benchmarks.chaos.crew import Crew, Killer
from benchmarks.chaos.plan import Plan
from benchmarks.chaos.receiver import Receiver, Tally
from tests.parts import SandboxProcess, Valkey

Say = Callable[[str], None]

BROKER_AWAY = (OSError, RedisError, KombuError)
"""What a broker client raises while its server is away."""

_QUIET_BEFORE_GIVING_UP = 45.0


@dataclass
class Result:
    """The figures of a run, the faults that happened, and what is to be said of those that did not end well."""

    figures: Figures
    faults: dict[str, int]
    receiver_calls: int
    receiver_refused: int
    untold: list[Told] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def run(make: Callable[[Site], Contender], plan: Plan, *, directory: Path, say: Say) -> Result:
    """Run one system through the plan; everything that is started here ends here."""
    directory.mkdir(parents=True)
    tally = Tally(fails=plan.receiver_fails, seed=plan.seed)
    with (
        Valkey(directory, "--appendfsync", "always") as valkey,
        Receiver(tally) as receiver,
    ):
        sandbox = SandboxProcess(
            directory / "sandbox.log",
            *("--render-seconds", f"{plan.render_seconds:g}", "--spread", f"{plan.render_spread:g}"),
            *("--seed", str(plan.seed)),
        )
        try:
            site = Site(plan, directory, valkey.url, sandbox.url, receiver.url, tally.arrived)
            contender = make(site)
            crew = Crew(contender, plan.crew, directory=directory, seed=plan.seed)
            try:
                return _Run(plan, valkey, sandbox, tally, contender, crew, say).perform()
            finally:
                crew.stop()
                contender.close()
        finally:
            sandbox.kill()


@dataclass
class _Run:
    plan: Plan
    valkey: Valkey
    sandbox: SandboxProcess
    tally: Tally
    contender: Contender
    crew: Crew
    say: Say
    asked_again: int = 0

    def perform(self) -> Result:
        self.crew.start()
        for rule in self.plan.vendor_faults():
            self.sandbox.control("POST", "faults", **rule)
        begin = time.monotonic()
        killer = Killer(self.crew, every=self.plan.between_kills)
        killer.start()
        disasters = threading.Thread(target=self._disasters, name="disasters", daemon=True)
        disasters.start()
        try:
            self._feed(begin)
            disasters.join()
            self._settle(killer, begin)
        finally:
            killer.stop()
        return self._count(time.monotonic() - begin)

    def _feed(self, begin: float) -> None:
        # By chance, so that the requests do not keep step with the kills.
        chance = random.Random(self.plan.seed)
        moments = sorted(chance.uniform(0, self.plan.feed_seconds) for _ in range(self.plan.renders))
        tend_at = begin
        for order, moment in enumerate(moments):
            while (wait := begin + moment - time.monotonic()) > 0:
                time.sleep(min(wait, 1.0))
            self._ask(order)
            if time.monotonic() > tend_at:
                self._tend()
                tend_at = time.monotonic() + 2.0
            if order % 50 == 49:
                self.say(f"{order + 1} asked, {self.crew.kills} workers killed")

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

    def _disasters(self) -> None:
        """Revoke the tokens after a third and two thirds, kill the broker in between."""
        third = self.plan.feed_seconds / 3
        time.sleep(third)
        self._revoke()
        time.sleep(third / 2)
        assert self.valkey.process is not None
        self.valkey.process.kill()
        self.say("Valkey killed")
        time.sleep(self.plan.valkey_down)
        self.valkey.start()
        self.say("Valkey started again")
        time.sleep(third / 2)
        self._revoke()

    def _revoke(self) -> None:
        self.sandbox.control("POST", "revoke-tokens")
        self.say("all tokens revoked")

    def _settle(self, killer: Killer, begin: float) -> None:
        """Wait until everything has come to an end, or time is up, or nothing moved for long."""
        give_up = time.monotonic() + self.plan.settle_within
        spared = time.monotonic() + self.plan.settle_within / 4
        best, moved_at = None, time.monotonic()
        while time.monotonic() < give_up:
            left = self._unsettled()
            if left == 0 and self.crew.kills >= self.plan.kills:
                return
            if left != best:
                best, moved_at = left, time.monotonic()
                self.say(f"{left} unsettled, {self.crew.kills} workers killed, {time.monotonic() - begin:.0f} s")
            if time.monotonic() > spared:
                killer.stop()
            if time.monotonic() - moved_at > self.plan.visibility_timeout + _QUIET_BEFORE_GIVING_UP:
                return
            time.sleep(0.5)

    def _tend(self) -> None:
        # While the broker is away there is nothing to see.
        with contextlib.suppress(RedisError, OSError):
            self.asked_again += self.contender.tend()

    def _unsettled(self) -> int:
        self._tend()
        return self.contender.unsettled()

    def _count(self, seconds: float) -> Result:
        told = self.contender.told()
        projects = self.sandbox.projects()
        rules: list[dict[str, Any]] = self.sandbox.control("GET", "faults")
        return Result(
            figures(
                told,
                asked=self.plan.renders,
                asked_again=self.asked_again,
                projects=projects,
                taken=self.tally.taken(),
                counts=self.sandbox.counts(),
                kills=self.crew.kills,
                wall_seconds=seconds,
            ),
            faults={rule["fault"]: rule["used"] for rule in rules},
            receiver_calls=self.tally.calls,
            receiver_refused=self.tally.refused,
            untold=[one for one in told if one.fate != "delivered"],
            orphans=orphans_of(projects),
        )
