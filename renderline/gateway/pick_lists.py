"""The routes of the vendor's lists: avatars, workspaces, templates, projects. They answer from the cache alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from renderline.catalogue import Snapshot
from renderline.catalogue.browser import Page
from renderline.catalogue.pick_lists import (
    BUSINESS_TEMPLATES,
    MODELS,
    PROJECTS,
    WORKSPACES,
    automation_templates,
)
from renderline.gateway import pick_list_schemas as schemas
from renderline.gateway.access import READ, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.problem import wrong_fields
from renderline.kinds.editor.request_template import request_template
from renderline.ledger import iso

blp = Blueprint("pick_lists", __name__, url_prefix="/v1", description="Lists of the vendor, for what a request names")


@blp.route("/models", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.ListQuery, location="query")
@blp.response(200, schemas.Models)
@blp.problems(422)
def models(query: dict[str, Any]) -> Any:
    """List the avatars and their clothes."""
    return _page("models", MODELS, query)


@blp.route("/workspaces", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.ListQuery, location="query")
@blp.response(200, schemas.Workspaces)
@blp.problems(422)
def workspaces(query: dict[str, Any]) -> Any:
    """List the workspaces."""
    return _page("workspaces", WORKSPACES, query)


@blp.route("/templates", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.TemplateQuery, location="query")
@blp.response(200, schemas.Templates)
@blp.problems(422)
def templates(query: dict[str, Any]) -> Any:
    """List the templates that requests of the tenant may name."""
    category = query.get("category")
    return _page("templates", automation_templates(category) if category else BUSINESS_TEMPLATES, query)


@blp.route("/projects", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.ProjectQuery, location="query")
@blp.response(200, schemas.VendorProjects)
@blp.problems(422)
def projects(query: dict[str, Any]) -> Any:
    """List the vendor's projects that requests of the tenant may name.

    The vendor lists perhaps only exported ones.
    """
    state = query.get("state", "").casefold()
    return _page("projects", PROJECTS, query, lambda row: not state or str(row.get("state")).casefold() == state)


@blp.route("/projects/<project_id:project_id>", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.AccountQuery, location="query")
@blp.response(200, schemas.ProjectOutline)
@blp.problems(404, 422)
def project(query: dict[str, Any], project_id: str) -> Any:
    """Show the scenes of a project: which clip, which text, which tag.

    The first call has a worker read it, and is answered 503 with `Retry-After`.
    """
    account = _account(query)
    found, snapshot, stale = context().lists.project(account, project_id, actor=caller())
    return {**_listed(account, snapshot, stale=stale), "project": found}


@blp.route("/projects/<project_id:project_id>/template", methods=["GET"])
@requires(READ)
@blp.arguments(schemas.RequestTemplateQuery, location="query")
@blp.response(200, schemas.RequestTemplate)
@blp.problems(404, 422)
def template_of(query: dict[str, Any], project_id: str) -> Any:
    """Write a request that makes videos from a project, with a placeholder for each text, line and tagged clip.

    The first call has a worker read the project, and is answered 503 with `Retry-After`.
    """
    account = _account(query)
    found, snapshot, stale = context().lists.project(account, project_id, actor=caller())
    template = request_template(found, project_id=project_id, account=account, everything=query["all"])
    return {**_listed(account, snapshot, stale=stale), "request": template.request, "example": template.example}


def _page(
    what: str, name: str, query: Mapping[str, Any], wanted: Callable[[Mapping[str, Any]], bool] = lambda _: True
) -> dict[str, Any]:
    account = _account(query)
    page: Page = context().lists.page(
        account,
        name,
        actor=caller(),
        limit=query["limit"],
        begin=query["cursor"],
        search=query["search"],
        wanted=wanted,
    )
    listed = _listed(account, page.snapshot, stale=page.stale)
    return {**listed, "complete": page.snapshot.complete, what: page.rows, "next": page.next}


def _account(query: Mapping[str, Any]) -> str:
    """Return the account of the query; raises a 422 problem if the caller may not name it."""
    account: str = query["account"]
    allowed = context().acceptor.allowed(caller())
    if account not in allowed:
        known = ", ".join(sorted(allowed)) or "none"
        raise wrong_fields([{"path": "account", "message": f"unknown account; known: {known}"}])
    return account


def _listed(account: str, snapshot: Snapshot, *, stale: bool) -> dict[str, Any]:
    age = snapshot.age(context().lists.store.clock())
    return {
        "account": account,
        "read_at": iso(snapshot.at),
        "age": int(age),
        "stale": stale,
        "error": snapshot.error,
    }
