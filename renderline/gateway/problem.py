"""Problem documents (RFC 9457): the body of every error answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Response

MEDIA_TYPE: Final = "application/problem+json"

# HTTP has renamed these two statuses since Python 3.11.
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(Exception):
    """An error answer; `errors` lists each wrong field with its `path` and `message`."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = list(errors), dict(headers or {})


def problem_response(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Return a problem document; its title is the status' own phrase, and `members` are added unchanged."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return Response(json.dumps(body), status=status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def field_errors(errors: Mapping[str, Iterable[str]], *, below: str = "") -> list[dict[str, str]]:
    """Return messages by path as the list of a problem document; `below` is put in front of each path."""
    return [
        {"path": f"{below}.{path}" if below else path, "message": message}
        for path, messages in errors.items()
        for message in messages
    ]


def wrong_fields(errors: list[dict[str, str]]) -> Problem:
    """Return the 422 problem of a request with wrong fields."""
    detail = "1 field is wrong." if len(errors) == 1 else f"{len(errors)} fields are wrong."
    return Problem(422, detail, errors=errors)
