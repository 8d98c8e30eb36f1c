"""The checks at the end of the demo, made on files, messages and HTTP answers."""

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

from workers.demo.deployment import Deployment
from workers.demo.hook_endpoint import Delivery
from workers.demo.scenario import CELERY_QUEUE, CELERY_TASK, DemoRender
from workers.demo.steps import ask

Record = Mapping[str, Any]


class CheckFailed(AssertionError):
    """A promise of the demo does not hold; the text says which."""


@dataclass(frozen=True)
class DemoResult:
    """The results of the demo."""

    deployment: Deployment
    renders: Sequence[DemoRender]
    records: Sequence[Record]
    deliveries: Sequence[Delivery]
    app: Celery
    workers: int


def run_checks(result: DemoResult) -> Iterator[tuple[str, bool, str]]:
    """Yield (subject, whether it holds, what was found) for each check."""
    checks: dict[str, Callable[[DemoResult], str]] = {
        "renders": renders_delivered,
        "files": files_playable,
        "hooks": hooks_signed,
        "celery": celery_hook_published,
        "vendor": vendor_paid_once,
        "Flower": flower_guarded,
    }
    for subject, check in checks.items():
        try:
            yield subject, True, check(result)
        except CheckFailed as failed:
            yield subject, False, str(failed)


def renders_delivered(result: DemoResult) -> str:
    """Every render reached `delivered`, also after a fault."""
    for render, record in zip(result.renders, result.records, strict=True):
        if record["state"] != "delivered":
            raise CheckFailed(f"{render.title} ended as {record['state']}: {record['error'] or record['hooks']}")
    faulty = sum(1 for render in result.renders if render.fault)
    return f"{len(result.records)} delivered by {result.workers} workers, {faulty} of them after a fault"


def files_playable(result: DemoResult) -> str:
    """Every render stored a file of its own: a video, or sound."""
    digests, sound = set(), 0
    probe = shutil.which("ffprobe")
    for render, record in zip(result.renders, result.records, strict=True):
        path = Path(unquote(urlsplit(record["stored_url"] or "").path))
        content = path.read_bytes() if path.is_file() else b""
        if content[4:8] != b"ftyp" and content[8:12] != b"WAVE":
            raise CheckFailed(f"{render.title}: {path} is neither an MP4 nor a WAV file")
        sound += content[8:12] == b"WAVE"
        if probe and subprocess.run([probe, "-v", "error", str(path)], capture_output=True, check=False).returncode:
            raise CheckFailed(f"{render.title}: ffprobe cannot read {path}")
        digests.add(hashlib.sha256(content).hexdigest())
    if len(digests) != len(result.records):
        raise CheckFailed("two renders stored the same bytes")
    where = result.deployment.videos
    kinds = f"{len(digests) - sound} MP4 and {sound} WAV files"
    return f"{kinds}, all different{', all read by ffprobe' if probe else ''}: {where}"


def hooks_signed(result: DemoResult) -> str:
    """Every render's HTTP hook arrived with a valid signature; the refused one was retried with the same id."""
    deliveries = result.deliveries
    if not all(delivery.event for delivery in deliveries):
        raise CheckFailed("a hook's signature is not valid")
    for render, record in zip(result.renders, result.records, strict=True):
        mine = [delivery for delivery in deliveries if delivery.path == render.path]
        taken = [delivery.event for delivery in mine if delivery.answer == 204]
        if not taken or taken[0] is None or taken[0]["type"] != "render.completed":
            raise CheckFailed(f"{render.title}: no hook said render.completed")
        if taken[0]["data"]["id"] != record["id"] or not taken[0]["data"]["stored_url"]:
            raise CheckFailed(f"{render.title}: the hook is about another render")
        if len({delivery.webhook_id for delivery in mine}) != 1:
            raise CheckFailed(f"{render.title}: a retried hook changed its id")
        if render.refused_delivery and [delivery.answer for delivery in mine][:2] != [503, 204]:
            raise CheckFailed(f"{render.title}: the refused hook was not retried")
    return f"{len(deliveries)} received, every signature verified; the one answered 503 was retried with the same id"


def celery_hook_published(result: DemoResult) -> str:
    """The Celery hook published its task on the other service's queue."""
    with result.app.connection_for_read() as connection, connection.SimpleQueue(CELERY_QUEUE) as queue:
        try:
            message = queue.get(timeout=5)
        except Empty:
            raise CheckFailed(f"no message arrived on queue {CELERY_QUEUE}") from None
        message.ack()
    (arguments, _, _), task = message.payload, message.headers["task"]
    if task != CELERY_TASK or arguments[0]["type"] != "render.completed":
        raise CheckFailed(f"queue {CELERY_QUEUE} got {task}")
    return f"{task} received on queue {CELERY_QUEUE}"


def vendor_paid_once(result: DemoResult) -> str:
    """The vendor rendered each request once, despite a repeated request and a lost answer."""
    stats = ask(f"{result.deployment.sandbox_url}/_sandbox/stats").json()
    started = sum(ask(f"{result.deployment.sandbox_url}/_sandbox/charges").json()["started"].values())
    count = len(result.records)
    if started != count:
        raise CheckFailed(f"{started} renders were paid for instead of {count}")
    if stats["tokens_issued"] != 1:
        raise CheckFailed(f"{stats['tokens_issued']} tokens were issued instead of 1")
    return f"{count} paid renders for {count + 1} requests (one was sent twice), 1 token for all workers"


def flower_guarded(result: DemoResult) -> str:
    """Flower answers only with its password, and shows every worker."""
    url = result.deployment.flower_url
    if ask(url).status_code != 401:
        raise CheckFailed("the page can be read without a password")
    page = ask(f"{url}workers?json=1", auth=result.deployment.flower_login)
    if page.status_code != 200:
        raise CheckFailed(f"the page answered {page.status_code} to its password")
    seen = sum(1 for worker in page.json()["data"] if worker["status"])
    if seen != result.workers:
        raise CheckFailed(f"it shows {seen} of {result.workers} workers")
    return f"shows {seen} workers: {url}"
