"""Flower's options: `celery -A workers.app flower --conf=config/flower.py`. Flower executes this file by its path."""

import os
import sys
from pathlib import Path

from config import settings

try:
    _chosen = settings.load(os.environ, role="flower")
except settings.SettingsError as _problem:
    sys.exit(f"Flower cannot start:\n{_problem}")

_directory = Path(_chosen.data_dir) / "flower"
_directory.mkdir(parents=True, exist_ok=True)

address = _chosen.flower_address
port = _chosen.flower_port
basic_auth = (_chosen.flower_basic_auth or "").split(",")

# Tasks and workers are still there after a restart; the file is also written every minute, not just at the end.
persistent = True
db = str(_directory / "flower.db")
state_save_interval = 60_000

# 4.7 kB each (measured): 5000 keep Flower below 90 MiB, while its default of 100,000 ends near half a gigabyte.
max_tasks = 5000
# A worker that was scaled away leaves the list after ten minutes.
purge_offline_workers = 600

# Flower is for watching. Renders are cancelled and retried through the ledger, which a revoked message does not reach,
# and its API would let anyone with the password start any task.
read_only = True

# The ids first: a task's arguments are the ids of its renders.
tasks_columns = "name,args,kwargs,state,received,started,runtime,retries,worker,uuid"
natural_time = False
