"""When a login is refused unseen: too many wrong passwords came from its address, or for its user."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW = 300.0
"""Seconds for which a wrong password counts, since the first one of its address or user."""

PER_ADDRESS = 10
"""Wrong passwords that an address has in a window."""

PER_USER = 50
"""Wrong passwords for one user, from all addresses, after which each address has one instead of `PER_ADDRESS`."""

_MOST = 10_000


@dataclass
class _Failures:
    """How often each key failed in its window. The keys whose window began first are forgotten when there are many."""

    most: int
    _seen: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def add(self, key: str, now: float) -> None:
        began, count = self._current(key, now)
        self._seen[key] = (began, count + 1)
        while len(self._seen) > self.most:
            self._seen.popitem(last=False)

    def count(self, key: str, now: float) -> int:
        return self._current(key, now)[1]

    def ends_in(self, key: str, now: float) -> float:
        return self._current(key, now)[0] + WINDOW - now

    def _current(self, key: str, now: float) -> tuple[float, int]:
        began, count = self._seen.get(key, (now, 0))
        if now - began < WINDOW:
            return began, count
        self._seen.pop(key, None)
        return now, 0

    def __len__(self) -> int:
        return len(self._seen)


@dataclass
class LoginThrottle:
    """Counts wrong passwords by address and by user. A locked address is refused even with the right password, or a
    guess could still be tried there. A user is never locked: from an address without failures the right password works.
    """

    clock: Callable[[], float] = time.monotonic
    most: int = _MOST
    """Addresses that are remembered, and users."""

    proxies: int = 0
    """Proxies before this process, each of which adds the address of its caller to X-Forwarded-For."""

    def __post_init__(self) -> None:
        self._addresses = _Failures(self.most)
        self._users = _Failures(self.most)

    def address(self, remote: str, forwarded: str) -> str:
        """Return whose address counts, of the connection's other end and the header X-Forwarded-For.

        Only what the trusted proxies added is read, from the right: the rest is what the caller wrote itself. A header
        with fewer or other entries did not come through them; then it is the connection's.
        """
        if not self.proxies:
            return remote
        found = [one.strip() for one in forwarded.split(",")]
        if len(found) < self.proxies:
            return remote
        try:
            return str(ipaddress.ip_address(found[-self.proxies].strip("[]")))
        except ValueError:
            return remote

    def wait(self, address: str, user: str) -> float:
        """Return for how many seconds a login of this user from this address is refused unseen; 0: it is not."""
        now, network = self.clock(), _network(address)
        most = 1 if self._users.count(user[:100], now) >= PER_USER else PER_ADDRESS
        return self._addresses.ends_in(network, now) if self._addresses.count(network, now) >= most else 0.0

    def failed(self, address: str, user: str) -> None:
        """Count a wrong password."""
        now = self.clock()
        self._addresses.add(_network(address), now)
        self._users.add(user[:100], now)

    def __len__(self) -> int:
        """Return how many addresses and users are remembered."""
        return len(self._addresses) + len(self._users)


def _network(address: str) -> str:
    """Return what one caller may hold: an IPv4 address, or a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
