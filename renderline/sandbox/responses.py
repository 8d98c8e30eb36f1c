"""Responses of the sandbox: the vendor's two envelopes, and refusals with invented codes.

The vendor lists no error code for v3 or v2. Every code here is an invention of this sandbox, made of an HTTP status
and a number, so that nobody is tempted to branch on one.
"""

import json
from dataclasses import dataclass, field
from typing import Any

BAD_JSON = 40000
BAD_BODY = 40001
REFUSED_BY_TAG = 40002
TOKEN_MISSING = 40100
TOKEN_UNKNOWN = 40101
TOKEN_EXPIRED = 40102
TOKEN_REVOKED = 40103
CREDENTIALS_WRONG = 40104
NO_CREDITS = 40200
LINK_EXPIRED = 40300
NO_SUCH_CALL = 40400
NO_SUCH_PROJECT = 40401
NO_SUCH_TEMPLATE = 40402
WITHDRAWN = 40403
WRONG_METHOD = 40500
NOT_POSSIBLE = 40900
TOO_LARGE = 41300
TOO_MANY = 42900
BROKEN = 50000
RENDER_FAILED = 50010

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; `cut_after` sends only so many bytes of the body and then closes the connection."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = field(default=())
    length: int | None = None
    cut_after: int | None = None


class Refusal(Exception):
    """The vendor refuses a call. `code` contains the HTTP status; `shown` is the code in the body."""

    def __init__(
        self, code: int, message: str, *, headers: tuple[tuple[str, str], ...] = (), shown: int | str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.shown = code if shown is None else shown
        self.message = message
        self.headers = headers

    @property
    def status(self) -> int:
        """The HTTP status inside the code."""
        return self.code // 100


def dumps(value: Any) -> bytes:
    """Compact JSON; text stays as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def plain(value: Any) -> Response:
    """A JSON answer without any envelope (the control API)."""
    return Response(200, dumps(value))


def success(data: Any) -> Response:
    """The v3 envelope of a success (AI Studios v3 contract, envelopes)."""
    return Response(200, dumps({"success": True, "data": data}))


def success_list(rows: list[dict[str, Any]], name: str, *, named: bool) -> Response:
    """A success with a list: alone in `data`, or below a name, which the vendor does not tell."""
    return success({name: rows} if named else rows)


def failure(refusal: Refusal, *, v2: bool = False, as_200: bool = False) -> Response:
    """A refusal in its envelope: `error.code` and `error.msg`; v2 adds the top-level `msg` that its pages name.

    With `as_200` a 4xx refusal is sent with status 200, as the vendor's own samples suggest. A 429 keeps its status,
    because its `Retry-After` makes no sense without, and so does a 5xx.
    """
    body: dict[str, Any] = {"success": False, "error": {"code": refusal.shown, "msg": refusal.message}}
    if v2:
        body["msg"] = refusal.message
    keeps_status = refusal.status == 429 or refusal.status >= 500
    return Response(refusal.status if keeps_status or not as_200 else 200, dumps(body), headers=refusal.headers)


def page(status: int, title: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An HTML error page such as a proxy in front of the vendor would send."""
    text = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Response(status, text.encode(), HTML_TYPE, headers)
