"""Every process of a system under its own user of the broker, and one pass through what each of them does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery

from harness.broker_users import HasAddress, url_of
from harness.fork_server import forked_worker
from harness.forked_sandbox import ForkedSandbox
from harness.gateway import ForkedGateway
from harness.hook_endpoint import HookEndpoint
from harness.http_call import call
from harness.parts import Parts
from harness.processes import Flower
from harness.samples import HOOK_SECRET, USER_KEY, a_request
from harness.waiting import until
from renderline.producer import celery_options, enqueue_render, enqueue_renders, wait_for

LOGIN = ("ops", "flower-password-of-the-tests")
SCRIPT = "Marmalade and xylophones, confidentially"


class Roles(Parts):
    """A worker, the gateway, Flower, a producer and an operator on one broker."""

    def __init__(
        self, server: HasAddress, directory: Path, command_line: Callable[..., Any], *, users: bool = True
    ) -> None:
        super().__init__()
        self.server, self.directory, self._users = server, directory, users
        self.operator = command_line(self.environ("operator"))

    def environ(self, role: str) -> dict[str, str]:
        """Return the settings of a role."""
        return {
            "REDIS_URL": self._url(role),
            "AISTUDIOS_APP_ID": "studioV3.tests",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (self.directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(self.directory),
            "RENDERLINE_POLL_MIN": "0.2",
            "RENDERLINE_SWEEP_EVERY": "0.5",
            "RENDERLINE_LEASE": "6",
            "RENDERLINE_SLOW_LEASE": "6",
            # The sandbox is never late.
            "RENDERLINE_EVIDENCE_WINDOW": "3",
        }

    def _url(self, role: str) -> str:
        return url_of(self.server, role) if self._users else self.server.url

    def _start(self) -> None:
        self.sandbox = ForkedSandbox(self.directory / "sandbox.log", "--render-seconds", "0.3")
        self._ending.callback(self.sandbox.kill)
        self.endpoint = self._ending.enter_context(HookEndpoint())
        vendor = {"AISTUDIOS_BASE_URL": self.sandbox.url, "AISTUDIOS_V2_BASE_URL": self.sandbox.url}
        self.worker = forked_worker(
            self.directory / "worker.log",
            queues="requests,submit,poll,hooks",
            environ={**self.environ("worker"), **vendor, "RENDERLINE_WAIT_FOR_DISK": "auto"},
        )
        self._ending.callback(self.worker.kill)
        self.flower = Flower(
            self.directory / "flower.log", {**self.environ("flower"), "FLOWER_BASIC_AUTH": ":".join(LOGIN)}
        )
        self._ending.callback(self.flower.kill)
        keys = {
            "RENDERLINE_API_KEYS_REQUIRED": "true",
            "RENDERLINE_API_RATE": "1000/minute",
            "RENDERLINE_CELERY_HOOKS": "billing.video_ready@billing",
        }
        self.gateway = ForkedGateway(self.directory / "gateway.log", **{**self.environ("gateway"), **vendor, **keys})
        self._ending.callback(self.gateway.kill)
        self.operator.environ.update(vendor)
        self.worker.wait_ready()
        self.flower.wait_ready()
        self.app = self._ending.enter_context(Celery("billing", set_as_current=False))
        self.app.conf.update(celery_options(self._url("producer")))

    def request(self, **fields: Any) -> dict[str, Any]:
        """Return a request with a hook of each type."""
        hooks = [
            {"type": "download"},
            {"type": "http", "url": self.endpoint.url},
            {"type": "celery", "task": "billing.video_ready", "queue": "billing"},
        ]
        return a_request(SCRIPT, hooks=hooks, metadata={"order": "confidential"}, **fields)

    def produce(self) -> str:
        """Enqueue as another service does, and wait for the video; returns the render's id."""
        render = enqueue_render(self.app, self.request(), key="order-1", wait=30)
        many = enqueue_renders(self.app, [("order-2", self.request()), ("order-1", self.request())])
        assert many[1] == render
        outcome = wait_for(self.app, render, timeout=60)
        assert outcome.state == "delivered", outcome
        assert outcome.stored_url
        by_name = self.app.send_task(
            "renderline.request", kwargs={"request": self.request(), "key": "order-1"}, queue="requests"
        )
        assert by_name.get(timeout=30) == render
        return render

    def use_http(self) -> None:
        """Make calls with an API key, and follow a render to its end."""
        key = self.operator.json("keys", "create", "tests", "--scope", "admin")["key"]
        auth = {"Authorization": f"Bearer {key}"}

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = self.gateway.ask(method, path, body, headers=auth)
            assert answer.ok, answer.text
            return answer

        one = ask("POST", "/v1/renders", self.request()).json()["id"]
        assert ask(
            "POST", "/v1/renders/batch", {"requests": [{"request": self.request()}, {"request": self.request()}]}
        ).ok
        until(lambda: ask("GET", f"/v1/renders/{one}").json()["state"] == "delivered", what="a render over HTTP")
        assert ask("GET", "/v1/renders?limit=2").json()
        assert self.gateway.ask("GET", "/readyz").ok
        metrics = self.gateway.ask("GET", "/metrics").text
        assert "renderline_ledger_up 1.0" in metrics
        assert metrics.count("renderline_queue_messages{") > 4, "the four queues, and those of celery hooks"
        for path in (
            "/v1/models",
            "/v1/projects",
            f"/v1/projects/{ask('GET', f'/v1/renders/{one}').json()['project_id']}",
        ):
            until(lambda path=path: self.gateway.ask("GET", path, headers=auth).ok, what=f"a worker to read {path}")
        ask("POST", "/v1/accounts/default/pause")
        ask("POST", "/v1/accounts/default/resume")
        # Each operation reaches its step in the ledger, which refuses it: the render has been delivered.
        for what in ("cancel", "retry", "resubmit", "fail", "hooks/0/replay", "hooks/0/discard"):
            answer = self.gateway.ask("POST", f"/v1/renders/{one}/{what}", headers=auth)
            assert answer.status_code == 409, (what, answer.text)
        project = {"project_id": "65fa6b07dca2e367461a2925"}
        assert self.gateway.ask("POST", f"/v1/renders/{one}/adopt", project, headers=auth).status_code == 409
        assert ask("GET", "/v1/dead-letters").json()

    def watch(self) -> None:
        """Read Flower's pages."""

        def pages(path: str) -> Any:
            answer = call("GET", f"{self.flower.url}{path}", auth=LOGIN)
            assert answer.ok, answer.text
            return answer

        until(lambda: pages("/workers?json=1").json()["data"], what="a worker in Flower")
        (name,) = [worker["hostname"] for worker in pages("/workers?json=1").json()["data"]]
        assert pages("/api/workers?refresh=1").json()[name]["registered"]
        for path in (
            "/broker",
            "/tasks",
            "/api/tasks",
            "/api/queues/length",
            f"/worker/{name}",
            "/metrics",
            "/renders",
        ):
            pages(path)
        (found, *_) = pages("/renders").text.split("/renders/")[1:]
        shown = pages(f"/renders/{found[:32]}").text
        assert SCRIPT not in shown
        for text in ("a%20word", "name:x", "key:order-1", "order:confidential", "state:delivered%20held:no"):
            pages(f"/renders?q={text}")

    def everything_said(self) -> str:
        """Return what the processes log, print and show of themselves: no password may be in it."""
        pages = [
            call("GET", f"{self.flower.url}{path}", auth=LOGIN) for path in ("/workers", "/broker", "/api/workers")
        ]
        assert all(page.ok for page in pages)
        lengths = call("GET", f"{self.flower.url}/api/queues/length", auth=LOGIN).json()["active_queues"]
        assert {queue["name"] for queue in lengths} >= {"requests", "submit", "poll", "hooks"}, lengths
        control = self.worker_control()
        logs = [process.output() for process in (self.worker, self.flower, self.gateway)]
        return "\n".join([*logs, *(page.text for page in pages), control, str(self.operator("doctor"))])

    def worker_control(self) -> str:
        """Return the worker's answers to `inspect stats` and `inspect conf`."""
        with Celery("asking", set_as_current=False) as app:
            app.conf.update(celery_options(self._url("operator")))
            found = app.control.inspect(timeout=3)
            answers = found.stats(), found.conf(with_defaults=False)
        assert all(answers)
        return json.dumps(answers)

    def operate(self, render: str) -> None:
        """Use the command line."""
        checks = self.operator.json("doctor")["checks"]
        assert [check for check in checks if check["verdict"] == "fail"] == []
        assert self.operator.json("status", render)[0]["state"] == "delivered"
        assert self.operator.json("models", "--refresh")
        assert self.operator("pause", "default").code == 0
        (submitted,) = self.operator.json("submit", "-", given=json.dumps(self.request()))
        canceled = self.operator("cancel", submitted["id"])
        assert canceled.code == 0, canceled
