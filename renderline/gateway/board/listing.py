"""The list of renders, the first page of the board, and the parts of it that its script asks for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, jsonify, render_template, request, url_for

from renderline.gateway.access import READ, caller
from renderline.gateway.board import search_links
from renderline.gateway.board.access import requires
from renderline.gateway.board.blueprint import blp, page
from renderline.gateway.board.bulk import actions
from renderline.gateway.board.context import board
from renderline.gateway.board.overview import Overview
from renderline.gateway.board.rows import Row, rows_of
from renderline.gateway.context import context

SIZES: Final = (50, 100, 250, 500)
"""How many rows a page may have."""
_SIZES: Final = {str(size): size for size in SIZES}


@dataclass(frozen=True)
class View:
    """What a browser asks to see: the text of the search, the size of the page, and where it begins."""

    text: str
    size: int
    cursor: str | None

    @staticmethod
    def asked() -> View:
        """Return the view that the address of the present request names."""
        size = _SIZES.get(request.args.get("size", ""), SIZES[0])
        return View(request.args.get("q", "").strip(), size, request.args.get("cursor") or None)

    def url(self, endpoint: str, **changes: Any) -> str:
        """Return the address of this view at a route, with changes."""
        size = None if self.size == SIZES[0] else self.size
        return url_for(endpoint, **{"q": self.text or None, "size": size, "cursor": self.cursor, **changes})


@dataclass(frozen=True)
class Listed:
    """The rows of a view; `error` says what is wrong with its search."""

    rows: Sequence[Row]
    cursor: str | None
    error: str = ""


@blp.get("/")
def renders() -> Response:
    """Show the renders; to a program that wants JSON, where the API is."""
    if request.accept_mimetypes["application/json"] > request.accept_mimetypes["text/html"]:
        return jsonify(name="Renderline", renders="/v1/renders", openapi="/openapi.json", docs="/docs")
    answer: Response = _page()
    return answer


@requires(READ)
def _page() -> Response:
    view = View.asked()
    found = listed(view)
    status = 200 if not found.error else 422
    return page("list.html", status, view=view, listed=found, overview=overview(), sizes=SIZES, **_columns(view))


@blp.get("/board/rows")
@requires(READ)
def rows() -> Response:
    """Send the rows of a view once more, for the script of an open board."""
    view, actor = View.asked(), caller()
    name = (actor.tenant, view, tuple(actions()))

    def made() -> str:
        return render_template("rows.html", view=view, listed=listed(view), **_columns(view))

    return Response(board().kept_rows.get(name, made), mimetype="text/html")


@blp.get("/board/overview")
@requires(READ)
def figures() -> Response:
    """Send the figures once more, for the script of an open board."""
    return page("overview.html", view=View.asked(), overview=overview(), **_columns(View.asked()))


def listed(view: View) -> Listed:
    """Return the rows of a view, or what is wrong with it."""
    try:
        found = board().search.find(view.text, tenant=caller().tenant, limit=view.size, cursor=view.cursor)
    except ValueError as error:
        return Listed((), None, f"{error}")
    return Listed(rows_of(found.records, context().queries.labels, _sentences), found.cursor)


def overview() -> Overview:
    """Return the figures that the caller may see, at most a few seconds old."""
    actor, app = caller(), context()
    accounts = tuple(sorted(app.acceptor.allowed(actor)))
    place = board()
    return place.kept_overviews.get((actor.tenant, accounts), lambda: place.overviews.of(actor.tenant, accounts))


def _columns(view: View) -> dict[str, Any]:
    return {
        "actions": actions(),
        "labels": context().queries.labels,
        "all_tenants": caller().tenant is None and len(overview().tenants) > 1,
        "filter_link": lambda field, value: search_links.link(view.text, field, value),
        "filtered": lambda field, value: search_links.has(view.text, field, value),
    }


def _sentences(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return [one.sentence for one in board().explainer.explain(records)]
