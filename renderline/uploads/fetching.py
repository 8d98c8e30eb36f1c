"""Fetches files that requests name by an https URL: bounded in size and time, from public addresses alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3

from renderline.http import Client, PrivateAddress, describe, is_private_literal, origin
from renderline.uploads.errors import SourceUnavailable, UploadRefused, UploadTooLarge
from renderline.uploads.file_type import FILE_TYPES, ending_for
from renderline.uploads.reference import clean_name, ending_of, name_in_url

_CHUNK: Final = 256 * 1024
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_HEADERS: Final = {"Accept-Encoding": "identity"}
_LATER: Final = frozenset({408, 425, 429})
"""Statuses, besides those from 500, after which a later attempt may succeed."""


@dataclass(frozen=True)
class FetchedFile:
    """A file that is being fetched: its name, and its content as it comes."""

    name: str
    chunks: Iterator[bytes]


class Fetcher:
    """Fetches files of at most `max_bytes`, each within `total_timeout` seconds; threads may share it."""

    def __init__(
        self,
        *,
        max_bytes: int,
        user_agent: str,
        allow_private: bool = False,
        total_timeout: float = 120.0,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self._client = Client(user_agent=user_agent, allow_private=allow_private)
        self._max_bytes, self._allow_private = max_bytes, allow_private
        self._total, self._connect, self._read = total_timeout, connect_timeout, read_timeout

    @contextmanager
    def get(self, url: str) -> Iterator[FetchedFile]:
        """Fetch a file.

        Raises UploadRefused for what is no such file, and SourceUnavailable if a later attempt may succeed; neither
        shows more of the URL than its host.
        """
        end = time.monotonic() + self._total
        response = self._answer(url, end)
        try:
            self._check(response, origin(url))
            name = _name(url, response.headers.get("Content-Type", ""))
            yield FetchedFile(name, self._chunks(response, origin(url), end))
        finally:
            response.close()

    def _answer(self, url: str, end: float) -> requests.Response:
        if not self._allow_private and is_private_literal(url):
            raise UploadRefused(f"{origin(url)} is a private address")
        try:
            return self._client.get(
                url, headers=_HEADERS, connect_timeout=self._connect, read_timeout=self._read, end=end
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            said = f"{origin(url)} was not reached: {self._client.failure(error)}"
            wrong = (PrivateAddress, requests.exceptions.TooManyRedirects, requests.exceptions.InvalidSchema)
            raise (UploadRefused if isinstance(error, wrong) else SourceUnavailable)(said) from None

    def _check(self, response: requests.Response, source: str) -> None:
        """Raise for an answer that holds no file, before any of it is read."""
        status = response.status_code
        if source.startswith("https:") and not (response.url or "").startswith("https:"):
            raise UploadRefused(f"{source} redirects to a URL without TLS")
        if status in _LATER or status >= 500:
            raise SourceUnavailable(f"{source} answered {status}")
        if status != 200:
            raise UploadRefused(f"{source} answered {status} instead of the file")
        length = response.headers.get("Content-Length", "")
        if _DIGITS.fullmatch(length) and int(length) > self._max_bytes:
            raise self._too_large(source)

    def _chunks(self, response: requests.Response, source: str, end: float) -> Iterator[bytes]:
        raw: Any = response.raw
        count = 0
        try:
            while chunk := raw.read1(_CHUNK, decode_content=True):
                count += len(chunk)
                if count > self._max_bytes:
                    raise self._too_large(source)
                if time.monotonic() > end:
                    raise SourceUnavailable(f"{source} took longer than {self._total:g} s")
                yield chunk
        except (urllib3.exceptions.HTTPError, TimeoutError) as error:
            raise SourceUnavailable(f"{source} broke off after {count} bytes: {describe(error)}") from None

    def _too_large(self, source: str) -> UploadTooLarge:
        return UploadTooLarge(f"the file at {source} is larger than {self._max_bytes} bytes")


def _name(url: str, content_type: str) -> str:
    """Return the name of a fetched file: that in its URL, with the ending that its type has if the URL has none."""
    name = name_in_url(url)
    if (known := ending_for(content_type)) and ending_of(name) not in FILE_TYPES:
        name = f"{name or 'file'}.{known}"
    try:
        return clean_name(name)
    except UploadRefused:
        raise UploadRefused(f"{origin(url)} does not say what file it is: the URL should end with its name") from None
