"""Builds kombu's Redis transport and Celery's request class from the selected repairs, and installs them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from celery import Celery
from celery.worker.request import Request
from kombu.transport import TRANSPORT_ALIASES, _transport_cache, redis

from tasks.base import RenderlineTask
from workers.repairs.registry import REPAIRS
from workers.repairs.repair import Repair

TRANSPORTS = {"redis": redis.Transport, "rediss": redis.Transport, "sentinel": redis.SentinelTransport}
"""By the scheme of Celery's addresses; that of a socket is redis+socket, which kombu and Celery cut at the plus."""


def transport_class(
    repairs: Iterable[Repair] = REPAIRS, base: type[redis.Transport] = redis.Transport
) -> type[redis.Transport]:
    """Return a transport like `base` whose channels have these repairs."""
    chosen = tuple(repairs)
    qos = _mixed("QoS", [repair.qos for repair in chosen], redis.QoS)
    channel = _mixed("Channel", [repair.channel for repair in chosen], base.Channel, QoS=qos)
    return _mixed("Transport", [], base, Channel=channel)


def request_class(repairs: Iterable[Repair] = REPAIRS) -> type[Request]:
    """Return a class of task messages with these repairs."""
    return _mixed("RenderlineRequest", [repair.request for repair in repairs], Request)


def install(app: Celery, repairs: Iterable[Repair] = REPAIRS) -> None:
    """Use these repairs in this process and in `app`."""
    chosen = tuple(repairs)
    # By the scheme: the `broker_transport` setting would drop the TLS of rediss://. Other applications of this process
    # get these transports too, such as a producer's.
    for scheme, base in TRANSPORTS.items():
        TRANSPORT_ALIASES[scheme] = partial(transport_class, chosen, base)  # type: ignore[assignment]
        # One that an application of this process has used before would be used again.
        _transport_cache.pop(scheme, None)
    RenderlineTask.Request = request_class(chosen)
    app.steps["consumer"].update(repair.step for repair in chosen if repair.step)
    for control in filter(None, (repair.control for repair in chosen)):
        app.control_cls = control
    for backend in filter(None, (repair.result_backend for repair in chosen)):
        app.loader.override_backends = dict.fromkeys(TRANSPORTS, backend)


def _mixed(name: str, mixins: Iterable[type[Any] | None], base: type[Any], **members: Any) -> type[Any]:
    bases = [mixin for mixin in mixins if mixin]
    return type(name, (*bases, base), {"__module__": __name__, **members})
