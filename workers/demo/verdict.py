"""What must be true at the end of the demo, each checked on what really came out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import unquote, urlsplit

from celery import Celery

from workers.demo.performance import ask
from workers.demo.receiver import Callback
from workers.demo.stage import Stage
from workers.demo.story import CELERY_QUEUE, CELERY_TASK, Episode

Record = Mapping[str, Any]


class Broken(AssertionError):
    """Something that the demo promises is not so; the text says what."""


@dataclass(frozen=True)
class Outcome:
    """Everything that the demo left behind."""

    stage: Stage
    episodes: Sequence[Episode]
    records: Sequence[Record]
    callbacks: Sequence[Callback]
    app: Celery
    workers: int


def verdicts(outcome: Outcome) -> Iterator[tuple[str, bool, str]]:
    """Yield (subject, whether it holds, what was found) for everything that the demo promises."""
    checks: dict[str, Callable[[Outcome], str]] = {
        "renders": renders_delivered,
        "files": files_playable,
        "callbacks": callbacks_signed,
        "celery": celery_hook_published,
        "vendor": vendor_paid_once,
        "Flower": flower_guarded,
    }
    for subject, check in checks.items():
        try:
            yield subject, True, check(outcome)
        except Broken as broken:
            yield subject, False, str(broken)


def renders_delivered(outcome: Outcome) -> str:
    """Every render reached `delivered`, those with trouble on the way too."""
    for episode, record in zip(outcome.episodes, outcome.records, strict=True):
        if record["state"] != "delivered":
            raise Broken(f"{episode.title} ended as {record['state']}: {record['error'] or record['hooks']}")
    troubled = sum(1 for episode in outcome.episodes if episode.trouble)
    return f"{len(outcome.records)} delivered by {outcome.workers} workers, {troubled} of them after a fault"


def files_playable(outcome: Outcome) -> str:
    """Every render left an MP4 file of its own."""
    digests = set()
    probe = shutil.which("ffprobe")
    for episode, record in zip(outcome.episodes, outcome.records, strict=True):
        path = Path(unquote(urlsplit(record["stored_url"] or "").path))
        content = path.read_bytes() if path.is_file() else b""
        if content[4:8] != b"ftyp":
            raise Broken(f"{episode.title}: {path} is not an MP4 file")
        if probe and subprocess.run([probe, "-v", "error", str(path)], capture_output=True, check=False).returncode:
            raise Broken(f"{episode.title}: ffprobe cannot read {path}")
        digests.add(hashlib.sha256(content).hexdigest())
    if len(digests) != len(outcome.records):
        raise Broken("two renders left the same bytes")
    where = outcome.stage.videos
    return f"{len(digests)} MP4 files, all different{', all read by ffprobe' if probe else ''}: {where}"


def callbacks_signed(outcome: Outcome) -> str:
    """Every render was announced by a callback whose signature holds; the refused one came again under its id."""
    callbacks = outcome.callbacks
    if not all(callback.event for callback in callbacks):
        raise Broken("a callback's signature does not hold")
    for episode, record in zip(outcome.episodes, outcome.records, strict=True):
        mine = [callback for callback in callbacks if callback.path == episode.path]
        taken = [callback.event for callback in mine if callback.answer == 204]
        if not taken or taken[0] is None or taken[0]["type"] != "render.completed":
            raise Broken(f"{episode.title}: no callback said render.completed")
        if taken[0]["data"]["id"] != record["id"] or not taken[0]["data"]["stored_url"]:
            raise Broken(f"{episode.title}: the callback is about something else")
        if len({callback.webhook_id for callback in mine}) != 1:
            raise Broken(f"{episode.title}: a repeated callback changed its id")
        if episode.refused_callback and [callback.answer for callback in mine][:2] != [503, 204]:
            raise Broken(f"{episode.title}: the refused callback was not repeated")
    return f"{len(callbacks)} received, every signature verified; the one answered 503 came again under the same id"


def celery_hook_published(outcome: Outcome) -> str:
    """The Celery hook published its task on the other service's queue."""
    with outcome.app.connection_for_read() as connection, connection.SimpleQueue(CELERY_QUEUE) as queue:
        try:
            message = queue.get(timeout=5)
        except Empty:
            raise Broken(f"nothing came on queue {CELERY_QUEUE}") from None
        message.ack()
    (arguments, _, _), task = message.payload, message.headers["task"]
    if task != CELERY_TASK or arguments[0]["type"] != "render.completed":
        raise Broken(f"queue {CELERY_QUEUE} got {task}")
    return f"{task} received on queue {CELERY_QUEUE}"


def vendor_paid_once(outcome: Outcome) -> str:
    """The vendor rendered each request once, repeated requests and lost answers notwithstanding."""
    stats = ask(f"{outcome.stage.sandbox_url}/_sandbox/stats").json()
    renders = len(outcome.records)
    if stats["exports"] != renders:
        raise Broken(f"{stats['exports']} renders were paid for instead of {renders}")
    if stats["tokens_issued"] != 1:
        raise Broken(f"{stats['tokens_issued']} tokens were asked for instead of 1")
    return f"{renders} paid renders for {renders + 1} requests (one was sent twice), 1 token for all workers"


def flower_guarded(outcome: Outcome) -> str:
    """Flower answers with its password, and only with it, and knows every worker."""
    url = outcome.stage.flower_url
    if ask(url).status_code != 401:
        raise Broken("the page can be read without a password")
    page = ask(f"{url}workers?json=1", auth=outcome.stage.flower_login)
    if page.status_code != 200:
        raise Broken(f"the page answered {page.status_code} to its password")
    seen = sum(1 for worker in page.json()["data"] if worker["status"])
    if seen != outcome.workers:
        raise Broken(f"it shows {seen} of {outcome.workers} workers")
    return f"shows {seen} workers: {url}"
