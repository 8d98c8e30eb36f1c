"""The stand-in for Renderline: accepts requests, renders them in virtual time, and delivers their hooks."""

from __future__ import annotations

import base64
import fnmatch
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from renderline import contract
from renderline.testing.broker import FakeCelery
from renderline.testing.clock import Clock
from renderline.testing.deliveries import Delivered, body_of, iso, sign
from renderline.testing.render import FakeRender
from renderline.testing.scenario import Scenario

KINDS = frozenset(
    {
        "audio",
        "document_video",
        "dubbing",
        "edit",
        "export",
        "from_project",
        "project",
        "script_video",
        "simple_custom",
        "simple_video",
        "slides",
        "template",
        "topic_video",
        "url_video",
        "v2_edit",
        "v2_project",
        "v2_simple_audio",
        "v2_simple_video",
    }
)
HOOK_SECRET = "whsec_" + base64.b64encode(b"renderline.testing, 32 bytes it is").decode()
RETRIES: Sequence[float] = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
"""Seconds before each retry of a hook; then it is dead-lettered. A real one is retried for three days by default."""

_EVENTS = {"failed": "render.failed", "expired": "render.expired", "canceled": "render.canceled"}
_DEFAULT_EVENTS = ("render.completed", "render.failed", "render.expired")

Receiver = Callable[[Delivered], int | None]
"""Receives a delivery; returns an HTTP status, None for 200. An exception is an endpoint that was not reached."""


class RequestRefused(ValueError):
    """The request is wrong."""


class KeyConflict(ValueError):
    """The idempotency key was used before with another request."""


class FakeRenderline:
    """Renderline without server, vendor and waiting. `app` is what `renderline.producer` takes as its application."""

    def __init__(self, *, hook_secret: str = HOOK_SECRET) -> None:
        self.clock = Clock()
        self.hook_secret = hook_secret
        self.app = FakeCelery(self._accept, self._fields, self.clock)
        self.deliveries: list[Delivered] = []
        """Every delivery of a hook so far, retries included."""
        self._renders: dict[str, FakeRender] = {}
        self._fingerprints: dict[str, str] = {}
        self._scenario = Scenario()
        self._scenarios: list[tuple[Callable[[Mapping[str, Any]], bool], Scenario]] = []
        self._receivers: list[tuple[str, Receiver]] = []

    # -- what a test says

    def will(self, scenario: Scenario, *, when: Callable[[Mapping[str, Any]], bool] | None = None) -> None:
        """Set what becomes of later renders: of all, or of those for whose request `when` returns true."""
        if when is None:
            self._scenario = scenario
        else:
            self._scenarios.insert(0, (when, scenario))

    def on_hook(self, pattern: str, receiver: Receiver) -> None:
        """Deliver hooks to a function: those whose URL (celery hooks: `task@queue`) matches a pattern such as
        `https://billing.example/*`. Hooks that nothing matches are delivered, and only kept in `deliveries`.
        """
        self._receivers.insert(0, (pattern, receiver))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def run(self) -> None:
        """Let time pass until every render has ended, and every hook is delivered or dead-lettered."""
        self.clock.run()

    def record(self, render_id: str) -> dict[str, Any]:
        """Return the public record of a render; raises KeyError for an unknown one."""
        return self._renders[render_id].record()

    @property
    def requests(self) -> dict[str, dict[str, Any]]:
        """The accepted requests by render id, in the order of their acceptance."""
        return {one: dict(render.request) for one, render in self._renders.items()}

    def cancel(self, render_id: str) -> None:
        """Cancel a render, as an operator would; nothing happens if it has ended."""
        render = self._renders[render_id]
        if not render.ended and render.state != "completed":
            render.go("canceled")
            self._run_hooks(render, 0)

    # -- what Renderline does

    def _accept(self, message_id: str, kwargs: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
        request, key = kwargs.get("request"), kwargs.get("key")
        if not isinstance(request, Mapping):
            raise RequestRefused("request: must be an object")
        if request.get("kind") not in KINDS:
            raise RequestRefused(f"kind: must be one of {', '.join(sorted(KINDS))}")
        scenario = next((one for when, one in self._scenarios if when(request)), self._scenario)
        if scenario.refused:
            raise RequestRefused("\n".join(f"{path}: {why}" for path, why in scenario.refused.items()))
        tenant = request.get("tenant") or contract.DEFAULT_TENANT
        if key is None:
            render_id = contract.render_id_for_message(message_id, tenant)
        else:
            render_id = contract.render_id_for_key(key, tenant)
        # Only JSON goes through a broker.
        text = json.dumps(request, sort_keys=True)
        if self._fingerprints.setdefault(render_id, text) != text:
            raise KeyConflict(f"render {render_id} was accepted with another request under the same key")
        if render_id not in self._renders:
            self._begin(render_id, json.loads(text), scenario, headers.get(contract.REQUEST_ID_HEADER))
        return render_id

    def _begin(self, render_id: str, request: Mapping[str, Any], scenario: Scenario, request_id: str | None) -> None:
        render = FakeRender(render_id, request, scenario, now=lambda: self.clock.now, changed=self._publish)
        render.request_id = request_id
        self._renders[render_id] = render
        render.go("accepted")
        self.clock.call_in(scenario.rate_limited, lambda: self._submit(render))

    def _submit(self, render: FakeRender) -> None:
        if render.ended:
            return
        scenario = render.scenario
        render.go("submitting")
        render.go("rendering")
        for step in range(1, scenario.steps):
            progress = 100.0 * step / scenario.steps
            self.clock.call_in(scenario.seconds * step / scenario.steps, partial(self._progress, render, progress))
        self.clock.call_in(scenario.seconds + scenario.notice, lambda: self._finish(render))
        self.clock.call_in(render.deadline, lambda: self._expire(render))

    def _progress(self, render: FakeRender, progress: float) -> None:
        if render.state == "rendering":
            render.report(progress)

    def _finish(self, render: FakeRender) -> None:
        if render.state != "rendering":
            return
        if render.scenario.fails:
            render.fail("failed", *render.scenario.fails, "vendor")
        else:
            render.progress, render.download_url = 100.0, f"https://vendor.example/{render.id}.mp4"
            render.go("completed")
        self._run_hooks(render, 0)

    def _expire(self, render: FakeRender) -> None:
        if render.state == "rendering":
            render.fail("expired", "deadline", f"not ready within {render.deadline:g} s", "renderline")
            self._run_hooks(render, 0)

    def _run_hooks(self, render: FakeRender, index: int) -> None:
        hooks = render.request.get("hooks") or []
        if index < len(hooks):
            self._run_hook(render, index, hooks[index])
        elif render.state == "completed":
            dead = any(one["state"] == "dead" for one in render.hooks)
            render.go("undelivered" if dead else "delivered")

    def _run_hook(self, render: FakeRender, index: int, hook: Mapping[str, Any]) -> None:
        shown = render.hooks[index]
        event = _EVENTS.get(render.state, "render.completed")
        wanted = ("render.completed",) if hook["type"] == "download" else hook.get("events") or _DEFAULT_EVENTS
        if event not in wanted:
            shown["state"] = "skipped"
            self._run_hooks(render, index + 1)
            return
        shown["attempts"] += 1
        failure = self._deliver(render, index, hook, event)
        shown["error"], shown["at"] = failure, iso(self.clock.now)
        retries = () if failure and failure.endswith("410") else RETRIES
        if failure is None:
            shown["state"] = "delivered"
        elif shown["attempts"] <= len(retries):
            self.clock.call_in(retries[shown["attempts"] - 1], lambda: self._run_hook(render, index, hook))
            return
        else:
            shown["state"] = "dead"
        self._run_hooks(render, index + 1)

    def _deliver(self, render: FakeRender, index: int, hook: Mapping[str, Any], event: str) -> str | None:
        """Deliver a hook once; return why that failed."""
        if hook["type"] == "download":
            render.stored_url = f"memory://videos/{render.id}.mp4"
            return None
        body = body_of(event, self.clock.now, render.record())
        if hook["type"] == "celery":
            return self._give(Delivered(f"{hook['task']}@{hook['queue']}", body))
        webhook_id, second = f"msg_{render.id}_1_{index}", int(self.clock.now)
        headers = {
            **({"X-Request-ID": render.request_id} if render.request_id else {}),
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(second),
            "webhook-signature": sign(self.hook_secret, webhook_id, second, body),
        }
        return self._give(Delivered(hook.get("url") or f"endpoint {hook.get('endpoint')}", body, headers))

    def _give(self, delivered: Delivered) -> str | None:
        self.deliveries.append(delivered)
        receiver = next((one for pattern, one in self._receivers if fnmatch.fnmatch(delivered.url, pattern)), None)
        if receiver is None:
            return None
        try:
            status = receiver(delivered)
        except AssertionError:
            # The test's own.
            raise
        except Exception as error:
            return f"was not reached: {type(error).__name__}: {error}"
        return None if status is None or 200 <= status < 300 else f"answered {status}"

    def _publish(self, render: FakeRender) -> None:
        self.app.event(render.id, {"state": render.state, "progress": f"{render.progress:g}"})

    def _fields(self, render_id: str) -> dict[str, str]:
        render = self._renders.get(render_id)
        return render.fields() if render else {}
