"""The video of a render, played in its page or downloaded: from the storage alone, with byte ranges."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import Response, request

from renderline.gateway import access
from renderline.gateway.access import READ, caller
from renderline.gateway.board.access import requires
from renderline.gateway.board.blueprint import blp
from renderline.gateway.context import context
from renderline.gateway.stored_file import stored_file_answer

_NO_OUTPUT: Final = 1000
"""A number that no output has."""


def _reads(view: Callable[..., Response]) -> Callable[..., Response]:
    """Run a view for the session of a browser, or for the API key of a program."""
    of_session, of_key = requires(READ)(view), access.requires(READ)(view)

    @wraps(view)
    def admitted(*args: Any, **kwargs: Any) -> Response:
        answer: Response = (of_key if "Authorization" in request.headers else of_session)(*args, **kwargs)
        return answer

    return admitted


@blp.get("/renders/<render_id:render_id>/video")
@_reads
def video(render_id: str) -> Response:
    """Send the stored video of a render, or its output of that number, from 0."""
    app = context()
    record = app.record(render_id)
    output = _number(request.args.get("output"))
    return stored_file_answer(record, output, download="download" in request.args, reader=caller().tenant)


def _number(output: str | None) -> int | None:
    if output is None:
        return None
    return int(output) if output.isascii() and output.isdecimal() and len(output) < 4 else _NO_OUTPUT
