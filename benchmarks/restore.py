"""A ledger restored from a snapshot, with real processes: what is paid twice, and what is lost?

`python -m benchmarks.restore` submits renders, takes a snapshot in the middle with `renderline backup`, lets work go on
(renders are submitted, delivered, retried and deleted, others accepted), kills all, and starts an empty server from
the snapshot. Then the ledger is reconciled, and every caller repeats its key. It does so after `renderline restore`,
without a word (a worker has to notice), and for comparison without what this version does about it. The figures go to
benchmarks/results/restore.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from celery import Celery
from redis import Redis

from benchmarks import machine
from benchmarks.system import System, scrub
from harness import ROOT, HookEndpoint, SandboxProcess, Valkey, Worker, until
from renderline.kinds import KINDS
from renderline.ledger import Commands, Doubt, Ledger
from renderline.producer import enqueue_renders
from renderline.renders import FINAL

RESULTS = Path(__file__).parent / "results" / "restore.json"
Way = Literal["said", "noticed", "trusted"]
"""How the restored ledger is treated: `renderline restore`, nothing is said, or nothing is said and nothing looks."""

_AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
_V2 = {"AISTUDIOS_V2_SECRET_KEY": "v2-key-of-the-benchmarks"}
_AFTER = 3.0
"""Seconds for which workers run on the ledger in doubt."""


@dataclass
class Run:
    """One run: the processes, and the renders by what they are to show."""

    system: System
    sandbox: SandboxProcess
    endpoint: HookEndpoint
    valkey: Valkey
    renders: int
    seconds: float
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """The id of each key's render."""
    began: float = field(default_factory=time.monotonic)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of workers and commands."""
        return {
            "REDIS_URL": self.valkey.url,
            "RENDERLINE_LEASE": "5",
            "RENDERLINE_SWEEP_EVERY": "1",
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_EVIDENCE_WINDOW": "3",
            **_V2,
        }

    def workers(self) -> list[Worker]:
        """Start two workers."""
        return self.system.workers(2, self.sandbox.url, **{**self.environ, "RENDERLINE_WAIT_FOR_DISK": "never"})

    def say(self, what: str) -> None:
        """Tell the person who watches how far it is."""
        print(f"  {time.monotonic() - self.began:5.1f} s  {what}", file=sys.stderr, flush=True)

    def send(self, name: str, count: int, **changes: Any) -> list[str]:
        """Have `count` renders accepted, each under a key of its own; returns their ids."""
        for number in range(count):
            scene = {"script": f"{name} {number}. {changes.get('script', '')}", "avatar": _AVATAR}
            hooks = [{"type": "http", "url": self.endpoint.url}]
            request = {
                "kind": "project",
                "name": f"{name} {number}",
                "scenes": [scene],
                "hooks": hooks,
                "deadline": 120,
            }
            self.requests[f"{name}-{number}"] = {**request, **changes.get("fields", {})}
        return self.repeat(name)

    def repeat(self, name: str = "") -> list[str]:
        """Send the keys that begin with `name`, anew or again."""
        with Celery(broker=self.valkey.url, backend=self.valkey.url) as app:
            some = [(key, request) for key, request in self.requests.items() if key.startswith(name)]
            found = enqueue_renders(app, some)
        self.ids.update(zip((key for key, _ in some), found, strict=True))
        with Redis.from_url(self.valkey.url) as redis:
            keys = Ledger(redis).keys
            until(lambda: redis.exists(*map(keys.render, found)) == len(found), what="acceptance")
        return found

    def command(self, *arguments: str) -> Any:
        """Run the command line as an operator would; returns what it answers as JSON."""
        environ = {**os.environ, **self.system.environ, **self.environ, **self.credentials()}
        command = [sys.executable, "-m", "workers.cli", *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, timeout=120, check=False)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def credentials(self) -> dict[str, str]:
        """The vendor's address and credentials."""
        from harness import USER_KEY

        return {
            "AISTUDIOS_BASE_URL": self.sandbox.url,
            "AISTUDIOS_V2_BASE_URL": self.sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.benchmarks",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
        }

    def exports(self) -> Counter[str]:
        """Return how often the vendor was paid, by key; a render that failed there cost nothing."""
        paid: Counter[str] = Counter()
        for project in self.sandbox.projects():
            for key, one in self.ids.items():
                if one in project["name"] and project["state"] != "failed":
                    paid[key] += int(project["exports"])
        return paid


def run(way: Way, *, renders: int, seconds: float, listed: str) -> dict[str, Any]:
    """Go through it once; returns the figures."""
    with ExitStack() as parts:
        system = parts.enter_context(System.open())
        endpoint = parts.enter_context(HookEndpoint())
        sandbox = system.sandbox("--render-seconds", f"{seconds:g}", "--list", listed, "--samples", "off")
        one = Run(system, sandbox, endpoint, system.valkey, renders, seconds)
        snapshot = system.directory / "renderline.rdb"
        workers = one.workers()
        with Redis.from_url(one.valkey.url, decode_responses=True) as redis:
            _before(one, Ledger(redis))
            one.say("a snapshot is taken, and work goes on")
            one.command("backup", str(snapshot))
            gone = _since(one, Ledger(redis))
        one.say("everything is killed, and the snapshot restored")
        system.end(*workers)
        delivered = len(endpoint.bodies)
        assert one.valkey.process
        one.valkey.process.kill()
        directory = system.directory / "restored"
        directory.mkdir()
        snapshot.rename(directory / "dump.rdb")
        # With an append-only file the server would not read the snapshot.
        one.valkey = parts.enter_context(Valkey(directory, "--appendonly", "no"))
        with Redis.from_url(one.valkey.url, decode_responses=True) as redis:
            figures = _restored(one, Ledger(redis), way, gone)
        return {"way": way, "list": listed, **figures, "hooks before": delivered, "hooks in all": len(endpoint.bodies)}


def _before(one: Run, ledger: Ledger) -> None:
    """Bring renders into every state, up to the snapshot."""
    one.send("delivered", one.renders // 4)
    failed = one.send("failed", 2, script="[sandbox:fail*1]")
    until(lambda: all(_state(ledger, each) == "failed" for each in failed), what="failed renders", seconds=120)
    one.send("rendering", one.renders // 4, script="[sandbox:slow=4]")
    deleted = one.send("deleted", 2, script="[sandbox:slow=4]")
    until(lambda: all(_state(ledger, each) == "rendering" for each in deleted), what="renders", seconds=120)
    Commands(ledger).pause("default")
    one.send("accepted", one.renders // 2)
    example = dict(KINDS["v2_project"].example)
    one.send("v2", 2, fields={"kind": "v2_project", "scenes": None, **example})


def _since(one: Run, ledger: Ledger) -> set[str]:
    """What goes on after the snapshot; returns the keys whose project is gone then."""
    Commands(ledger).resume("default")
    for key in ("failed-0", "failed-1"):
        Commands(ledger).retry(one.ids[key])
    one.send("unknown", one.renders // 4)
    one.say("all are accepted")
    wanted = [each for key, each in one.ids.items() if not key.startswith("accepted")]
    accepted = [each for key, each in one.ids.items() if key.startswith("accepted")]
    until(lambda: all(_state(ledger, each) in FINAL for each in wanted), what="ends", seconds=180)
    until(lambda: sum(_state(ledger, each) != "accepted" for each in accepted) >= len(accepted) * 0.7, what="most")
    gone = {"deleted-0", "deleted-1"}
    _delete(one, ledger, gone)
    return gone


def _delete(one: Run, ledger: Ledger, keys: set[str]) -> None:
    for key in keys:
        record = ledger.record(one.ids[key])
        assert record
        studio = _studio(one, ledger)
        studio.delete_projects([record["project_id"]])


def _studio(one: Run, ledger: Ledger) -> Any:
    from renderline.accounts.token import SharedToken
    from renderline.studio import StudioV3, TokenEndpoint

    given = one.credentials()
    issuer = TokenEndpoint(one.sandbox.url, app_id=given["AISTUDIOS_APP_ID"], user_key=given["AISTUDIOS_USER_KEY"])
    return StudioV3(one.sandbox.url, tokens=SharedToken(ledger.redis, issuer, account="default"))


def _restored(one: Run, ledger: Ledger, way: Way, gone: set[str]) -> dict[str, Any]:
    """Start work on the restored ledger, and reconcile it; returns the figures."""
    known = set(map(str, ledger.redis.zrange(ledger.keys.renders, 0, -1)))
    unfinished = [each for each in known if _state(ledger, each) not in FINAL]
    # The snapshot is an hour old.
    ledger.redis.set(ledger.keys.lived, time.time() - 3600)
    if way == "said":
        one.command("restore")
    if way == "trusted":
        ledger.redis.delete(ledger.keys.lived)
    paid = one.exports()
    # It was paused when the snapshot was taken.
    Commands(ledger).resume("default")
    one.workers()
    if way == "noticed":
        until(lambda: Doubt(ledger).state(), what="a worker that notices")
    proposals: Counter[str] = Counter()
    if way != "trusted":
        time.sleep(_AFTER)
        assert one.exports() == paid, "paid in doubt"
        found = one.command("reconcile", "--apply", "--patience", f"{2 * one.seconds:g}")
        assert found["ended"], found
        proposals.update(each["proposal"] for each in found["differences"])
    one.say(f"reconciled: {dict(proposals)}; all keys come again")
    one.repeat()
    for key in ("failed-0", "failed-1"):
        Commands(ledger).retry(one.ids[key])
    v3 = {key: each for key, each in one.ids.items() if not key.startswith("v2")}
    _await_ends(one, ledger, v3)
    after = one.exports()
    states = {key: _state(ledger, each) for key, each in one.ids.items()}
    return {
        "renders": len(one.ids),
        "unfinished in the snapshot": len(unfinished),
        "accepted since": len(set(one.ids.values()) - known),
        "proposals": dict(sorted(proposals.items())),
        "paid twice": sum(count > 1 for key, count in after.items() if key in v3),
        "delivered": sum(states[key] == "delivered" for key in v3),
        "failed, their project gone": sorted(key for key in v3 if states[key] == "failed"),
        "lost": sorted(key for key in v3 if states[key] != "delivered" and key not in gone),
        "left to people": sorted(key for key in states if states[key] == "unconfirmed"),
    }


def _await_ends(one: Run, ledger: Ledger, ids: dict[str, str]) -> None:
    """Wait until all renders have ended; the figures say which have not."""
    give_up = time.monotonic() + 120
    while left := {key: _state(ledger, each) for key, each in ids.items() if _state(ledger, each) not in FINAL}:
        if time.monotonic() > give_up:
            one.say(f"not ended: {left}")
            return
        time.sleep(0.2)


def _state(ledger: Ledger, render_id: str) -> str:
    return str(ledger.redis.hget(ledger.keys.render(render_id), "state") or "")


def main(arguments: Sequence[str]) -> int:
    """Run, print and keep the figures; 1 if something was paid twice or lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restore", description=__doc__)
    parser.add_argument("--renders", type=int, default=16, help="how many there are, about; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="that a render takes; default: %(default)s")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    plans: list[tuple[Way, str]] = [("said", "exported"), ("noticed", "all"), ("trusted", "exported")]
    with ThreadPoolExecutor(len(plans)) as pool:
        runs = list(
            pool.map(lambda plan: run(plan[0], renders=chosen.renders, seconds=chosen.seconds, listed=plan[1]), plans)
        )
    print(json.dumps(runs, indent=1))
    chosen.json.write_text(json.dumps({"machine": machine.described(), "runs": runs}, indent=1) + "\n")
    return 0 if all(not each["paid twice"] and not each["lost"] for each in runs if each["way"] != "trusted") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
