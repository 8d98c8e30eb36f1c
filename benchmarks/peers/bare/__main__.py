"""`python -m benchmarks.peers.bare`: makes so many calls of each kind and prints their CPU seconds (JSON)."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import requests

_ROOT = "/api/odin/v3"
_HEADERS = {"Authorization": "stub.token.0123456789"}


def main() -> None:
    """Make the calls; counts only this process' CPU time, without its start."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.bare", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--body", type=Path, help="the vendor body that is created (JSON)")
    parser.add_argument("--renders", type=int, default=0, help="create, export and one hook call each")
    parser.add_argument("--polls", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="leave `trust_env` off, as a careful user does")
    chosen = parser.parse_args()
    session = requests.Session()
    session.trust_env = not chosen.plain
    session.get(f"{chosen.url}{_ROOT}/editor/progress/warm", headers=_HEADERS).json()
    body = json.loads(chosen.body.read_text()) if chosen.body else {}
    event = {"type": "render.completed", "data": {"metadata": {"order": "0"}, "body": body}}
    begin = time.process_time()
    for _ in range(chosen.renders):
        answer = session.post(f"{chosen.url}{_ROOT}/editor/project", headers=_HEADERS, json=body).json()
        export = {"projectId": answer["data"]["projectId"]}
        session.post(f"{chosen.url}{_ROOT}/editor/project/export", headers=_HEADERS, json=export).json()
        session.post(f"{chosen.url}/hook", json=event).raise_for_status()
    for number in range(chosen.polls):
        seen = session.get(f"{chosen.url}{_ROOT}/editor/progress/{number:024x}", headers=_HEADERS).json()
        assert seen["success"]
    print(json.dumps({"cpu": time.process_time() - begin}))


if __name__ == "__main__":
    main()
