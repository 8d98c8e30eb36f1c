"""Importing the Celery application does nothing but define it."""

from __future__ import annotations

import os
import subprocess
import sys

from harness import ROOT

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
