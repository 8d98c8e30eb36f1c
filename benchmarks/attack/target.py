"""The system under attack: real processes on loopback, API keys on, two tenants that distrust each other."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import requests
from celery import Celery
from redis import Redis

from benchmarks.attack.receiver import Receiver
from harness import AVATAR, USER_KEY, Flower, SandboxProcess, Server, Valkey, Worker, call, free_port, until
from harness.broker_users import ADMIN, admin_of, url_of, write_users
from harness.gateway import gateway_command
from harness.parts import Parts
from renderline import contract

VICTIM: Final = "acme"
ATTACKER: Final = "mallory"
TENANTS: Final = (VICTIM, ATTACKER)
LOGIN: Final = ("operator", "kV3-watch-the-queues-9Qz")
SECRET_KEY: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c"
HOOK_SECRETS: Final = {
    VICTIM: "whsec_YWNtZS1hY21lLWFjbWUtYWNtZS1hY21lLTMyLWJ5dGU=",
    ATTACKER: "whsec_bWFsbG9yeS1tYWxsb3J5LW1hbGxvcnktMzItYnl0ZXM=",
}
DEFAULT_HOOK_SECRET: Final = "whsec_ZGVmYXVsdC1kZWZhdWx0LWRlZmF1bHQtMzItYnl0ZXM="
V2_KEY: Final = "v2-5b1d7c0e9a3f4d28"
ENDED: Final = ("delivered", "undelivered", "failed", "expired", "canceled")

READ_BY_NOBODY: Final = "billing"
"""A queue of another service, which is not there. The victim's celery hooks may send to it."""
QUEUE_LIMIT: Final = 50
QUOTAS: Final = {"at-once": ("max_in_flight", 3), "daily": ("max_per_day", 5)}
"""Tenants with a limit: the field of the tenants file, and its value."""

_POLICIES = "".join(
    [f'[[tenant]]\nname = "{name}"\nhook_secrets = ["{secret}"]\n\n' for name, secret in HOOK_SECRETS.items()]
    + [f'[[tenant]]\nname = "sender"\ncelery_hooks = ["*@{READ_BY_NOBODY}"]\n\n']
    + [f'[[tenant]]\nname = "{name}"\n{limit} = {most}\n\n' for name, (limit, most) in QUOTAS.items()]
)


class Gateway(Server):
    """The gateway, started as the Procfile does."""

    def __init__(self, log: Path, environ: Mapping[str, str], *, threads: int = 64) -> None:
        port = free_port()
        own = {
            "RENDERLINE_GATEWAY_BIND": f"127.0.0.1:{port}",
            "RENDERLINE_GATEWAY_THREADS": str(threads),
            "RENDERLINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "RENDERLINE_SECRET_KEY": SECRET_KEY,
        }
        super().__init__(gateway_command(port, threads=threads), port=port, log=log, environ={**environ, **own})
        self.wait_ready()

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None, **options: Any) -> requests.Response:
        """Make a call with this API key (None: without any)."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **options.pop("headers", {})}
        return call(method, f"{self.url}{path}", json=body, headers=headers, **options)

    def children(self) -> Iterator[int]:
        """Yield the ids of its processes, the first one included."""
        yield self.popen.pid
        for path in Path(f"/proc/{self.popen.pid}/task").glob("*/children"):
            yield from map(int, path.read_text().split())

    def memory(self) -> int:
        """Return the bytes of memory that its processes have had at most."""
        return sum(_peak(pid) for pid in self.children())

    def forget_peak(self) -> None:
        """Have the peak of the memory measured from now on."""
        for pid in self.children():
            Path(f"/proc/{pid}/clear_refs").write_text("5")


class Target(Parts):
    """All processes, and what an attacker and a victim do with them."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.environ: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.workers: list[Worker] = []

    def _start(self) -> None:
        self.directory.mkdir(parents=True)
        (self.directory / "valkey").mkdir()
        users = write_users(self.directory / "valkey")
        self.valkey = self._ending.enter_context(Valkey(self.directory / "valkey", "--aclfile", str(users)))
        self.redis: Redis = self._ending.enter_context(contextlib.closing(admin_of(self.valkey)))
        """A client that may do everything: what an attacker could do at worst who writes to a queue."""
        self.sandbox = SandboxProcess(self.directory / "sandbox.log", "--render-seconds", "0.5")
        self._ending.callback(self.sandbox.kill)
        self.receiver = self._ending.enter_context(Receiver())
        self.environ = self._settings()
        for name in TENANTS:
            self.keys[name] = self.new_key(name)
        self.gateway = Gateway(self.directory / "gateway.log", self.role("gateway"))
        self._ending.callback(self.gateway.kill)
        self.environ |= {"RENDERLINE_PUBLIC_URL": self.gateway.url, "RENDERLINE_SECRET_KEY": SECRET_KEY}
        self._ending.callback(lambda: [worker.kill() for worker in self.workers])
        for _ in range(2):
            self.start_worker()
        self._flower: Flower | None = None
        anything = self.valkey.url.replace("//", f"//{ADMIN}:{ADMIN}@")
        self.app = Celery("attacker", broker=anything, backend=anything)
        self._ending.callback(self.app.close)

    def _settings(self) -> dict[str, str]:
        tenants = self.directory / "tenants.toml"
        tenants.write_text(_POLICIES)
        tenants.chmod(0o600)
        return {
            "REDIS_URL": self.valkey.url,
            "AISTUDIOS_BASE_URL": self.sandbox.url,
            "AISTUDIOS_V2_BASE_URL": self.sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.attacked",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "AISTUDIOS_V2_SECRET_KEY": V2_KEY,
            "RENDERLINE_HOOK_SECRET": DEFAULT_HOOK_SECRET,
            # The endpoints of hooks listen on loopback here. The attacks on addresses have a gateway without this.
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (self.directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(self.directory / "data"),
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_POLL_MAX": "2",
            "RENDERLINE_LEASE": "6",
            "RENDERLINE_SLOW_LEASE": "6",
            "RENDERLINE_SWEEP_EVERY": "1",
            "RENDERLINE_LOG_LEVEL": "DEBUG",
            "RENDERLINE_HOOK_QUEUE_LIMIT": str(QUEUE_LIMIT),
            "FLOWER_BASIC_AUTH": ":".join(LOGIN),
            "RENDERLINE_TENANTS": str(tenants),
        }

    def role(self, name: str) -> dict[str, str]:
        """Return the settings of a process with the Redis user of this role."""
        return {**self.environ, "REDIS_URL": url_of(self.valkey, name)}

    def start_worker(self) -> Worker:
        """Start one more worker for all queues."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        worker = Worker(log, queues=",".join(contract.QUEUES), environ=self.role("worker"))
        self.workers.append(worker)
        worker.wait_ready()
        return worker

    def repair(self) -> int:
        """Start again what an attack has ended; returns the number of processes."""
        dead = [worker for worker in self.workers if not worker.running]
        for worker in dead:
            self.workers.remove(worker)
        for _ in dead:
            self.start_worker()
        return len(dead)

    @property
    def flower(self) -> Flower:
        """Flower, started when an attack first asks for it."""
        if self._flower is None:
            self._flower = Flower(self.directory / "flower.log", self.role("flower"))
            self._ending.callback(self._flower.kill)
            self._flower.wait_ready()
        return self._flower

    @contextlib.contextmanager
    def another_gateway(self, name: str, *, threads: int = 64, **environ: str) -> Iterator[Gateway]:
        """A gateway of its own with other settings, beside the one of the system."""
        gateway = Gateway(self.directory / f"gateway-{name}.log", {**self.role("gateway"), **environ}, threads=threads)
        try:
            yield gateway
        finally:
            gateway.kill()

    @contextlib.contextmanager
    def strict(self) -> Iterator[tuple[Gateway, str]]:
        """A system of its own whose hooks may call public addresses alone: its gateway, and an attacker's key."""
        name = f"strict-{time.monotonic_ns()}"
        (self.directory / name).mkdir()
        with Valkey(self.directory / name) as valkey:
            environ = {"REDIS_URL": valkey.url, "RENDERLINE_ALLOW_PRIVATE_HOOKS": "false"}
            key = self.new_key(ATTACKER, **environ)
            with self.another_gateway(name, **environ) as gateway:
                log = self.directory / f"worker-{name}.log"
                worker = Worker(log, queues=",".join(contract.QUEUES), environ={**self.environ, **environ})
                try:
                    worker.wait_ready()
                    yield gateway, key
                finally:
                    worker.kill()

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as the operator."""
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", *arguments],
            env={**os.environ, **self.role("operator"), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def new_key(self, tenant: str, *scopes: str, name: str = "", **environ: str) -> str:
        """Create an API key of this tenant, with every scope that a tenant can have unless some are given."""
        chosen = [part for scope in scopes or ("submit", "read", "admin") for part in ("--scope", scope)]
        done = self.command("keys", "create", name or tenant, "--tenant", tenant, *chosen, "--json", **environ)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["key"])

    def ask(self, method: str, path: str, body: Any = None, *, tenant: str, **options: Any) -> requests.Response:
        """Make a call to the gateway with the tenant's key."""
        return self.gateway.ask(method, path, body, key=self.keys[tenant], **options)

    def submit(self, request: Mapping[str, Any], *, tenant: str, key: str | None = None) -> requests.Response:
        """Submit a render over HTTP."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask("POST", "/v1/renders", dict(request), tenant=tenant, headers=headers)

    def accepted(self, request: Mapping[str, Any], *, tenant: str, key: str | None = None) -> str:
        """Submit a render that must be accepted; returns its id."""
        answer = self.submit(request, tenant=tenant, key=key)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def record(self, render_id: str, *, tenant: str) -> dict[str, Any]:
        """Return the record that the tenant sees of its render."""
        answer = self.ask("GET", f"/v1/renders/{render_id}", tenant=tenant)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, render_id: str, *, tenant: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the tenant's render has ended; returns the record."""

        def look() -> dict[str, Any] | None:
            found = self.record(render_id, tenant=tenant)
            return found if found["state"] in ENDED else None

        found: dict[str, Any] = until(look, seconds=seconds, what=f"the end of {render_id}")
        return found

    def project_of(self, render_id: str) -> dict[str, Any]:
        """Return the vendor's project of a render."""
        return until(lambda: next((one for one in self.sandbox.projects() if render_id in one["name"]), None))

    def logs(self) -> dict[str, str]:
        """Return everything that the processes have logged, by file."""
        return {path.name: path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log"))}


def a_render(script: str = "Hello.", **fields: Any) -> dict[str, Any]:
    """Return a compact render request without hooks."""
    return {"kind": "project", "scenes": [{"script": script, "avatar": AVATAR}], **fields}


def _peak(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM"))
