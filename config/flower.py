"""Flower's options: `celery -A workers.app flower --conf=config/flower.py`. Flower executes this file by its path."""

import os
from pathlib import Path

from celery import current_app

from config import flower_guard, settings
from config.env_file import environment
from config.variable import refuse_to_start

try:
    _chosen = settings.load(environment(), role="flower")
except settings.SettingsError as _problem:
    refuse_to_start("Flower", _problem)

# Its database holds the tasks of everybody: for this user alone.
os.umask(0o077)
_directory = Path(_chosen.data_dir) / "flower"
_directory.mkdir(parents=True, exist_ok=True)

address = _chosen.flower_address
port = _chosen.flower_port
basic_auth = (_chosen.flower_basic_auth or "").split(",")
# The application brings pages of its own (workers/flower/); RENDERLINE_FLOWER_RENDERS=false leaves out that of renders.
# They come before the guard, which stands before every page that is there by then.
if _add_pages := getattr(current_app, "add_flower_pages", None):
    _add_pages()
# Flower itself checks each login as often as one likes, and serves /metrics without any.
flower_guard.install(basic_auth, proxies=_chosen.trusted_proxies)

# Tasks and workers are kept over a restart. The file is written every minute, not only on exit.
persistent = True
db = str(_directory / "flower.db")
state_save_interval = 60_000

# Flower takes 79 MB, and a task 8 to 10 kB: 1,500 tasks keep it below 100 MB (`flower_memory` of make bench). The
# default of 100,000 takes the better part of a gigabyte. The page of renders knows every render, however old.
max_tasks = 1500
# A worker that is gone leaves the list after ten minutes.
purge_offline_workers = 600

# Flower is read-only. Renders are canceled and retried through the ledger, which revoking a task does not reach, and
# Flower's API would let anyone with the password start any task.
read_only = True

# What an operator looks for first: name and labels of the render, and what became of it. Arguments are its id.
tasks_columns = "name,kwargs,state,result,args,received,started,runtime,retries,worker,uuid"
natural_time = False
