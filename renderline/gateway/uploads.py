"""The route of uploads: a file as the body of one call, stored while it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

import structlog
from flask import request
from marshmallow import fields

from renderline.contract import TENANT_PATTERN, tenant_error
from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import SUBMIT, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.body_limits import UPLOADS
from renderline.gateway.context import context
from renderline.gateway.problem import Problem, wrong_fields
from renderline.gateway.request_schemas import QuerySchema
from renderline.gateway.server import BodyBroken
from renderline.uploads import CHUNK, SourceBroken, StorageFailed, UploadRefused, UploadStore, UploadTooLarge

log = structlog.get_logger(__name__)

blp = Blueprint("uploads", __name__, url_prefix=UPLOADS, description="Files that requests name")

_BODY: Final = {
    "required": True,
    "description": "The file itself. Its length must be announced.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class UploadQuery(QuerySchema):
    """What is known of a file beside its content."""

    name = fields.String(
        required=True,
        metadata={"description": "The file's name. Its ending says what type the file has.", "maxLength": 1000},
        error_messages={"required": "is required: the file's name, such as deck.pptx"},
    )
    tenant = fields.String(metadata={"description": "The tenant that may use it.", "pattern": TENANT_PATTERN})


def _one_of_few(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run the view only if the tenant has not half of all uploads already."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        with context().upload_shares.hold(caller().tenant, 1):
            return view(*args, **kwargs)

    return run


@blp.route("", methods=["POST"])
@requires(SUBMIT)
@_one_of_few
@blp.arguments(UploadQuery, location="query")
@blp.response(201, schemas.Upload)
@blp.problems(400, 408, 411, 413, 415, 422)
@blp.doc(requestBody=_BODY)
def upload(query: dict[str, Any]) -> Any:
    """Store a file, for requests to name.

    The answer's `file` is what a request writes as its `file`. The same content is stored once. A file is removed when
    it is older than the installation keeps uploads and no unfinished render names it.
    """
    tenant = _tenant(query.get("tenant"))
    store, size = _store(), _size()
    try:
        with context().upload_quota.using(tenant, size):
            stored = store.put(query["name"], _chunks(), tenant=tenant)
    except UploadTooLarge as refused:
        raise Problem(413, f"The file {refused}.") from None
    except UploadRefused as refused:
        raise wrong_fields([{"path": refused.field, "message": str(refused)}]) from None
    except SourceBroken as broken:
        raise Problem(408, f"The file is not complete: {broken}.") from None
    except StorageFailed as failed:
        log.error("the storage of uploads takes no file", why=str(failed))
        raise Problem(503, "The storage of uploads takes no file now.", headers={"Retry-After": "30"}) from None
    log.info("uploaded", bytes=stored.size, sha256=stored.reference.sha256)
    return {"file": str(stored.reference), "name": stored.reference.name, "bytes": stored.size}


def _tenant(named: str | None) -> str:
    if named is not None and (fault := tenant_error(named)):
        raise wrong_fields([{"path": "tenant", "message": fault}])
    if named is not None and not caller().sees(named):
        said = f"must be {caller().home}, the tenant of the API key, or left out"
        raise wrong_fields([{"path": "tenant", "message": said}])
    return named or caller().home


def _store() -> UploadStore:
    store = context().uploads
    if store is None:
        raise Problem(
            503, "This installation keeps no uploads: RENDERLINE_UPLOADS_URL and RENDERLINE_STORAGE_URL are unset."
        )
    return store


def _size() -> int:
    """Return the announced length of the body; raises a problem without one, or for one that is too large."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "The body must not be compressed.")
    size, store = request.content_length, _store()
    if size is None:
        raise Problem(411, "The length of the file must be announced: send Content-Length.")
    if size > store.max_bytes:
        raise Problem(413, f"A file may have at most {store.max_bytes} bytes.")
    return size


def _chunks() -> Iterator[bytes]:
    left = request.content_length or 0
    try:
        while left and (chunk := request.stream.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
    except (BodyBroken, OSError) as error:
        raise SourceBroken(str(error)) from None
    if left:
        raise SourceBroken(f"{left} bytes are missing")
