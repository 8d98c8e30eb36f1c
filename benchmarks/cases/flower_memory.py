"""The memory of Flower after it has seen 100,000 tasks, each with the events that a worker sends of it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from celery import Celery
from celery.events import EventDispatcher

from benchmarks.result import BenchmarkResult, Row, Say
from benchmarks.system import System
from harness import Flower, call, until
from renderline import contract

TITLE = "Memory of Flower with 100,000 tasks seen"
TASKS = 100_000
TARGET = 100.0
_LOGIN = ("ops", "flower-password-of-the-benchmarks")
_AT_ONCE = 200
_SAY_EVERY = 20_000


def run(say: Say) -> BenchmarkResult:
    """Send the events over the broker, as fast as Flower takes them, and read the memory of its process.

    Flower saves its tasks every minute, and the page of renders is read before and after.
    """
    with System.open() as system:
        environ = {"RENDERLINE_DATA_DIR": str(system.directory), "FLOWER_BASIC_AUTH": ":".join(_LOGIN)}
        flower = system.keep(Flower(system.log("flower"), {"REDIS_URL": system.valkey.url, **environ}))
        flower.wait_ready()
        assert call("GET", f"{flower.url}/renders", auth=_LOGIN).ok
        begin = _memory(flower)
        app = Celery("events", broker=system.valkey.url)
        with app.connection() as connection:
            options = {"hostname": "worker@there", "buffer_group": {"task"}, "buffer_limit": 3 * _AT_ONCE}
            with app.events.Dispatcher(connection, on_send_buffered=None, **options) as events:
                until(lambda: _sees(flower, _send(events, 1)), what="Flower receives events")
                for sent in range(_AT_ONCE, TASKS + 1, _AT_ONCE):
                    last = _send(events, _AT_ONCE)
                    until(lambda one=last: _sees(flower, one), what="its newest task in Flower")
                    if sent % _SAY_EVERY == 0:
                        say(f"{sent:,} tasks: {_memory(flower):.1f} MB")
        app.close()
        _wait_for_save(system.directory / "flower")
        assert call("GET", f"{flower.url}/renders", auth=_LOGIN).ok
        end, peak = _memory(flower), _memory(flower, "VmHWM")
    say(f"{begin:.1f} MB at first, {end:.1f} MB at the end, {peak:.1f} MB at most")
    row = Row("memory of Flower with 100,000 tasks seen, at most", peak, TARGET, "MB", note=f"{begin:.0f} MB at first")
    figures = {"begin_mb": round(begin, 1), "end_mb": round(end, 1), "peak_mb": round(peak, 1), "tasks": TASKS}
    return BenchmarkResult("flower_memory", TITLE, [row], figures)


def _send(events: EventDispatcher, count: int) -> str:
    """Send what a worker sends of that many submissions; returns the id of the last one."""
    task = ""
    for _ in range(count):
        task, render = str(uuid.uuid4()), uuid.uuid4().hex
        about = {"retries": 0, "eta": None, "expires": None, "root_id": task, "parent_id": None}
        events.send("task-received", uuid=task, name=contract.SUBMIT, args=f"('{render}',)", kwargs="{}", **about)
        events.send("task-started", uuid=task)
        kwargs = repr({"customer": render[:8], "name": f"Autumn campaign, customer {render[:8]}"})
        events.send("task-succeeded", uuid=task, result="rendering", runtime=0.25, kwargs=kwargs)
    events.flush()
    return task


def _wait_for_save(folder: Path) -> None:
    """Wait until Flower has saved its tasks once more: it makes a copy of all for that."""
    sent = time.time()
    until(lambda: any(file.stat().st_mtime > sent for file in folder.iterdir()), what="a save", seconds=90)


def _sees(flower: Flower, task: str) -> bool:
    return call("GET", f"{flower.url}/api/task/info/{task}", auth=_LOGIN).status_code == 200


def _memory(flower: Flower, what: str = "VmRSS") -> float:
    """Return megabytes (10^6 bytes) of its process: resident now, or (VmHWM) at most so far."""
    lines = Path(f"/proc/{flower.popen.pid}/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(f"{what}:")]
    return int(kilobytes) * 1024 / 1e6
