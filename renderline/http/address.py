"""Checks of URLs that others chose: validity, private addresses, and the part that may be shown."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import requests


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
    """Return whether the URL itself names a non-public address: `localhost` or an IP address in any spelling.

    It resolves no names. A name with a private address is found when the connection is made.
    """
    host = (urlsplit(requests.Request("POST", url).prepare().url or "").hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        address = ipaddress.ip_address(found[0][4][0])
    except (OSError, ValueError):
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return not address.is_global or address.is_multicast


def origin(url: str) -> str:
    """Return scheme, host and port: the part of a URL that may be shown. Paths and queries may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def host_and_port(url: str) -> str:
    """Return the host and port of a URL, in lower case; empty if it has none."""
    return origin(url).partition("://")[2].lower()
