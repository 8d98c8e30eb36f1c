"""The routes of download links: one makes a link to a stored file, one sends its file."""

from __future__ import annotations

from typing import Any, Final

import flask
from flask import Response, abort, url_for
from marshmallow import fields, validate

from renderline.gateway.access import READ, access_control, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.problem import Problem
from renderline.gateway.request_parsing import JsonBody
from renderline.gateway.response_schemas import Response as AnswerSchema
from renderline.gateway.stored_file import stored_file_answer
from renderline.ledger import iso
from renderline.signed_urls.download_links import LONGEST, PATH, USUAL, LinkChanged, LinkExpired, NotStored
from renderline.validation.fields import Integer

blp = Blueprint("links", __name__, url_prefix="/v1/renders", description="Renders")
public = flask.Blueprint("downloads", __name__)

_UNSET: Final = "This installation makes no links: RENDERLINE_SECRET_KEY, which signs them, is unset at the gateway."


class LinkRequest(JsonBody):
    """Which file, and for how long."""

    expires_in = Integer(
        load_default=USUAL,
        validate=validate.Range(1, LONGEST, error="must be 1 to {max} seconds"),
        metadata={"description": "Seconds for which the link is good."},
    )
    output = Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, error="must be the number of an output, from 0"),
        metadata={"description": "Which file of a render with several, from 0; null or left out: the render's video."},
    )


class LinkAnswer(AnswerSchema):
    """A link, and when it ends."""

    url = fields.Url(required=True, metadata={"description": "GET and HEAD need no API key there."})
    expires_at = fields.String(required=True, metadata={"description": "ISO 8601."})


@blp.route("/<render_id:render_id>/links", methods=["POST"])
@requires(READ)
@blp.arguments(LinkRequest, required=False)
@blp.response(201, LinkAnswer)
@blp.problems(400, 404, 409, 413, 415, 422)
def make(body: dict[str, Any], render_id: str) -> Any:
    """Make a link to the stored file of a render, for a caller without an API key.

    It is good until it expires or the render is forgotten. It stands for the file: send it as you would send that.
    """
    app = context()
    record = app.record(render_id)
    if app.links is None:
        raise Problem(503, _UNSET)
    try:
        link = app.links.make(record, output=body["output"], seconds=body["expires_in"])
    except NotStored as error:
        raise Problem(409, str(error)) from None
    signed = link.path.rpartition("/")[2]
    if app.public_url:
        url = f"{app.public_url.rstrip('/')}{link.path}"
    else:
        url = url_for("downloads.send", render_id=render_id, signed=signed, _external=True)
    return {"url": url, "expires_at": iso(link.expires)}


@public.get(f"{PATH}/<render_id:render_id>/<signed>", provide_automatic_options=False)
def send(render_id: str, signed: str) -> Response:
    """Send the file of a link, or the part of it that the caller asks for."""
    app = context()
    if app.links is None:
        abort(404)
    try:
        output = app.links.verify(render_id, signed)
    except LinkChanged:
        raise Problem(403, "This link is not as it was made; ask for a new one.") from None
    except LinkExpired:
        raise Problem(410, "This link has expired; ask for a new one.") from None
    # The maker of the link could see the render. It is read only now, so that a changed link learns nothing of it.
    record = app.ledger.record(render_id)
    if record is None or record["forgotten"]:
        raise Problem(410, "The render of this link was forgotten.")
    with access_control().shares.hold(record["tenant"]):
        return stored_file_answer(record, output, download=True, reader=record["tenant"])
