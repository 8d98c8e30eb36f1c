"""Explains why a request got no answer, without quoting URL or content."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable
from typing import Any

import requests
from requests_hardened.ip_filter import InvalidIPAddress

NO_PUBLIC_ADDRESS = "no public address was found for its name"


def is_unresolved(error: BaseException) -> bool:
    """Return whether the name of the host could not be resolved."""
    return any(isinstance(cause, socket.gaierror) for cause in causes(error))


def describe(error: BaseException) -> str:
    """Return why a request got no answer. The exception's own text is not used, since it contains the URL."""
    if isinstance(error, InvalidIPAddress):
        return "it is at a private address"
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate or handshake was refused"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "the connection timed out"
    found = tuple(causes(error))
    if any(isinstance(cause, TimeoutError) for cause in found) or isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time"
    if is_unresolved(error):
        return "its name could not be resolved"
    if any(isinstance(cause, ConnectionRefusedError) for cause in found):
        return "the connection was refused"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return "it redirects too often"
    if any(isinstance(cause, (OSError, http.client.HTTPException)) for cause in found):
        return "the connection broke before the answer was complete"
    return type(error).__name__


def causes(error: BaseException) -> Iterable[BaseException]:
    """Yield an exception and everything that caused it."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            # urllib3 keeps the cause in `reason`, requests in its arguments.
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
