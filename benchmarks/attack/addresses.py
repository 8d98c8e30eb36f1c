"""Calls to addresses that a request must not reach: every spelling, names that change, redirects."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from unittest import mock

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import Target, a_render
from harness import until
from renderline.http import Client, PrivateAddress

PUBLIC: Final = "1.1.1.1"
"""A public address. Nothing connects to it: connections are made on loopback or not at all."""

PRIVATE: Final = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::169.254.169.254",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "fec0::1",
    "feff::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
)
"""Addresses of this machine, private networks and the metadata services of clouds."""

SPELLINGS: Final = (
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "x.localhost",
    "%31%32%37.0.0.1",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "0",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:7f00:1]",
    "[::1%25lo]",
)
"""Ways to write this machine's address, as browsers and resolvers read them."""


@contextlib.contextmanager
def internet(names: Mapping[str, Sequence[str]], port: int) -> Iterator[list[str]]:
    """Resolve these names to their addresses in turn, and lead connections to `PUBLIC` to a port of loopback.

    Yields the addresses to which something tried to connect; all but `PUBLIC` are refused.
    """
    turns = {name: list(addresses) for name, addresses in names.items()}
    tried: list[str] = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def lie(host: Any, service: Any, *args: Any, **kwargs: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else str(host)
        if text not in turns:
            return resolve(host, service, *args, **kwargs)
        left = turns[text]
        return resolve(left.pop(0) if len(left) > 1 else left[0], service, *args, **kwargs)

    def lead(self: socket.socket, address: Any) -> None:
        tried.append(str(address[0]))
        if address[0] != PUBLIC:
            raise ConnectionRefusedError(111, "refused by the attack")
        connect(self, ("127.0.0.1", port))

    with mock.patch("socket.getaddrinfo", lie), mock.patch.object(socket.socket, "connect", lead):
        yield tried


def _reached(url: str, names: Mapping[str, Sequence[str]], port: int) -> list[str]:
    """Return the addresses beside `PUBLIC` to which our client tried to connect."""
    client = Client(user_agent="attack", allow_private=False)
    with internet(names, port) as tried, contextlib.suppress(PrivateAddress, requests.RequestException, OSError):
        client.get(url, headers={}, connect_timeout=1.0, read_timeout=2.0, end=time.monotonic() + 3).close()
    return [address for address in tried if address != PUBLIC]


@attack("private-addresses", "names that resolve to this machine, private networks and metadata services")
def private_addresses(target: Target, long: bool) -> Finding:
    port = target.receiver.port
    reached = [a for a in PRIVATE if _reached("http://attacker.example/", {"attacker.example": [a]}, port)]
    figure = f"{len(reached)} of {len(PRIVATE)} addresses reached" + (f": {', '.join(reached)}" if reached else "")
    return Finding(not reached, figure)


@attack("address-spellings", "hooks with the URL of a private address, in every spelling")
def address_spellings(target: Target, long: bool) -> Finding:
    port = target.receiver.port
    literals = [f"[{one}]" if ":" in one else one for one in PRIVATE]
    hosts = [*SPELLINGS, *literals]
    path = f"/canary-{time.time_ns()}"
    with target.strict() as (gateway, key):
        accepted: dict[str, str] = {}
        for host in hosts:
            hook = {"type": "http", "url": f"http://{host}:{port}{path}"}
            answer = gateway.ask("POST", "/v1/renders", a_render(hooks=[hook]), key=key)
            if answer.status_code == 202:
                accepted[host] = answer.json()["id"]
        tried = _hooks_tried(gateway, key, accepted.values())
    calls = len(target.receiver.got(path))
    # A spelling that the resolver alone understands is found when the connection is made.
    taken = [host for host in accepted if host in literals]
    figure = f"{len(hosts)} spellings: {len(hosts) - len(accepted)} refused at the door, {calls} reached"
    if taken:
        figure += f"; taken: {', '.join(taken[:4])}"
    return Finding(not calls and not taken and tried, figure)


def _hooks_tried(gateway: Any, key: str, ids: Any) -> bool:
    """Wait until each render's hook has been tried; returns True."""
    for render_id in ids:

        def tried(render_id: str = render_id) -> bool:
            (hook,) = gateway.ask("GET", f"/v1/renders/{render_id}", key=key).json()["hooks"]
            return bool(hook.get("error") or hook["state"] == "delivered")

        until(tried, what=f"a try of the hook of {render_id}")
    return True


@attack("rebinding", "a name that is public when it is checked and private when it is used")
def rebinding(target: Target, long: bool) -> Finding:
    reached = []
    for addresses in ([PUBLIC, "127.0.0.1"], [PUBLIC, PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC]):
        reached += _reached("http://attacker.example/", {"attacker.example": addresses}, target.receiver.port)
    return Finding(not reached, f"{len(reached)} private addresses reached")


@attack("redirects", "a public endpoint that redirects to a private address, a name of one, or another scheme")
def redirects(target: Target, long: bool) -> Finding:
    places = [
        "http://127.0.0.1:1/",
        "http://private.example/",
        "//169.254.169.254/",
        "http://[::1]/",
        "file:///etc/passwd",
    ]
    names = {"attacker.example": [PUBLIC], "private.example": ["10.0.0.1"]}
    reached = []
    for place in places:
        with target.receiver.redirecting(place) as path:
            reached += _reached(f"http://attacker.example{path}", names, target.receiver.port)
            assert target.receiver.got(path), "the redirect was not asked for"
    return Finding(not reached, f"{len(reached)} of {len(places)} redirects followed")


@attack("name-oracle", "telling from a hook's error whether a private name exists")
def name_oracle(target: Target, long: bool) -> Finding:
    private = next((name for name in ("ip6-localhost", socket.gethostname()) if _resolves(name)), None)
    if private is None:
        return Finding(True, "not tried: no private name of this machine resolves")
    shown = {}
    with target.strict() as (gateway, key):
        for name in (private, "no-such-host.invalid"):
            hook = {"type": "http", "url": f"http://{name}:9/x"}
            answer = gateway.ask("POST", "/v1/renders", a_render(hooks=[hook]), key=key)
            if answer.status_code != 202:
                shown[name] = f"{answer.status_code} {answer.text}".replace(name, "HOST")
                continue
            render_id = answer.json()["id"]
            _hooks_tried(gateway, key, [render_id])
            record = gateway.ask("GET", f"/v1/renders/{render_id}", key=key).json()
            hook = record["hooks"][0]
            text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", f"{hook.get('state')} {hook.get('error')}")
            shown[name] = text.replace(name, "HOST")
    first, second = shown.values()
    return Finding(first == second, "the same answer" if first == second else f"{first[:90]!r} / {second[:90]!r}")


def _resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, 9)
    except OSError:
        return False
    return True
