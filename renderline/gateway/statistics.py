"""The route of the figures over all renders of a tenant."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import READ, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.request_schemas import StatisticsQuery
from renderline.ledger import Statistics, iso

blp = Blueprint("statistics", __name__, url_prefix="/v1", description="Renders")


@blp.route("/statistics", methods=["GET"])
@requires(READ)
@blp.arguments(StatisticsQuery, location="query")
@blp.response(200, schemas.StatisticsAnswer)
@blp.problems(422)
def statistics(query: dict[str, Any]) -> Any:
    """Show how many renders there are by state, kind and account, and what happened in each of the latest minutes."""
    figures, tenant = Statistics(context().ledger), caller().tenant
    minutes = [{**one._asdict(), "at": iso(one.at)} for one in figures.minutes(tenant, count=query["minutes"])]
    return {"totals": [asdict(one) for one in figures.totals(tenant)], "minutes": minutes}
