"""`python -m benchmarks.peers.sample_loop`: runs the loop for each order number on its input, in a thread each."""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

VENDOR_URL = os.environ["VENDOR_URL"]
HOOK_URL = os.environ["HOOK_URL"]
POLL_EVERY = float(os.environ.get("POLL_EVERY", "3"))
BODY = json.loads(Path(os.environ["VENDOR_BODY"]).read_text())
CREDENTIALS = {"appId": "studioV3.sample", "userKey": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}


def generate(order: int, token: str) -> None:
    """Create, wait, call the endpoint."""
    headers = {"Authorization": token}
    url = f"{VENDOR_URL}/api/odin/v3/editor"
    body = {**BODY, "name": f"Order {order}", "isExport": True}
    project_id = requests.post(f"{url}/project", json=body, headers=headers).json()["data"]["projectId"]
    while True:
        data = requests.get(f"{url}/progress/{project_id}", headers=headers).json()["data"]
        if data["progress"] >= 100 and data.get("downloadUrl"):
            break
        time.sleep(POLL_EVERY)
    requests.post(HOOK_URL, json={"type": "render.completed", "data": {"metadata": {"order": str(order)}}})


def main() -> None:
    """Start a loop for every line."""
    token = requests.post(f"{VENDOR_URL}/api/odin/v3/auth/token", json=CREDENTIALS).json()["data"]["token"]
    print("ready", flush=True)
    with ThreadPoolExecutor(1000) as pool:
        for line in sys.stdin:
            pool.submit(generate, int(line), token)


if __name__ == "__main__":
    main()
