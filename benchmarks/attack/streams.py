"""Event streams: taking all of them, and following on with a key that was revoked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, VICTIM, Gateway, Target

ENDS_WITHIN: Final = 15.0
"""Seconds within which the streams of a revoked key must end."""


def _follow(gateway: Gateway, key: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    session = requests.Session()
    session.trust_env = False
    return session.get(f"{gateway.url}/v1/events", headers=headers, stream=True, timeout=20)


def _close(answers: Iterable[requests.Response]) -> None:
    for answer in answers:
        answer.close()


@attack("event-streams", "one key that opens event streams until none is left")
def event_streams(target: Target, long: bool) -> Finding:
    opened: list[requests.Response] = []
    try:
        for _ in range(120):
            opened.append(_follow(target.gateway, target.keys[ATTACKER]))
        got = sum(answer.status_code == 200 for answer in opened)
        theirs = _follow(target.gateway, target.keys[VICTIM])
        opened.append(theirs)
        return Finding(theirs.status_code == 200, f"{got} streams of one key; the other tenant's: {theirs.status_code}")
    finally:
        _close(opened)


@attack("revoked-key", "event streams, and calls, that go on with a revoked key")
def revoked_key(target: Target, long: bool) -> Finding:
    key = target.new_key(ATTACKER, "read", name="revoked")
    answer = _follow(target.gateway, key)
    assert answer.status_code == 200, answer.text
    target.command("keys", "revoke", key.split("_")[1])
    begin = time.monotonic()
    ended = False
    try:
        # The stream sends heartbeats; it ends when the answer has no more chunks.
        answer.raw._fp.fp.raw._sock.settimeout(ENDS_WITHIN)
        while time.monotonic() - begin < ENDS_WITHIN and not ended:
            ended = not answer.raw.read1(65536)
    except (TimeoutError, OSError, requests.RequestException):
        pass
    except Exception as error:
        ended = "timed out" not in str(error)
    finally:
        answer.close()
    seconds = time.monotonic() - begin
    call = target.gateway.ask("GET", "/v1/renders", key=key).status_code
    figure = f"stream {f'ended after {seconds:.1f} s' if ended else f'open after {seconds:.0f} s'}; a call: {call}"
    return Finding(ended and call == 401, figure)
