"""The Flask application of the gateway, built from the parts that it is given."""

from __future__ import annotations

from flask import Flask
from redis import Redis

from renderline.gateway import health, problem


def create_app(*, redis: Redis) -> Flask:
    """Return the gateway over the given Redis; nothing is connected before the first request."""
    app = Flask("renderline.gateway", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    problem.install(app)
    app.register_blueprint(health.routes(redis=redis))
    return app
