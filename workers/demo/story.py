"""What the demo asks for: the example payloads and compact requests, some of which meet trouble on the way."""

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
class Episode:
    """One render of the demo: its idempotency key, what the screen calls it, its request, and what it meets."""

    key: str
    title: str
    request: dict[str, Any]
    trouble: str | None = None
    refused_callback: bool = False
    celery_hook: bool = False

    @property
    def path(self) -> str:
        """Return the path of the render's callback at the receiver."""
        return f"/done/{self.key}"


def episodes(callback_base: str) -> list[Episode]:
    """Return the demo's renders; each is downloaded, then announced at `callback_base`."""
    return [_with_hooks(episode, callback_base) for episode in (*_payloads(), *_compact(), *_troubled())]


def _payloads() -> Iterator[Episode]:
    yield Episode("seed", "Seed payload", _full("project", "v3-seed-landscape.json"))
    yield Episode("two-scenes", "Two scenes", _full("project", "v3-two-scenes.json"))
    yield Episode("create-1-6", "v3 reference", _full("project", "v3-create-project-1.6.json"))
    yield Episode("simple", "Simple video", _full("simple_video", "v3-simple-video.json"))
    yield Episode("v2", "v2 payload", _full("v2_project", "v2-seed-minimal.json"))


def _compact() -> Iterator[Episode]:
    yield Episode("hello", "Compact, landscape", _scenes("Hello from one of several workers."))
    yield Episode("portrait", "Compact, portrait", _scenes("Hello, upright.", orientation="portrait"))
    long = _scenes("First this.", "Then that.", "And a last word.")
    yield Episode("three", "Compact, 3 scenes", {**long, "priority": "high"}, celery_hook=True)


def _troubled() -> Iterator[Episode]:
    yield Episode("500", "Vendor fails once", _scenes("[sandbox:500] Up again."), "500, tried again")
    yield Episode("429", "Vendor is busy", _scenes("[sandbox:429] Now it is our turn."), "429, waited")
    yield Episode("drop", "Answer is lost", _scenes("[sandbox:drop] Not paid twice."), "no answer, looked it up")
    yield Episode("503", "Receiver is down", _scenes("Told twice."), "callback got 503, repeated", True)


def _full(kind: str, file: str) -> dict[str, Any]:
    payload = json.loads((EXAMPLES / file).read_text(encoding="utf-8"))
    # The address in the vendor's samples is nobody's.
    payload.pop("webhookUrl", None)
    return {"kind": kind, "payload": payload}


def _scenes(*scripts: str, orientation: str = "landscape") -> dict[str, Any]:
    scenes = [{"script": script, "avatar": _AVATAR} for script in scripts]
    return {"kind": "project", "orientation": orientation, "resolution": "1080", "scenes": scenes}


def _with_hooks(episode: Episode, callback_base: str) -> Episode:
    hooks: list[dict[str, Any]] = [{"type": "download"}, {"type": "http", "url": callback_base + episode.path}]
    if episode.celery_hook:
        hooks.append({"type": "celery", "task": CELERY_TASK, "queue": CELERY_QUEUE})
    request = {**episode.request, "hooks": hooks, "metadata": {"demo": episode.key}}
    if "name" not in request.get("payload", {}):
        request["name"] = f"Demo: {episode.title}"
    return Episode(episode.key, episode.title, request, episode.trouble, episode.refused_callback, episode.celery_hook)
