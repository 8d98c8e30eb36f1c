"""A worker says that it lives while its consumer is checked, and that it is ready while that is not deaf."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT
from workers.liveness import STALE_AFTER, Heartbeat, notify


@dataclass
class Consumer:
    deaf: bool = False


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_lives_until_the_checks_of_its_consumer_stop() -> None:
    clock = Clock()
    heart = Heartbeat(Consumer(), clock=clock, environ={})
    assert heart.healthz() is None, "it has only begun"
    heart.beat()
    clock.now += STALE_AFTER
    assert heart.healthz() is None
    clock.now += 1
    assert heart.healthz() == f"its consumer was not checked for {STALE_AFTER + 1:.0f} s"
    assert heart.readyz() == heart.healthz()
    heart.beat()
    assert heart.healthz() is None


def test_a_deaf_consumer_is_not_ready_and_lives_because_it_mends_itself() -> None:
    consumer = Consumer(deaf=True)
    heart = Heartbeat(consumer, environ={})
    heart.beat()
    assert heart.healthz() is None
    assert heart.readyz() == "its consumer's connection delivers nothing"


def test_systemd_hears_that_it_is_ready_and_then_with_each_check_that_it_lives(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(10)
        heart = Heartbeat(Consumer(), environ={"NOTIFY_SOCKET": path})
        heart.beat()
        heart.beat()
        assert [receiver.recv(100) for _ in range(2)] == [b"READY=1\nWATCHDOG=1", b"WATCHDOG=1"]
    # A manager that is gone is no reason to stop working, and neither is that there is none.
    notify("WATCHDOG=1", {"NOTIFY_SOCKET": path})
    notify("WATCHDOG=1", {})


def test_an_abstract_socket_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0renderline-test-of-notify")
        receiver.settimeout(10)
        notify("STOPPING=1", {"NOTIFY_SOCKET": "@renderline-test-of-notify"})
        assert receiver.recv(100) == b"STOPPING=1"


def test_the_question_needs_an_address() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "workers.liveness"], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "RENDERLINE_METRICS_BIND is unset" in asked.stderr
