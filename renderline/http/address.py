"""Checks of URLs that others chose: validity, private addresses, and the part that may be shown."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import requests

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The special-purpose registries of IANA as a whole, also where they call a range reachable: a render's hook has no
# business there. https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
_SPECIAL_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",  # in no registry: the host of Azure's machines, with their credentials
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
# Outside of 2000::/3 there is no public unicast: not fc00::/7, fe80::/10, fec0::/10, ::/96, 64:ff9b::/96 (NAT64), ...
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    map(
        ipaddress.IPv6Network,
        ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),  # with Teredo and 6to4
    )
)

_PRIVATE_NAMES = ("localhost", "localhost.localdomain", "local", "internal", "home.arpa")
"""Domains that are never public (RFC 6761, 6762, 8375; `internal` by ICANN's resolution), with all below them."""


_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_public(address: Address) -> bool:
    """Return whether an IP address is a public unicast one that embeds no other address, except an IPv4-mapped one."""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is None:
            return address in _UNICAST_6 and not any(address in special for special in _SPECIAL_6)
        address = mapped
    return not any(address in special for special in _SPECIAL_4)


def url_fault(url: str) -> str | None:
    """Return what is wrong with a URL as a target of requests, without quoting it; None if nothing is."""
    try:
        # Prepared by the same code that will send it, so that both read it alike.
        parts = urlsplit(requests.Request("POST", url).prepare().url or "")
        port, host = parts.port, parts.hostname
    except (requests.RequestException, ValueError):
        return "must be a valid http or https URL."
    if parts.scheme not in ("http", "https"):
        return "must be an http or https URL."
    if "@" in parts.netloc or parts.username is not None:
        return "must not hold a user name or password."
    if not host or port == 0:
        return "must be a valid http or https URL."
    return None


def is_private_literal(url: str) -> bool:
    """Return whether the URL itself names a non-public address: an IP address in any spelling, or `localhost` and
    other names that are never public.

    It resolves no names. A name with a private address is found when the connection is made.
    """
    host = (urlsplit(requests.Request("POST", url).prepare().url or "").hostname or "").rstrip(".")
    if any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES):
        return True
    try:
        # The resolver's own reading of numbers, without a lookup: 127.1, 0x7f.1, 2130706433.
        found = socket.getaddrinfo(unquote(host), 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return not is_public(ipaddress.ip_address(found[0][4][0]))
    except (OSError, ValueError):
        return False


def host_matches(url: str, patterns: Iterable[str]) -> bool:
    """Return whether the host of a valid URL is among the patterns: a host, `*.` and a domain for all below it, or `*`.

    The host is read as it will be called: in lower case, other scripts as `xn--...`, without a dot at its end.
    """
    host = (urlsplit(requests.Request("POST", url).prepare().url or "").hostname or "").rstrip(".")
    for pattern in (one.lower().rstrip(".") for one in patterns):
        if pattern == "*" or host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])):
            return True
    return False


def origin(url: str) -> str:
    """Return scheme, host and port: the part of a URL that may be shown. Paths and queries may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def host_and_port(url: str) -> str:
    """Return `host:port` of a URL in lower case, without the scheme's own port; empty if it has none."""
    host = origin(url).partition("://")[2].lower()
    scheme = url.partition("://")[0].lower()
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, " "))
