"""The Flask application of the gateway, built from the parts that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import flask
from flask import Flask
from flask_smorest import Api
from redis import Redis
from werkzeug.routing import BaseConverter

from renderline.acceptance import Acceptor
from renderline.dispatcher import Dispatcher
from renderline.gateway import access, batch, documentation, events, health, journal, operators, problem, renders
from renderline.gateway.access import Admission, Gate, OpenGate
from renderline.gateway.description import plugin
from renderline.gateway.desk import Desk
from renderline.gateway.events import Streams
from renderline.gateway.forms import add_requests
from renderline.gateway.rates import Rates
from renderline.ledger import Commands, Ledger, Queries

RENDER_ID: Final = "[0-9a-f]{32}"


class RenderIdConverter(BaseConverter):
    """The id of a render in a path; any other text is no such path."""

    regex = RENDER_ID


class _Api(Api):
    # Every route says for itself how it may fail, and ours are problem documents.
    DEFAULT_ERROR_RESPONSE_NAME = None


def create_app(
    *,
    redis: Redis,
    ledger: Ledger,
    operations: Commands,
    listing: Queries,
    acceptor: Acceptor,
    dispatcher: Dispatcher,
    keys: Gate,
    max_bytes: int,
    streams: Streams,
    rate: str | None = None,
    webhooks: flask.Blueprint | None = None,
) -> Flask:
    """Return the gateway over the given parts; nothing is connected before the first request.

    `keys` decides who may call, `rate` (such as `600/minute`; None: no limit) how often with one key, `max_bytes` how
    large a render request may be, `streams` how many may follow events. `webhooks` receives the vendor's calls.
    """
    app = Flask("renderline.gateway", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.converters["render_id"] = RenderIdConverter
    app.extensions[access.EXTENSION] = Admission(keys, Rates(redis, rate))
    journal.install(app)
    app.register_blueprint(health.routes(redis=redis))
    if webhooks is not None:
        app.register_blueprint(webhooks)
    desk = Desk(ledger, operations, listing, acceptor, dispatcher, max_bytes)
    api = _api(app, guarded=not isinstance(keys, OpenGate))
    add_requests(api.spec, api.ma_plugin.converter, acceptor.hook_kinds)
    api.register_blueprint(renders.routes(desk))
    api.register_blueprint(batch.routes(desk))
    api.register_blueprint(events.routes(desk, streams))
    api.register_blueprint(operators.routes(desk))
    api.register_blueprint(operators.unconfirmed_routes(desk))
    app.register_blueprint(documentation.assets())
    # After the others have registered theirs: every error is a problem document.
    problem.install(app)
    return app


def _api(app: Flask, *, guarded: bool) -> _Api:
    app.config.update(documentation.CONFIG)
    options: Mapping[str, Any] = {
        "info": {"description": documentation.ABOUT},
        "marshmallow_plugin": plugin(),
        **({"security": [{documentation.SCHEME: []}]} if guarded else {}),
    }
    api = _Api(app, spec_kwargs=dict(options))
    if guarded:
        api.spec.components.security_scheme(documentation.SCHEME, {"type": "http", "scheme": "bearer"})
    api.register_converter(RenderIdConverter, lambda _: {"type": "string", "pattern": f"^{RENDER_ID}$"})
    return api
