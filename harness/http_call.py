"""HTTP calls to the processes under test."""

from __future__ import annotations

from typing import Any

import requests


def call(method: str, url: str, **options: Any) -> requests.Response:
    """Make an HTTP call that ignores the environment, which changes from test to test."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, **{"timeout": 30, **options})
