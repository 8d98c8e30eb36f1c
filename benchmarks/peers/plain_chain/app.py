"""The chain's Celery application and tasks, with the settings that guides to reliable Celery on Redis recommend.

Late acks, requeueing after a lost worker, a prefetch of one, retries with backoff, one token shared in Redis, retried
polls with short countdowns. It cannot handle a call whose answer was lost.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from celery import Celery, Task
from redis import Redis, RedisError

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
VENDOR_URL = os.environ.get("VENDOR_URL", "")
TIMEOUT = float(os.environ.get("VENDOR_TIMEOUT", "30"))
POLL_EVERY = float(os.environ.get("POLL_EVERY", "10"))
PAYLOAD = Path(__file__).parents[3] / "examples" / "v3-seed-landscape.json"

app = Celery("plain_chain", broker=REDIS_URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_pool="threads",
    worker_concurrency=16,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", "3600")),
        # The default is 100 s.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": True,
    },
    task_routes={
        "chain.build": {"queue": "requests"},
        "chain.submit": {"queue": "submit"},
        "chain.poll": {"queue": "poll"},
        "chain.hook": {"queue": "hooks"},
    },
)
redis = Redis.from_url(REDIS_URL, decode_responses=True)
session = requests.Session()
session.trust_env = False

TRANSIENT = (requests.RequestException, RedisError, ValueError, KeyError)
_RETRIED: dict[str, Any] = {
    "autoretry_for": TRANSIENT,
    "retry_backoff": 1,
    "retry_backoff_max": 30,
    "max_retries": 20,
}


def token() -> str:
    """Return the shared token; the first task without one requests it."""
    known = redis.get("chain:token")
    if known:
        return str(known)
    credentials = {"appId": "studioV3.chain", "userKey": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
    answer = session.post(f"{VENDOR_URL}/api/odin/v3/auth/token", json=credentials, timeout=TIMEOUT)
    answer.raise_for_status()
    new = str(answer.json()["data"]["token"])
    redis.set("chain:token", new, ex=20 * 3600)
    return new


def call(method: str, path: str, **options: Any) -> dict[str, Any]:
    """Make one vendor call and return its data; raises one of `TRANSIENT`."""
    url, used = f"{VENDOR_URL}/api/odin/v3{path}", token()
    answer = session.request(method, url, headers={"Authorization": used}, timeout=TIMEOUT, **options)
    if answer.status_code == 401:
        redis.delete("chain:token")
    answer.raise_for_status()
    data: dict[str, Any] = answer.json()["data"]
    return data


@app.task(name="chain.build")
def build(order: int, name: str) -> dict[str, Any]:
    """Build the vendor's body."""
    return {**json.loads(PAYLOAD.read_text()), "name": name, "isExport": True}


@app.task(name="chain.submit", **_RETRIED)
def submit(body: dict[str, Any]) -> str:
    """Create the project and start its render."""
    return str(call("POST", "/editor/project", json=body)["projectId"])


@app.task(name="chain.poll", bind=True, max_retries=None)
def poll(self: Task, project_id: str) -> None:
    """Poll until the video is ready; a failed poll is repeated."""
    try:
        seen = call("GET", f"/editor/progress/{project_id}")
        if float(seen["progress"]) >= 100 and seen.get("downloadUrl"):
            return
    except TRANSIENT:
        pass
    raise self.retry(countdown=POLL_EVERY)


@app.task(name="chain.hook", **_RETRIED)
def hook(order: int, url: str) -> None:
    """Call the endpoint."""
    headers = {"webhook-id": f"{order}{urlsplit(url).path}"}
    body = {"type": "render.completed", "data": {"metadata": {"order": str(order)}}}
    answer = session.post(url, json=body, headers=headers, timeout=TIMEOUT)
    answer.raise_for_status()
