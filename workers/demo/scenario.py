"""The renders of the demo: example payloads and compact requests, some with a fault on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CELERY_TASK = "demo.video_ready"
CELERY_QUEUE = "demo"

_AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}


@dataclass(frozen=True)
class DemoRender:
    """One render of the demo: its idempotency key, its title on screen, its request, and its fault."""

    key: str
    title: str
    request: dict[str, Any]
    fault: str | None = None
    refused_delivery: bool = False
    celery_hook: bool = False

    @property
    def path(self) -> str:
        """Return the path of the render's HTTP hook."""
        return f"/done/{self.key}"


def renders(hook_base: str) -> list[DemoRender]:
    """Return the demo's renders; each has a download hook, then an HTTP hook below `hook_base`."""
    return [_with_hooks(render, hook_base) for render in (*_payloads(), *_compact(), *_faulty())]


def _payloads() -> Iterator[DemoRender]:
    yield DemoRender("seed", "Seed payload", _full("project", "v3-seed-landscape.json"))
    yield DemoRender("two-scenes", "Two scenes", _full("project", "v3-two-scenes.json"))
    yield DemoRender("create-1-6", "v3 reference", _full("project", "v3-create-project-1.6.json"))
    yield DemoRender("simple", "Simple video", _full("simple_video", "v3-simple-video.json"))
    yield DemoRender("v2", "v2 payload", _full("v2_project", "v2-seed-minimal.json"))
    yield DemoRender("custom", "Own avatar", _example("simple-custom.json"))
    yield DemoRender("speech", "Speech", _example("audio.json"))
    yield DemoRender("v2-speech", "v2 speech", _example("v2-simple-audio.json"))


def _compact() -> Iterator[DemoRender]:
    yield DemoRender("hello", "Compact, landscape", _scenes("Hello from one of several workers."))
    yield DemoRender("portrait", "Compact, portrait", _scenes("Hello, upright.", orientation="portrait"))
    long = _scenes("First this.", "Then that.", "And a last word.")
    yield DemoRender("three", "Compact, 3 scenes", {**long, "priority": "high"}, celery_hook=True)


def _faulty() -> Iterator[DemoRender]:
    yield DemoRender("500", "Vendor fails once", _scenes("[sandbox:500] Up again."), "500, retried")
    yield DemoRender("429", "Vendor is busy", _scenes("[sandbox:429] Now it is our turn."), "429, waited")
    yield DemoRender("drop", "Answer is lost", _scenes("[sandbox:drop] Not paid twice."), "no answer, found by reading")
    yield DemoRender("503", "Endpoint is down", _scenes("Sent twice."), "hook got 503, retried", True)


def _example(file: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((EXAMPLES / file).read_text(encoding="utf-8"))
    return request


def _full(kind: str, file: str) -> dict[str, Any]:
    payload = json.loads((EXAMPLES / file).read_text(encoding="utf-8"))
    # The webhook URL in the vendor's samples is not ours.
    payload.pop("webhookUrl", None)
    return {"kind": kind, "payload": payload}


def _scenes(*scripts: str, orientation: str = "landscape") -> dict[str, Any]:
    scenes = [{"script": script, "avatar": _AVATAR} for script in scripts]
    return {"kind": "project", "orientation": orientation, "resolution": "1080", "scenes": scenes}


def _with_hooks(render: DemoRender, hook_base: str) -> DemoRender:
    hooks: list[dict[str, Any]] = [{"type": "download"}, {"type": "http", "url": hook_base + render.path}]
    if render.celery_hook:
        hooks.append({"type": "celery", "task": CELERY_TASK, "queue": CELERY_QUEUE})
    request = {**render.request, "hooks": hooks, "metadata": {"demo": render.key}}
    if "name" not in request.get("payload", {}):
        request["name"] = f"Demo: {render.title}"
    return DemoRender(render.key, render.title, request, render.fault, render.refused_delivery, render.celery_hook)
