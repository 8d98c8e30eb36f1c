"""The gateway as a process: `gunicorn "workers.gateway:create()"`."""

from __future__ import annotations

import os
import sys

from flask import Flask
from redis import Redis

from config import logging, settings
from renderline.gateway import create_app


def create() -> Flask:
    """Return the gateway composed from the environment; bad settings end the process with one line for each."""
    try:
        chosen = settings.load(os.environ, role="gateway")
    except settings.SettingsError as problem:
        # gunicorn's status for "the application cannot be loaded": its master stops instead of trying again.
        print(f"The gateway cannot start:\n{problem}", file=sys.stderr)
        raise SystemExit(4) from None
    logging.configure(level=chosen.log_level, fmt=chosen.log_format, secrets=chosen.secrets())
    return create_app(redis=Redis.from_url(chosen.redis_url, decode_responses=True))
