"""The list of renders, the first page of the board."""

from __future__ import annotations

from flask import Response, jsonify, request, url_for

from renderline.gateway.access import READ, caller
from renderline.gateway.board.access import requires
from renderline.gateway.board.blueprint import blp, page
from renderline.gateway.context import context
from renderline.ledger import Filter


@blp.get("/")
def renders() -> Response:
    """Show the renders; to a program that wants JSON, where the API is."""
    if request.accept_mimetypes["application/json"] > request.accept_mimetypes["text/html"]:
        return jsonify(name="Renderline", renders="/v1/renders", openapi="/openapi.json", docs="/docs")
    answer: Response = _listed()
    return answer


@requires(READ)
def _listed() -> Response:
    found, cursor = context().queries.page(
        Filter(tenant=caller().tenant), limit=50, cursor=request.args.get("cursor") or None
    )
    following = url_for("board.renders", cursor=cursor) if cursor else None
    return page("list.html", renders=found, following=following)
