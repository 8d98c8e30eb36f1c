"""Looks whether a page is there, before somebody else is paid to read it."""

from __future__ import annotations

import time
from typing import Final, Literal, NamedTuple

import requests
import urllib3

from renderline.http.address import is_private_literal
from renderline.http.client import Client

GONE: Final = frozenset({404, 410})
"""The statuses of a page that is certainly not there. With any other one, others may still be able to read it."""

_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": "identity"}


class PageFinding(NamedTuple):
    """`there`; `gone`: nobody can read it, and `why`; `unclear`: this machine cannot tell, and `why`."""

    status: Literal["there", "gone", "unclear"]
    why: str = ""


class PageCheck:
    """Asks for the headers of a page; no body is read. Threads may share one object."""

    def __init__(self, *, user_agent: str, allow_private: bool, seconds: float) -> None:
        """Take the most seconds for one page. Without `allow_private` no private address is called."""
        self._client = Client(user_agent=user_agent, allow_private=allow_private)
        self._allow_private, self._seconds = allow_private, seconds

    def __call__(self, url: str) -> PageFinding:
        """Return what is found at a valid http or https URL; never raises."""
        if not self._allow_private and is_private_literal(url):
            return PageFinding("gone", "it is a private address, which nobody else can reach")
        end = time.monotonic() + self._seconds
        try:
            status = self._status(url, "HEAD", end)
            if status >= 400:
                # Some servers know no HEAD.
                status = self._status(url, "GET", end)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            return PageFinding("unclear", self._client.failure(error))
        if status in GONE:
            return PageFinding("gone", f"it answers {status}")
        return PageFinding("there") if status < 400 else PageFinding("unclear", f"it answers {status}")

    def _status(self, url: str, method: Literal["GET", "HEAD"], end: float) -> int:
        half = self._seconds / 2
        response = self._client.get(
            url, headers=_HEADERS, connect_timeout=half, read_timeout=half, end=end, method=method
        )
        response.close()
        return response.status_code
