"""The answer with a stored file of a render: the same on the board and behind a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from flask import Response

from renderline.gateway.context import context
from renderline.gateway.file_answer import file_answer
from renderline.gateway.problem import Problem
from renderline.gateway.shares import Tenant
from renderline.hooks.media_type import media_type
from renderline.signed_urls.download_links import NotStored, stored_url
from renderline.storage import StoredFile

log = structlog.get_logger(__name__)

_LONGEST_NAME: Final = 100


def stored_file_answer(record: Mapping[str, Any], output: int | None, *, download: bool, reader: Tenant) -> Response:
    """Return the answer to the present GET or HEAD with the video of a record, or its output of that number.

    The file is looked for in this gateway's storage alone. What is only at the vendor is not fetched: a gateway that
    fetches what a record names would call whatever somebody can bring a record to name. `reader` is the tenant whose
    place for readers it takes. Raises a 404 problem if it is not there, and what `file_answer` raises.
    """
    app = context()
    try:
        url = stored_url(record, output)
    except NotStored:
        raise Problem(404, "This video is not stored.") from None
    name = file_name(url)
    return file_answer(
        _open(url, record["tenant"], record["id"]),
        name=name,
        media_type=media_type(name),
        download=download,
        shares=app.readers,
        tenant=reader,
    )


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
