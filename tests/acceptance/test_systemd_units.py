"""The units of deploy/systemd run as they stand: their commands, credentials, environment and signals."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import ROOT, Valkey, free_port, until
from harness.systemd_unit import FOLDER, RunningUnit

Start = Callable[..., RunningUnit]


@pytest.fixture
def settings(valkey: Valkey, tmp_path: Path) -> Path:
    """Write /etc/renderline as docs/production.md says, without a terminal to ask at."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "renderline.env").write_text((FOLDER / "renderline.env").read_text())
    made = subprocess.run(
        ["sh", str(ROOT / "deploy/make-secrets"), str(folder / "secrets")],
        env={
            "PATH": os.defpath,
            "REDIS_URL": valkey.url,
            "AISTUDIOS_APP_ID": "studioV3.units",
            "AISTUDIOS_USER_KEY": 'a key with "quotes"',
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return folder


def answered(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


def test_a_worker_starts_says_that_it_is_ready_and_lives_and_ends_in_time(settings: Path, tmp_path: Path) -> None:
    metrics = free_port()
    environ = {"RENDERLINE_METRICS_BIND": f"127.0.0.1:{metrics}", "RENDERLINE_CANARY_INTERVAL": "0.2"}
    with RunningUnit("renderline-worker@7.service", settings=settings, state=tmp_path, environ=environ) as worker:
        worker.wait_ready()
        assert worker.notification() == "WATCHDOG=1"
        until(lambda: '"metrics"' in worker.output(), what="it serves its metrics")
        assert answered(f"http://127.0.0.1:{metrics}/healthz") == 200
        asked = subprocess.run(
            [sys.executable, "-m", "workers.liveness"], cwd=ROOT, env=worker.environ, capture_output=True, check=False
        )
        assert asked.returncode == 0, asked.stderr
        assert "worker-7@" in worker.output()
        assert worker.stop() == 0
        while (said := worker.notification()) == "WATCHDOG=1":
            pass
        assert said == "STOPPING=1"


def test_the_gateway_and_flower_start_and_answer_and_the_command_line_reaches_their_redis(
    settings: Path, tmp_path: Path
) -> None:
    port, page = free_port(), free_port()
    gateway = {"RENDERLINE_GATEWAY_BIND": f"127.0.0.1:{port}"}
    with (
        RunningUnit("renderline-gateway.service", settings=settings, state=tmp_path, environ=gateway) as unit,
        RunningUnit(
            "renderline-flower.service", settings=settings, state=tmp_path, environ={"FLOWER_PORT": str(page)}
        ) as flower,
    ):
        unit.wait_ready()
        unit.wait_until(lambda: _is_up(f"http://127.0.0.1:{port}/healthz"), what="the gateway")
        flower.wait_until(lambda: _is_up(f"http://127.0.0.1:{page}/healthcheck"), what="Flower")
        assert unit.stop() == 0
        assert flower.stop() == 0

    script = (FOLDER / "renderline").read_text()
    for installed, here in (
        ("/etc/renderline", str(settings)),
        ("/var/lib/renderline", str(tmp_path)),
        ("/opt/renderline/.venv/bin/renderline", f"{sys.executable} -P {ROOT}/renderline/command.py"),
    ):
        assert installed in script
        script = script.replace(installed, here)
    ran = subprocess.run(
        ["sh", "-c", script, "renderline", "keys", "create", "ops"],
        env={"PATH": os.defpath, "RENDERLINE_METRICS_BIND": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def _is_up(url: str) -> bool:
    try:
        return answered(url) == 200
    except OSError:
        return False
