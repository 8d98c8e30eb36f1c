"""A system with webhooks: the gateway as a process, its public URL, and a vendor for each account."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis import Redis

from harness import USER_KEY, SandboxProcess, Server, free_port, until
from harness.fork_server import ForkedServer
from harness.forked_sandbox import ForkedSandbox
from harness.gateway import gateway_command
from renderline.ledger import Ledger
from renderline.signed_urls.webhook_urls import WebhookUrls
from tests.acceptance.conftest import V2_KEY, System

SECRET_KEY = "a key that signs webhook addresses in tests"
NEVER = "500"
"""Seconds between polls, as a setting: no test waits so long."""


@dataclass
class WebhookSystem:
    """A running system whose vendors send webhooks to its gateway, one vendor for each account."""

    system: System
    gateway: Server
    vendors: dict[str, SandboxProcess]
    ledger: Ledger
    urls: WebhookUrls
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    def enqueue(self, request: dict[str, Any], *, account: str) -> str:
        """Send a request for an account and return the render id."""
        return self.system.enqueue({**request, "account": account})

    def record(self, render_id: str) -> dict[str, Any]:
        """Return the present record of a render."""
        record = self.ledger.record(render_id)
        assert record
        return record

    def reaches(self, render_id: str, *states: str, seconds: float = 60.0) -> dict[str, Any]:
        """Return the record once it is in one of the states."""
        until(lambda: self.record(render_id)["state"] in states, seconds=seconds, what=f"{states}")
        return self.record(render_id)

    def delivery(self, render_id: str) -> dict[str, Any]:
        """Return the record that the hook endpoint received when the render was done."""
        while render_id not in self.seen:
            body = json.loads(self.system.hook_endpoint.take()[1])
            assert body["data"]["id"] not in self.seen, "called twice"
            self.seen[body["data"]["id"]] = body["data"]
        return self.seen[render_id]

    def project(self, account: str, render_id: str) -> dict[str, Any]:
        """Return the one project that the account's vendor has of a render."""
        (project,) = (project for project in self.vendors[account].projects() if render_id in project["name"])
        return project

    def url(self, render_id: str, *, attempt: int = 1) -> str:
        """Return an address that the vendor might call, as the workers sign them."""
        return self.urls.url(render_id, attempt=attempt, seconds=600.0)


def calls(vendor: SandboxProcess) -> dict[str, int]:
    """Return the calls that a vendor got, by route, without tokens and files."""
    counts = {name.replace("/api/odin", ""): count for name, count in vendor.counts().items()}
    return {name: count for name, count in counts.items() if "/auth" not in name and "/files" not in name}


@pytest.fixture(scope="module")
def start_webhook_system(start_system: Callable[..., System]) -> Iterator[Callable[..., WebhookSystem]]:
    """Start a system that ends with the module: `vendors` are the sandbox's options by account."""
    with contextlib.ExitStack() as ending:

        def start(vendors: dict[str, tuple[str, ...]], **environ: str) -> WebhookSystem:
            port = free_port()
            public = f"http://127.0.0.1:{port}"
            blank = dict.fromkeys(("AISTUDIOS_APP_ID", "AISTUDIOS_USER_KEY", "AISTUDIOS_V2_SECRET_KEY"), "")
            addresses = {"RENDERLINE_PUBLIC_URL": public, "RENDERLINE_SECRET_KEY": SECRET_KEY}
            # The calls are counted: the pick lists are not read.
            addresses["RENDERLINE_UNKNOWN_NAMES"] = "ignore"
            system = start_system(workers=0, **blank, **addresses, **environ)
            running: dict[str, SandboxProcess] = {}
            for name, options in vendors.items():
                running[name] = ForkedSandbox(system.directory / f"{name}.log", *options)
                ending.callback(running[name].stop)
            tables = (
                f'[[account]]\nname = "{name}"\napp_id = "{name}"\nuser_key = "{USER_KEY}"\n'
                f'v2_secret_key = "{V2_KEY}"\nbase_url = "{vendor.url}"\nv2_base_url = "{vendor.url}"\n'
                for name, vendor in running.items()
            )
            accounts = system.directory / "accounts.toml"
            accounts.write_text("\n".join(tables))
            system.environ["AISTUDIOS_ACCOUNTS"] = str(accounts)
            command = gateway_command(port, threads=8)
            gateway = ForkedServer(command, port=port, log=system.directory / "gateway.log", environ=system.environ)
            gateway.wait_ready()
            ending.callback(gateway.stop)
            system.start_worker()
            redis = ending.enter_context(Redis.from_url(system.valkey.url, decode_responses=True))
            return WebhookSystem(system, gateway, running, Ledger(redis), WebhookUrls(public, SECRET_KEY))

        yield start
