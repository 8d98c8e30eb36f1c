"""Importing the Celery application does nothing but define it."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from harness import ROOT
from workers.application import create_app

# Anything that is opened or read shows: there is no Redis, the settings are wrong, and the arguments ask for a worker.
IMPORT = """
import socket, sys

def refuse(*_, **__):
    raise AssertionError("connected")

socket.socket.connect = refuse
sys.argv = ["celery", "-A", "workers.app", "worker"]
from workers.app import app
print(app.main, app.configured)
"""


def test_importing_it_reads_no_arguments_and_no_settings_and_connects_to_nothing() -> None:
    environ = {**os.environ, "RENDERLINE_LEASE": "soon", "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["renderline", "False"], done.stderr
    assert done.returncode == 0


def test_flower_that_links_to_the_board_needs_no_secret_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"RENDERLINE_PUBLIC_URL": "https://renders.example.com", "FLOWER_BASIC_AUTH": "ops:a-long-password-of-it"}
    monkeypatch.setattr("workers.application.environment", lambda: given)
    with click.Context(click.Command("flower"), info_name="flower"):
        assert create_app().settings.public_url == "https://renders.example.com"
    with click.Context(click.Command("inspect"), info_name="inspect"), pytest.raises(SystemExit, match="78"):
        assert create_app().settings
    assert "SECRET_KEY" in capsys.readouterr().err
