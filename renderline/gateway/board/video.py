"""The video of a render, played in its page or downloaded: from the storage alone, with byte ranges."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from flask import Response, request

from renderline.gateway import access
from renderline.gateway.access import READ, caller
from renderline.gateway.board.access import requires
from renderline.gateway.board.blueprint import blp
from renderline.gateway.context import context
from renderline.gateway.file_answer import file_answer
from renderline.gateway.problem import Problem
from renderline.hooks.media_type import media_type
from renderline.storage import StoredFile

log = structlog.get_logger(__name__)

_LONGEST_NAME: Final = 100
_MOST_OUTPUTS: Final = 100


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
    """Send the stored video of a render, or its output of that number, from 0.

    The file is looked for in this gateway's storage alone. What is only at the vendor is not fetched: a gateway that
    fetches what a record names would call whatever somebody can bring a record to name.
    """
    app = context()
    record = app.record(render_id)
    url = stored_url(record, request.args.get("output"))
    if url is None:
        raise Problem(404, "This video is not stored.")
    name = file_name(url)
    stored = _open(url, record["tenant"], render_id)
    return file_answer(
        stored,
        name=name,
        media_type=media_type(name),
        download="download" in request.args,
        shares=app.readers,
        tenant=caller().tenant,
    )


def stored_url(record: dict[str, Any], output: str | None) -> str | None:
    """Return where the video of a render is stored, or its output of that number; None: there is none."""
    if output is None:
        found: str | None = record["stored_url"]
        return found
    number = int(output) if output.isascii() and output.isdecimal() and len(output) < 4 else _MOST_OUTPUTS
    return record["outputs"][number]["stored_url"] if number < len(record["outputs"]) else None


def file_name(url: str) -> str:
    """Return the name of the file at a stored URL, as a browser may call it."""
    path = urlsplit(url).path
    leaf = (unquote(path) if url.startswith("file:") else path).rpartition("/")[2]
    name = "".join(one if one.isprintable() and one not in '\\/:*?"<>|' else "_" for one in leaf)
    stem, dot, ending = name.rpartition(".")
    return f"{(stem or ending)[:_LONGEST_NAME]}{dot}{ending[:10]}" if dot else name[:_LONGEST_NAME]


def _open(url: str, tenant: str, render_id: str) -> StoredFile:
    try:
        return context().videos.stored(url, tenant)
    except FileNotFoundError:
        raise Problem(404, "The video is not in the storage of this gateway.") from None
    except Exception as error:
        # Each storage's library has its own.
        log.warning("stored video not readable", render_id=render_id, error=type(error).__name__)
        raise Problem(404, "The video cannot be read from the storage; the gateway's log shows why.") from None
