"""Requests as a deployment with two accounts and three kinds of hook loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from marshmallow import Schema, fields

from renderline.requests import RenderRequest, load_request

ACCOUNTS = ("default", "events")
MAX_BYTES = 100_000


class Plain:
    """A kind of hook whose schema leaves `type` out."""

    schema = Schema.from_dict({"path": fields.String()})()

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Find nothing."""


class Addressed:
    """A kind of hook with a required field, a default, and a problem with one host."""

    schema = Schema.from_dict(
        {"type": fields.String(), "url": fields.Url(required=True), "events": fields.List(fields.String())}
    )()

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Refuse the host that this deployment may not call."""
        return "needs RENDERLINE_ALLOW_PRIVATE_HOOKS" if "internal.test" in hook["url"] else None


class Queued:
    """A kind of hook that fills a default in."""

    schema = Schema.from_dict(
        {
            "type": fields.String(),
            "task": fields.String(required=True),
            "queue": fields.String(load_default="celery"),
        }
    )()

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Find nothing."""


@pytest.fixture(scope="session")
def load() -> Callable[[Any], RenderRequest]:
    """Load a request."""
    kinds = {"download": Plain(), "http": Addressed(), "celery": Queued()}

    def load_one(data: Any) -> RenderRequest:
        return load_request(data, accounts=ACCOUNTS, hook_kinds=kinds, max_bytes=MAX_BYTES)

    return load_one
