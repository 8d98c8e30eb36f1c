"""The system on which alerts are provoked: sandbox, gateway with API keys, worker with metrics, hook endpoint."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

from benchmarks.alerts.prometheus import Prometheus
from benchmarks.system import SECRET_KEY, System
from harness import HookEndpoint, SandboxProcess, Worker, call, free_port, until
from harness.gateway import GatewayProcess
from renderline.gateway.api_keys import ApiKeys
from renderline.signed_urls.webhook_urls import WebhookUrls

PUBLIC_URL: Final = "https://renders.example.com"
EVIDENCE_WINDOW: Final = 20
_ACCOUNTS: Final = """
[[account]]
name = "default"
app_id = "studioV3.benchmarks"
user_key = "{key}"
base_url = "{url}"

[[account]]
name = "spare"
app_id = "studioV3.spare"
user_key = "{key}"
base_url = "{url}"
"""
_KEY: Final = "5c1d2e3f-0000-4000-8000-a1b2c3d4e5f6"


@dataclass
class Stage:
    """The processes, and what the conditions do with them."""

    system: System
    redis: Redis
    sandbox: SandboxProcess
    gateway: GatewayProcess
    worker: Worker
    endpoint: HookEndpoint
    key: str
    metrics_port: int
    prometheus: Prometheus
    hooks_answer: int = 204

    def start_worker(self, **environ: str) -> None:
        """Start the worker again."""
        environ = {**_worker_environ(self.metrics_port), **environ}
        (self.worker,) = self.system.workers(1, self.sandbox.url, **environ)

    def submit(self, script: str = "Hello.", *, hook: bool = False, **fields: Any) -> str:
        """Submit a render over HTTP; returns its id."""
        avatar = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
        request = {"kind": "project", "name": "Alert", "scenes": [{"script": script, "avatar": avatar}], **fields}
        if hook:
            request["hooks"] = [{"type": "http", "url": self.endpoint.url}]
        return str(self.ask("POST", "/v1/renders", request)["id"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call to the gateway as an operator."""
        answer = self.gateway.ask(method, path, body, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def reach(self, render_id: str, *states: str) -> None:
        """Wait until a render is in one of the states."""
        until(lambda: self.ask("GET", f"/v1/renders/{render_id}")["state"] in states, what=f"{states}", seconds=90)

    def fault(self, fault: str, call_: str | list[str] = "*", **options: Any) -> None:
        """Have the sandbox answer calls with a fault."""
        self.sandbox.control("POST", "faults", call=call_, fault=fault, **options)

    def mend(self) -> None:
        """Have the sandbox work, the endpoint answer, and the account go on."""
        self.sandbox.control("DELETE", "faults")
        self.sandbox.control("POST", "outage", on=False)
        self.hooks_answer = 204
        headers = {"Authorization": f"Bearer {self.key}"}
        self.gateway.ask("POST", "/v1/accounts/default/resume", headers=headers)

    def webhook(self, render_id: str) -> None:
        """Send what the vendor sends when the first draft of a render is done."""
        urls = WebhookUrls(PUBLIC_URL, SECRET_KEY)
        url = urls.url(render_id, attempt=1, seconds=3600.0).replace(PUBLIC_URL, self.gateway.url)
        assert call("POST", url, json={"progress": 100, "download_url": "https://example.com/v.mp4"}).ok


def _worker_environ(port: int) -> dict[str, str]:
    return {
        "RENDERLINE_METRICS_BIND": f"127.0.0.1:{port}",
        "RENDERLINE_POLL_MIN": "0.5",
        "RENDERLINE_SWEEP_EVERY": "1",
        "RENDERLINE_CANARY_INTERVAL": "1",
        "RENDERLINE_LEASE": "10",
        "RENDERLINE_HOOK_ATTEMPTS": "1",
        "RENDERLINE_OUTAGE_PROBE": "2",
        "RENDERLINE_EVIDENCE_WINDOW": str(EVIDENCE_WINDOW),
        "RENDERLINE_WAIT_FOR_DISK": "never",
        "RENDERLINE_PUBLIC_URL": PUBLIC_URL,
        "RENDERLINE_SECRET_KEY": SECRET_KEY,
    }


@contextmanager
def opened() -> Iterator[Stage]:
    """Start everything, Prometheus last; all of it ends with the context."""
    with System.open() as system, HookEndpoint() as endpoint, Redis.from_url(system.valkey.url) as redis:
        sandbox = system.sandbox("--render-seconds", "2", "--token-seconds", "25", "--webhooks", "none")
        accounts = system.directory / "accounts.toml"
        accounts.write_text(_ACCOUNTS.format(key=_KEY, url=sandbox.url))
        gateway = system.gateway(
            RENDERLINE_API_KEYS_REQUIRED="true",
            RENDERLINE_PUBLIC_URL=PUBLIC_URL,
            RENDERLINE_SECRET_KEY=SECRET_KEY,
            RENDERLINE_LEASE="10",
            AISTUDIOS_ACCOUNTS=str(accounts),
            AISTUDIOS_APP_ID="",
            AISTUDIOS_USER_KEY="",
        )
        port = free_port()
        (worker,) = system.workers(1, sandbox.url, **_worker_environ(port))
        with Redis.from_url(system.valkey.url, decode_responses=True) as client:
            key = ApiKeys(client).create("benchmark", ["operator"])
        targets = {
            "renderline-gateway": [f"127.0.0.1:{gateway.port}"],
            "renderline-worker": [f"127.0.0.1:{port}"],
        }
        prometheus = system.keep(Prometheus(system.directory, targets))
        stage = Stage(system, redis, sandbox, gateway, worker, endpoint, key, port, prometheus)
        endpoint.answer = lambda _: stage.hooks_answer
        yield stage


def later_request(size: int) -> bytes:
    """Return a message of the queue of requests, as a later version might send it."""
    body = [[], {"request": {"kind": "project", "padding": "e" * size}, "key": None}, {}]
    message = {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "renderline.request", "id": "later", "renderline_version": 99},
        "properties": {
            "delivery_tag": "later",
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "requests"},
            "priority": 0,
        },
    }
    return json.dumps(message).encode()
