"""How hooks go out to other hosts: anonymous sessions, the guard against private addresses, what may be told."""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import socket
import time
from collections.abc import Iterable
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from renderline.hooks.bounded import bound

USER_AGENT = "Renderline/1 (+hooks)"

_LONGEST_RETRY_AFTER = 86_400.0


class _Pooled:
    """Gives an adapter a pool that fits the worker's threads, and answers that are bounded in time."""

    def __init__(self, *args: Any, pool_size: int, whole: bool, **kwargs: Any) -> None:
        self._pool_size = pool_size
        self._whole = whole
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, connections: int, maxsize: int, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(self._pool_size, self._pool_size, *args, **kwargs)  # type: ignore[misc]
        bound(self.poolmanager, whole=self._whole)  # type: ignore[attr-defined]


class _OpenAdapter(_Pooled, HTTPAdapter):
    """Connects to any address."""


class _GuardedAdapter(_Pooled, IPFilterAdapter):
    """Connects to public addresses only, and to the very address that it looked up and checked."""


def open_session(*, allow_private: bool, whole: bool = False, pool_size: int = 32) -> requests.Session:
    """Return a thread-safe keep-alive session that tells nothing about this machine and keeps nothing it is told.

    No proxy, `.netrc` or certificate settings from the environment, no cookies, no credentials from a URL.
    Unless `allow_private`, every connection, redirects included, goes to the address that was looked up and found
    public. The read timeout holds for all headers together, and with `whole` for the body as well.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 5
    session.auth = _no_credentials
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers["User-Agent"] = USER_AGENT
    for scheme in ("http", "https"):
        adapter = (
            _OpenAdapter(pool_size=pool_size, whole=whole)
            if allow_private
            else _GuardedAdapter(is_https_proto=scheme == "https", pool_size=pool_size, whole=whole)
        )
        session.mount(f"{scheme}://", adapter)
    return session


def fetch(session: requests.Session, url: str, *, connect: float, read: float, end: float) -> requests.Response:
    """Ask for a URL and return the answer, its body not read yet; follows `session.max_redirects` redirects.

    `connect` and `read` are seconds, for each connection and for each answer's headers; `end` (monotonic time) is for
    all of them. The body of a redirect is never read: requests itself would read all of it, however long it is. Raises
    what requests and urllib3 raise.
    """
    for _ in range(session.max_redirects + 1):
        left = end - time.monotonic()
        if left <= 0:
            raise requests.exceptions.ReadTimeout("the redirects took too long")
        request = requests.PreparedRequest()
        request.prepare("GET", url, headers=dict(session.headers), auth=session.auth)
        timeout: Any = urllib3.Timeout(connect=min(connect, left), read=min(read, left))
        response = session.get_adapter(url).send(request, timeout=timeout, stream=True, proxies={})
        target = session.get_redirect_target(response)
        if target is None:
            return response
        response.close()
        url = urljoin(request.url or url, target)
    raise requests.exceptions.TooManyRedirects("too many redirects")


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in for the credentials that requests would take from a URL of the form user:password@host."""
    return request


def url_fault(url: str) -> str | None:
    """Say what is wrong with a hook's target URL, never repeating it; None if requests can be sent there."""
    try:
        # Prepared by the same code that will send, so that nothing is read here in one way and there in another.
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
    """Say whether the URL names a non-public address outright: `localhost` or an IP address in any spelling.

    Looks nothing up; a name that leads to a private address is found when the connection is made.
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


def site(url: str) -> str:
    """Return the part of a URL that may be told: scheme, host and port. Paths and queries may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def authority(url: str) -> str:
    """Return the host and port of a URL, in lower case; empty if it has none."""
    return site(url).partition("://")[2].lower()


def retry_after(header: str | None, *, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks to wait, at most a day; None if it says nothing usable.

    `now` is epoch seconds, for the header's date form (RFC 9110, section 10.2.3).
    """
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # More digits than a day has seconds: int() of an endless number is not free.
        return _LONGEST_RETRY_AFTER if len(text) > 6 else min(float(text), _LONGEST_RETRY_AFTER)
    try:
        seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def trouble(error: BaseException) -> str:
    """Say in words why a request got no answer; the exception's own text holds the URL and is never told."""
    if isinstance(error, InvalidIPAddress):
        return "it is at a private address"
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate or handshake was refused"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "the connection timed out"
    causes = tuple(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes) or isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its name could not be resolved"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return "it redirects too often"
    if any(isinstance(cause, (OSError, http.client.HTTPException)) for cause in causes):
        return "the connection broke before the answer was complete"
    return type(error).__name__


def _causes(error: BaseException) -> Iterable[BaseException]:
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            # urllib3 keeps the fault that it met in `reason`, requests in its arguments.
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
