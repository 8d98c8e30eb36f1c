"""What the routes of the API work with, and the two things that all of them do: find a render, pass on a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Response, url_for
from redis import RedisError

from renderline.acceptance import Acceptor
from renderline.dispatcher import Dispatcher
from renderline.gateway.problem import Problem
from renderline.ledger import Commands, Ledger, Queries

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Desk:
    """The ledger and what acts on it. `max_bytes` limits one render request."""

    ledger: Ledger
    operations: Commands
    listing: Queries
    acceptor: Acceptor
    dispatcher: Dispatcher
    max_bytes: int

    def record(self, render_id: str) -> dict[str, Any]:
        """Return the public record of a render; raises a 404 problem if there is none."""
        record = self.ledger.record(render_id)
        if record is None:
            raise Problem(404, "There is no render with this id.")
        return record

    def announce(self, publish: Callable[..., None], *what: Any) -> None:
        """Publish what follows from a change that is recorded already; if that fails, the sweep does it later."""
        try:
            publish(*what)
        except (OSError, RedisError) as error:
            log.warning("not announced, left to the sweep", why=str(error))


def answer(value: Any, status: int = 200, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer that no cache keeps."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status=status, headers=kept, content_type="application/json")


def location(render_id: str) -> str:
    """Return the path of a render's record."""
    return url_for("renders.show", render_id=render_id)


def accepted(record: dict[str, Any]) -> Response:
    """Return the answer for a render that goes on by itself from here: 202, its record and where to find it."""
    return answer(record, 202, headers={"Location": location(record["id"])})
