"""Without API keys the gateway answers its own machine only: address, `Host` and `Origin` say who calls."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, request

from renderline.gateway.problem import Problem
from renderline.signed_urls.webhook_urls import PATH

_SETTING: Final = "RENDERLINE_API_KEYS_REQUIRED=false"
_OPEN: Final = ("/healthz", "/readyz")
# What proxies add to a call that they pass on; any of them means that somebody else made it.
_FORWARDED: Final = ("Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip")


def install(app: Flask) -> None:
    """Refuse every call that does not come from this machine; probes and webhooks excepted."""
    app.before_request(_check)


def is_loopback(host: str) -> bool:
    """Return whether a host, a name or an address without a port, is this machine and can be nothing else."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def called_directly() -> bool:
    """Return whether the present request was made on this machine and came without a proxy, as far as it shows.

    A proxy on this machine that adds no header and sends `Host: 127.0.0.1` does not show; most speak HTTP/1.0 then.
    """
    if request.remote_addr and not is_loopback(request.remote_addr):
        return False
    if not is_loopback(_hostname(f"//{request.environ.get('HTTP_HOST', '')}")):
        return False
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    names = {name.title() for name in request.headers.keys()}  # noqa: SIM118
    return not any(name in _FORWARDED or name.startswith("X-Forwarded") for name in names)


def _check() -> None:
    if request.path in _OPEN or request.path.startswith(f"{PATH}/"):
        return
    # A Unix socket has no address.
    if request.remote_addr and not is_loopback(request.remote_addr):
        raise Problem(403, f"With {_SETTING} the gateway answers callers on its own machine only; set it to true.")
    # A page of another site, whose name was made to resolve to this machine, sends that name.
    if not is_loopback(_hostname(f"//{request.environ.get('HTTP_HOST', 'localhost')}")):
        raise Problem(403, f"With {_SETTING} the gateway answers to localhost and 127.0.0.1 only, not to another Host.")
    origin = request.headers.get("Origin")
    if origin is not None and _place(origin) != request.environ.get("HTTP_HOST", "").lower():
        raise Problem(403, f"With {_SETTING} the gateway takes no calls from pages of another origin.")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method not in ("GET", "HEAD"):
        raise Problem(403, f"With {_SETTING} the gateway takes no calls from pages of another site.")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str | None:
    """Return the host and port of an origin; None for `null` and whatever else is none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
