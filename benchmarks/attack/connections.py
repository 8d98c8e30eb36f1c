"""Hostile connections: they send slowly, or nothing, or never read; honest callers must not notice."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.measurements import Latencies, measure
from benchmarks.attack.target import ATTACKER, VICTIM, Target, a_render
from harness import call

MOST_P95: Final = 0.5
"""Seconds that 95 of 100 honest calls may take meanwhile."""
STANDING: Final = 12.0
"""Seconds for which the connections stand while the honest callers are measured."""
LONGEST: Final = 75.0
"""Seconds within which the gateway must have ended the connections that sent half a request."""


class Connections:
    """Connections of an attacker, kept open by a thread: each sends `first`, then a byte of `drip` every second."""

    def __init__(self, port: int, count: int, *, first: bytes = b"", drip: bytes = b"", reads: bool = True) -> None:
        self._port, self._count, self._first, self._drip, self._reads = port, count, first, drip, reads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._open: list[socket.socket] = []
        self.ended = 0
        self.refused = 0

    def __enter__(self) -> Self:
        for _ in range(self._count):
            one = socket.socket()
            if not self._reads:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.settimeout(2)
            try:
                one.connect(("127.0.0.1", self._port))
            except OSError:
                self.refused += 1
                one.close()
                continue
            one.setblocking(False)
            with contextlib.suppress(OSError):
                one.send(self._first)
            self._open.append(one)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for one in self._open:
            one.close()

    @property
    def standing(self) -> int:
        """How many are still open."""
        return len(self._open)

    def _run(self) -> None:
        dripped = 0
        while not self._stop.wait(1.0):
            piece = self._drip[dripped % len(self._drip) :][:1] if self._drip else b""
            dripped += 1
            held = frozenset() if self._reads else _established(self._port)
            for one in tuple(self._open):
                if self._is_over(one, piece, held):
                    one.close()
                    self._open.remove(one)
                    self.ended += 1

    def _is_over(self, one: socket.socket, piece: bytes, held: frozenset[int]) -> bool:
        if not self._reads:
            return one.getsockname()[1] not in held
        try:
            if piece:
                one.send(piece)
            while received := one.recv(65536):
                del received
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True


def _established(port: int) -> frozenset[int]:
    """Return the ports of the callers whose connection to `port` the server still holds.

    An end of the server's side does not show on a socket that is not read.
    """
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *rest = line.split()
        if state == "01" and int(local.partition(":")[2], 16) == port and rest[5] != "0":
            found.add(int(remote.partition(":")[2], 16))
    return frozenset(found)


def honest_calls(target: Target) -> list[Callable[[], requests.Response]]:
    """Return what must go on: a health probe, a vendor's webhook, and a submission of the other tenant."""
    render_id = target.accepted(a_render(), tenant=VICTIM)
    webhook = target.project_of(render_id)["webhook_url"]
    target.ended(render_id, tenant=VICTIM)
    headers = {"Authorization": f"Bearer {target.keys[VICTIM]}"}
    return [
        lambda: call("GET", f"{target.gateway.url}/healthz", timeout=5),
        lambda: call("POST", webhook, json={"state": "draft", "progress": 5}, timeout=5),
        lambda: call("GET", f"{target.gateway.url}/v1/renders/{render_id}", headers=headers, timeout=5),
    ]


def _stand(target: Target, connections: Connections, *, must_end: bool = False) -> Finding:
    calls = honest_calls(target)
    begin = time.monotonic()
    with connections:
        measured: Latencies = measure(calls, seconds=STANDING)
        count = connections.standing + connections.ended + connections.refused
        while must_end and connections.standing and time.monotonic() - begin < LONGEST:
            time.sleep(0.5)
        left, lasted = connections.standing, time.monotonic() - begin
    held = measured.p95 <= MOST_P95 and not measured.failed and not (must_end and left)
    figure = f"{count} connections: honest calls {measured}"
    if must_end:
        figure += f"; all ended after {lasted:.0f} s" if not left else f"; {left} still open after {lasted:.0f} s"
    return Finding(held, figure)


@attack("slow-headers", "connections that send half a request's headers, and no more")
def slow_headers(target: Target, long: bool) -> Finding:
    first = b"GET /v1/renders HTTP/1.1\r\nHost: gateway\r\nX-Half: "
    return _stand(target, Connections(target.gateway.port, 500, first=first), must_end=True)


@attack("dripped-headers", "connections that send headers a byte a second")
def dripped_headers(target: Target, long: bool) -> Finding:
    first = b"GET /v1/renders HTTP/1.1\r\nHost: gateway\r\nX-Slow: "
    return _stand(target, Connections(target.gateway.port, 500, first=first, drip=b"a"), must_end=True)


@attack("dripped-bodies", "requests with a valid key whose body comes a byte a second")
def dripped_bodies(target: Target, long: bool) -> Finding:
    head = (
        f"POST /v1/renders HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {target.keys[ATTACKER]}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    connections = Connections(target.gateway.port, 200, first=head.encode() + b'{"kind"', drip=b" ")
    return _stand(target, connections, must_end=True)


@attack("unread-answers", "large answers that the caller asks for again and again and never reads")
def unread_answers(target: Target, long: bool) -> Finding:
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: gateway\r\n\r\n" * 100
    return _stand(target, Connections(target.gateway.port, 200, first=ask, reads=False), must_end=True)


@attack("idle-connections", "connections that send nothing at all")
def idle_connections(target: Target, long: bool) -> Finding:
    return _stand(target, Connections(target.gateway.port, 1000 if long else 500))
