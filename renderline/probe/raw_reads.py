"""Reads of the vendor as they arrive, with status, headers and body: GET alone, so that none can cost anything."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
import urllib3

from renderline.accounts.clients import AccountClients
from renderline.http import Client, host_and_port
from renderline.http.retry_after import parse_retry_after
from renderline.studio import RateLimited

_MOST_BYTES: Final = 32 << 20
_SECONDS: Final = 30.0
_LIMITS: Final = re.compile(r"rate-?limit|quota|retry-after|x-limit", re.IGNORECASE)


@dataclass(frozen=True)
class RawAnswer:
    """An answer. `status` 0: none arrived, and `why` says why."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    why: str = ""
    at: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether it is the envelope of a success."""
        return 200 <= self.status < 300 and isinstance(self.body, dict) and self.body.get("success") is not False

    @property
    def data(self) -> Any:
        """The envelope's `data`."""
        return self.body.get("data") if isinstance(self.body, dict) else None

    @property
    def shown(self) -> str:
        """Status and vendor code, such as `404 [10404]`; never a text of the vendor."""
        if not self.status:
            return f"no answer ({self.why})"
        error = self.body.get("error") if isinstance(self.body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        form = "" if isinstance(self.body, dict) else ", no JSON object"
        envelope = ", success: false" if 200 <= self.status < 300 and not self.succeeded and not form else ""
        return f"{self.status}{f' [{str(code)[:40]}]' if code is not None else ''}{envelope}{form}"


class RawReads:
    """Makes GET calls for one account, under its rate limit and backoff, and remembers what they announce."""

    def __init__(self, clients: AccountClients, base_url: str) -> None:
        self._clients, self._base = clients, base_url.rstrip("/")
        self._client = Client(user_agent="renderline", allow_private=True)
        self.limits: dict[str, str] = {}
        """Headers that announce limits, by name, with their latest value."""
        self.refused: list[float | None] = []
        """The `Retry-After` of each 429."""
        self.skews: list[float] = []
        """By how many seconds the vendor's clock was ahead of ours."""

    def get(self, path: str, authorization: str) -> RawAnswer:
        """Return the answer to a GET; raises the guard's `StudioFault` if the account must not call now."""
        guard = self._clients.guard
        if guard:
            guard.before()
        answer = self._get(path, authorization)
        for name, value in answer.headers.items():
            if _LIMITS.search(name):
                self.limits[name.lower()] = value[:100]
        if answer.status == 429:
            wait = parse_retry_after(answer.headers, now=time.time(), longest=3600.0)
            self.refused.append(wait)
            if guard:
                guard.record(RateLimited(status=429, retry_after=wait))
        self._note_clock(answer)
        return answer

    def _get(self, path: str, authorization: str) -> RawAnswer:
        headers = {"Accept": "application/json", "Authorization": authorization}
        try:
            with self._client.get(
                self._base + path,
                headers=headers,
                connect_timeout=5.0,
                read_timeout=20.0,
                end=time.monotonic() + _SECONDS,
                trusted={host_and_port(self._base)},
            ) as response:
                content = response.raw.read(_MOST_BYTES, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return RawAnswer(0, why=type(error).__name__)
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        return RawAnswer(response.status_code, dict(response.headers), body, at=time.time())

    def _note_clock(self, answer: RawAnswer) -> None:
        try:
            self.skews.append(parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5 - answer.at)
        except (KeyError, ValueError, TypeError):
            return
