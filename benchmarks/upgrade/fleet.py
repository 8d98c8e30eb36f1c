"""Workers of two versions on one Valkey, with a sandbox that counts what is paid."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis

from benchmarks.upgrade.future import KIND, MESSAGE_VERSION, VERSION
from harness.hook_endpoint import HookEndpoint
from harness.processes import Process, SandboxProcess, Valkey
from harness.samples import HOOK_SECRET, USER_KEY
from harness.waiting import until
from renderline import contract
from renderline.ledger import Keys
from renderline.renders import FINAL

_REQUEST = {
    "scenes": [
        {"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}},
    ]
}


class Fleet:
    """Workers, each of a version: the folder of a checkout."""

    def __init__(self, directory: Path, valkey: Valkey, sandbox: SandboxProcess, hooks: HookEndpoint) -> None:
        self.directory, self.sandbox, self.hooks = directory, sandbox, hooks
        self.redis = Redis.from_url(valkey.url, decode_responses=True)
        self.producer = Celery("producer", broker=valkey.url)
        self.workers: list[tuple[Path, Process]] = []
        self._numbers = count()
        self.ids: dict[str, str] = {}
        """The kind of each render that was requested."""
        self._environ = {
            "REDIS_URL": valkey.url,
            "RENDERLINE_ENV_FILE": "",
            "AISTUDIOS_BASE_URL": sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.upgrade",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_DATA_DIR": str(directory),
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_LEASE": "3",
            "RENDERLINE_SLOW_LEASE": "3",
            "RENDERLINE_SWEEP_EVERY": "0.5",
            "RENDERLINE_EVIDENCE_WINDOW": "6",
            "RENDERLINE_WAIT_FOR_DISK": "never",
            "RENDERLINE_LOG_FORMAT": "json",
        }

    def start(self, version: Path, *, shared: bool = False) -> Process:
        """Start a worker of a version, and wait until it takes messages.

        `shared`: with the settings of the future, among them one that only it knows.
        """
        # Two may be started at once.
        log = self.directory / f"worker-{next(self._numbers)}.log"
        queues = ",".join(contract.QUEUES)
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues]
        known = (version / ".env.example").read_text(encoding="utf-8")
        environ = {name: value for name, value in self._environ.items() if name in known}
        if shared:
            environ |= {"RENDERLINE_SETTINGS_VERSION": VERSION, "RENDERLINE_TINT": "blue"}
        worker = Process([*command, "-n", f"{log.stem}@localhost"], log=log, environ=environ, cwd=version)
        self.workers.append((version, worker))
        worker.wait_until(lambda: " ready." in worker.output(), what="worker ready")
        return worker

    def send(self, kind: str, numbers: Iterable[int]) -> None:
        """Send requests of a kind; those of the future say that a worker of its version is needed."""
        request = {"kind": kind, **_REQUEST, "hooks": [{"type": "http", "url": self.hooks.url}]}
        headers = {contract.VERSION_HEADER: MESSAGE_VERSION} if kind == KIND else {}
        for number in numbers:
            key = f"{kind}-{number}"
            kwargs = {"request": request, "key": key}
            self.producer.send_task(contract.REQUEST, kwargs=kwargs, queue="requests", headers=headers)
            self.ids[contract.render_id_for_key(key)] = kind

    def states(self) -> dict[str, str | None]:
        """Return the state of every requested render, None where there is no record yet."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in self.ids:
                pipe.hget(Keys().render(one), "state")
            return dict(zip(self.ids, pipe.execute(), strict=True))

    def wait(self, *, seconds: float) -> None:
        """Wait until every render has ended, or for that long."""
        try:
            until(lambda: set(self.states().values()) <= set(FINAL), seconds=seconds)
        except AssertionError:
            return

    def outcome(self, older: Sequence[Path] = ()) -> dict[str, Any]:
        """Return what became of the renders; what workers of `older` versions, and the others, log about newer ones."""
        states, paid, hooks = self.states(), self._exports(), self._hooks()
        return {
            "renders": len(self.ids),
            "of the new kind": sum(kind == KIND for kind in self.ids.values()),
            "delivered": sum(state == "delivered" for state in states.values()),
            "lost": sorted({str(state) for state in states.values() if state != "delivered"}),
            "paid": sum(paid.values()),
            "paid twice": sum(count > 1 for count in paid.values()),
            "not paid": sum(one not in paid for one in self.ids),
            "hooks under more than one id": sum(len(seen) > 1 for seen in hooks.values()),
            "hooks missing": sum(one not in hooks for one in self.ids),
            "quarantine left": sum(
                int(self.redis.xlen(key)) for key in (Keys().quarantine, Keys().quarantine_requests)
            ),
            "log lines of older workers about newer records": len(self.lines(newer=False, older=older)),
            "log lines of newer workers about them": len(self.lines(newer=True, older=older)),
        }

    def _exports(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for project in self.sandbox.projects():
            tag = project["name"].rpartition("[")[2].rstrip("]").partition(".")[0]
            if project["exports"]:
                found[tag] += project["exports"]
        return found

    def _hooks(self) -> dict[str, set[str]]:
        seen: dict[str, set[str]] = {}
        for headers, raw in list(self.hooks.received.queue):
            seen.setdefault(json.loads(raw)["data"]["id"], set()).add(headers["webhook-id"])
        return seen

    def lines(self, *, newer: bool, older: Sequence[Path]) -> list[str]:
        """Return the log lines about renders of the new kind: of the workers of `older` versions, or of the others."""
        tinted = {one for one, kind in self.ids.items() if kind == KIND}
        outputs = [worker.output() for version, worker in self.workers if (version not in older) == newer]
        lines = [line for output in outputs for line in output.splitlines()]
        return [line for line in lines if any(one in tinted for one in re.findall(r"[0-9a-f]{32}", line))]

    def close(self) -> None:
        """End what still runs."""
        for _, worker in self.workers:
            if worker.running:
                worker.kill()
        self.producer.close()
        self.redis.close()


@contextmanager
def fleet(directory: Path, *, render_seconds: float) -> Iterator[Fleet]:
    """Start a Valkey, a sandbox and a hook endpoint for workers of any version."""
    with ExitStack() as stack:
        valkey = stack.enter_context(Valkey(directory))
        hooks = stack.enter_context(HookEndpoint())
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", f"{render_seconds:g}")
        stack.callback(sandbox.stop)
        found = Fleet(directory, valkey, sandbox, hooks)
        stack.callback(found.close)
        yield found
