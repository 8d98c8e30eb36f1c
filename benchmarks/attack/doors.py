"""The HTTP door: headers that change the path, foreign hosts and origins, requests that proxies read otherwise."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Final

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, Gateway, Target, a_render
from harness import call

_PREFIXES: Final = ("SCRIPT_NAME", "Script-Name", "script_name", "X-Script-Name", "X-Forwarded-Prefix", "PATH_INFO")


def _raw(gateway: Gateway, request: bytes, *, answers: int = 1) -> list[int]:
    """Send these bytes and return the statuses of the answers; empty if the connection is closed without one."""
    received = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(request)
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection.settimeout(2)
            while len(_statuses(received)) < answers and (piece := connection.recv(65536)):
                received += piece
    return _statuses(received)


def _statuses(received: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3})", received, re.MULTILINE)]


@attack("script-name", "headers that have the gateway read another path than the proxy before it")
def script_name(target: Target, long: bool) -> Finding:
    gateway = target.gateway
    fooled = []
    for header in _PREFIXES:
        for path, value in (("/webhooks/v1/accounts", "/webhooks"), ("/healthz", "/zzz"), ("/x/healthz", "/x")):
            head = f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {target.keys[ATTACKER]}\r\n"
            plain = _raw(gateway, f"{head}Connection: close\r\n\r\n".encode())
            tricked = _raw(gateway, f"{head}{header}: {value}\r\nConnection: close\r\n\r\n".encode())
            if tricked != plain and tricked != [400]:
                fooled.append(f"{header} {path} {plain} -> {tricked}")
    figure = f"{len(fooled)} of {3 * len(_PREFIXES)} read otherwise" + (f": {fooled[0]}" if fooled else "")
    return Finding(not fooled, figure)


@attack("request-smuggling", "requests whose length can be read in two ways")
def request_smuggling(target: Target, long: bool) -> Finding:
    inner = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"
    head = b"POST /healthz HTTP/1.1\r\nHost: gateway\r\n"
    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % (len(inner) + 5)
    tricks = [
        head + both + b"0\r\n\r\n" + inner,
        head + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + inner,
        head + b"Content-Length: +0\r\n\r\n" + inner,
        head + b"Content-Length: 0_0\r\n\r\n" + inner,
        head + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
        head + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + inner,
        head + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
        head + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n" + inner,
        head + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + inner,
        head + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
    ]
    through = [number for number, trick in enumerate(tricks) if 200 in _raw(target.gateway, trick, answers=2)]
    return Finding(not through, f"{len(through)} of {len(tricks)} hidden requests answered")


@attack("large-headers", "headers without end, thousands of them, and a request line of a megabyte")
def large_headers(target: Target, long: bool) -> Finding:
    before = target.gateway.memory()
    start = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n"
    requests = [
        start + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
        start + b"X-Long: " + b"a" * 4_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: gateway\r\n\r\n",
    ]
    taken = 0
    for request in requests:
        try:
            taken += 200 in _raw(target.gateway, request)
        except ConnectionError:
            # Ended by the gateway before it was sent whole.
            continue
    grown = (target.gateway.memory() - before) / (1 << 20)
    alive = call("GET", f"{target.gateway.url}/healthz").ok
    return Finding(not taken and alive and grown < 64, f"{taken} of {len(requests)} taken, {grown:.0f} MiB")


@attack("hosts-and-origins", "a web page, with API keys off: DNS rebinding, and calls from another origin")
def hosts_and_origins(target: Target, long: bool) -> Finding:
    with target.another_gateway("open", RENDERLINE_API_KEYS_REQUIRED="false") as gateway:
        own = gateway.url.removeprefix("http://")
        page = {"Origin": "http://attacker.example", "Content-Type": "text/plain"}
        hostile = {
            "foreign host": ("GET", "/v1/renders", {"Host": f"attacker.example:{gateway.port}"}),
            "foreign host with a dot": ("GET", "/v1/renders", {"Host": f"127.0.0.1.attacker.example:{gateway.port}"}),
            "another origin": ("POST", "/v1/renders", page),
            "another origin, JSON": ("POST", "/v1/renders", {**page, "Content-Type": "application/json"}),
            "origin null": ("POST", "/v1/renders", {"Origin": "null"}),
            "page of another port": ("POST", "/v1/renders", {"Origin": "http://127.0.0.1:1"}),
            "another site": (
                "GET",
                "/v1/events",
                {"Sec-Fetch-Site": "cross-site", "Origin": "http://attacker.example"},
            ),
        }
        body = a_render()
        taken = []
        for name, (method, path, headers) in hostile.items():
            with call(
                method, f"{gateway.url}{path}", json=body if method == "POST" else None, headers=headers, stream=True
            ) as answer:
                if answer.status_code < 300:
                    taken.append(name)
        honest = [
            call("GET", f"{gateway.url}/v1/renders", headers={"Host": own}).status_code,
            call("GET", f"{gateway.url}/healthz", headers={"Host": "probe.internal"}).status_code,
            call("POST", f"{gateway.url}/v1/renders", json=body).status_code,
        ]
    works = honest == [200, 200, 202]
    figure = f"{len(taken)} of {len(hostile)} taken" + (f" ({', '.join(taken)})" if taken else "")
    return Finding(not taken and works, figure + ("" if works else f"; honest calls {honest}"))
