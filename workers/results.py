"""Celery's result backend, on connections that leave a server that was demoted."""

from __future__ import annotations

from typing import Any

from celery.backends import redis

from renderline.ledger.failover import connection_class


class Backend(redis.RedisBackend):
    """Where `renderline.request` leaves the id for its producer."""

    def _params_from_url(self, url: str, defaults: Any) -> Any:
        return {**super()._params_from_url(url, defaults), "connection_class": connection_class(url)}
