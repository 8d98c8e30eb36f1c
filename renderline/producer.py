"""Enqueues renders from another service, by task name over its own Celery application. Standard library only.

    from renderline.producer import enqueue_render, wait_for

    render_id = enqueue_render(app, {"kind": "project", "scenes": [...]}, key="order-A-17")
    outcome = wait_for(app, render_id, timeout=900)

`app` is any Celery application whose broker is Renderline's Redis. Messages and ids are those of `renderline.contract`.
"""

from __future__ import annotations

import contextlib
import itertools
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from renderline import contract

_CHUNK = 500
_FINAL = frozenset({"delivered", "undelivered", "failed", "expired", "canceled"})
_PREFIX = "renderline:"
# Seconds that one read of the event stream waits: less than any sensible socket timeout of the caller's application.
_BLOCK = 1.0
_VERIFY = "ssl_cert_reqs"
_REFUSALS = ("RequestRefused", "KeyConflict", "QuotaExceeded")

Request = Mapping[str, Any]
"""A render request: a JSON object."""


class RequestNotAccepted(ValueError):
    """The workers refused the request. The text names every wrong field by its path, one per line."""


class Outcome(NamedTuple):
    """How a render ended: its final state, the URLs of its file, and the error."""

    id: str
    state: str
    """`delivered`, `undelivered` (the video is ready, a hook was dead-lettered), `failed`, `expired` or `canceled`."""
    stored_url: str | None
    """Where a download hook stored the file."""
    download_url: str | None
    """The vendor's own URL, which expires after a while."""
    error: str | None


def celery_options(redis_url: str) -> dict[str, Any]:
    """Return the options of a Celery application for Renderline's Redis: `app.conf.update(celery_options(...))`.

    `redis_url` is Renderline's REDIS_URL in any of its forms: redis://, rediss://, unix:// and sentinel://. Celery
    spells the last two in another way, and needs the name of the Sentinels' primary and TLS as options of their own.
    An address that is none of these is returned as Celery's.
    """
    # Some versions of Python's urlsplit refuse an IPv6 address among several hosts.
    scheme, _, rest = redis_url.partition("://")
    where, _, options = rest.partition("?")
    netloc, slash, path = where.partition("/")
    query = dict(parse_qsl(options))
    login, at, hosts = netloc.rpartition("@")
    if scheme == "rediss":
        spelled = f"{redis_url}{'&' if query else '?'}ssl_cert_reqs=required" if _VERIFY not in query else redis_url
        return {"broker_url": spelled, "result_backend": spelled}
    if scheme == "unix":
        spelled = f"redis+socket://{login}{at}/{path}?virtual_host={query.get('db', '0')}"
        return {"broker_url": spelled, "result_backend": spelled}
    if scheme != "sentinel" or ";" in redis_url:
        return {"broker_url": redis_url, "result_backend": redis_url}
    # Each repeats login and database: kombu takes them as servers between which it changes.
    spelled = ";".join(f"sentinel://{login}{at}{host}{slash}{path}" for host in hosts.split(","))
    tls: dict[str, Any] = {name: value for name, value in query.items() if name.startswith("ssl_")}
    if tls:
        tls[_VERIFY] = ssl.VerifyMode[f"CERT_{tls.get(_VERIFY, 'required').upper().removeprefix('CERT_')}"]
    of_sentinels: dict[str, Any] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
    of_sentinels |= {
        name: query[f"sentinel_{name}"] for name in ("username", "password") if f"sentinel_{name}" in query
    }
    of_sentinels |= {"ssl": True, **tls} if tls else {}
    transport = {"master_name": query.get("master_name"), "sentinel_kwargs": of_sentinels}
    return {
        "broker_url": spelled,
        "result_backend": spelled,
        "broker_transport_options": transport,
        "result_backend_transport_options": transport,
        **({"broker_use_ssl": tls, "redis_backend_use_ssl": tls} if tls else {}),
    }


def enqueue_render(
    app: Any,
    request: Request,
    *,
    key: str | None = None,
    wait: float | None = None,
    tenant: str | None = None,
    request_id: str | None = None,
) -> str:
    """Enqueue a render request and return its render id.

    The same `key` always gives the same render of a tenant. `tenant` becomes the field `tenant` of the request, which
    is `default` if nothing names another. `request_id` names the call of your service that led to it: it is in the
    render's record, in all log lines about it, and in what its hooks send. A bad key (`contract.key_error`) or request
    id (`contract.request_id_error`) raises `RequestNotAccepted` at once. Without `wait` it returns as soon as the
    broker has the message; a request that turns out to be wrong makes no render. With `wait` (seconds; `app` needs a
    result backend) it returns once a worker has accepted the request. It raises `RequestNotAccepted` if the request was
    refused, `TimeoutError` if no worker answered, and Celery's own error if the broker cannot be reached.
    """
    request = _of_tenant(request, tenant)
    message_id, render_id = _ids(key, request)
    result = app.send_task(
        contract.REQUEST, **_message(request, key, message_id, request_id, answered=wait is not None)
    )
    if wait is None:
        return render_id
    try:
        # Allowed inside a task too: the task that is waited for runs in another application's worker.
        return str(result.get(timeout=wait, disable_sync_subtasks=False))
    except Exception as error:
        if type(error).__name__ in _REFUSALS:
            raise RequestNotAccepted(str(error)) from None
        if type(error).__name__ == "TimeoutError":
            raise TimeoutError(f"no worker answered within {wait:g} s; it is enqueued as {render_id}") from None
        raise


def enqueue_renders(
    app: Any,
    requests: Iterable[Request | tuple[str | None, Request]],
    *,
    tenant: str | None = None,
    request_id: str | None = None,
) -> list[str]:
    """Enqueue many requests over one broker connection, pipelined, and return their render ids in order.

    Each item is a request, or a pair of key and request; `tenant` and `request_id` are those of all of them. If the
    broker fails on the way, the error is raised and the messages that it already has stay enqueued. A second call with
    the same keys renders nothing twice.
    """
    ids: list[str] = []
    items = iter(requests)
    while chunk := list(itertools.islice(items, _CHUNK)):
        messages = []
        for item in chunk:
            key, request = item if isinstance(item, tuple) else (None, item)
            request = _of_tenant(request, tenant)
            message_id, render_id = _ids(key, request)
            messages.append(_message(request, key, message_id, request_id, answered=False))
            ids.append(render_id)
        _publish(app, messages)
    return ids


def wait_for(
    app: Any,
    render_id: str,
    *,
    timeout: float = 3600.0,
    progress: Callable[[str, float], object] | None = None,
    until: Literal["ended", "stored"] = "ended",
) -> Outcome:
    """Wait until a render has ended and return how; raises `TimeoutError` after `timeout` seconds.

    A render whose hook endpoint is down ends when the hook is dead-lettered, which may be days later. With
    `until="stored"` the wait ends as soon as a download hook has stored the video; the outcome's state may be
    `completed` then. It reads Renderline's event stream in Redis over the broker connection: no polling, no result
    backend. It reconnects when the broker cannot be reached. `progress` is called with the state and 0-100 whenever
    one of them has changed.
    """
    clock = _clock(app)
    give_up = clock.monotonic() + timeout
    last: tuple[str, float] | None = None
    with app.connection_for_read() as connection:
        unreachable = tuple(connection.connection_errors)
        while True:
            try:
                for fields in _changes(connection.default_channel.client, render_id, give_up, clock):
                    seen = _state(fields), float(fields.get("progress") or 0)
                    if progress is not None and seen[0] and seen != last:
                        progress(*seen)
                    last = seen
                    if seen[0] in _FINAL or (until == "stored" and fields.get("stored_url")):
                        return _outcome(render_id, fields)
                break
            except unreachable:
                if clock.monotonic() >= give_up:
                    raise
                clock.sleep(min(0.5, max(0.0, give_up - clock.monotonic())))
    state = last[0] if last else ""
    seen_as = f"is {state}" if state else "is not known: not accepted yet, or refused"
    raise TimeoutError(f"render {render_id} {seen_as} after {timeout:g} s")


def _clock(app: Any) -> Any:
    """Return what tells the time: the module `time`, or the clock of a test (renderline.testing)."""
    return getattr(app, "renderline_clock", time)


def _changes(client: Any, render_id: str, give_up: float, clock: Any) -> Iterator[dict[str, str]]:
    """Yield the fields of a render's record now, after each of its events, and every few seconds, until `give_up`."""
    last = _newest(client)
    while True:
        yield _text(client.hgetall(f"{_PREFIX}render:{render_id}"))
        left = give_up - clock.monotonic()
        if left <= 0:
            return
        last = _next_event(client, render_id, last, left, clock)


def _next_event(client: Any, render_id: str, last: str, left: float, clock: Any) -> str:
    until = clock.monotonic() + min(left, 5.0)
    while (wait := until - clock.monotonic()) > 0:
        block = max(1, int(min(wait, _BLOCK) * 1000))
        for _, entries in client.xread({f"{_PREFIX}events": last}, count=100, block=block) or ():
            mine = False
            for event, fields in entries:
                last = event.decode() if isinstance(event, bytes) else event
                mine = mine or _text(fields).get("id") == render_id
            if mine:
                return last
    return last


def _newest(client: Any) -> str:
    entries = client.xrevrange(f"{_PREFIX}events", count=1)
    newest = entries[0][0] if entries else "0-0"
    return newest.decode() if isinstance(newest, bytes) else newest


def _state(fields: Mapping[str, str]) -> str:
    """Return the state of a record; a held render is an accepted one that waits for an operator."""
    state = fields.get("state", "")
    return "accepted" if state == "held" else state


def _outcome(render_id: str, fields: Mapping[str, str]) -> Outcome:
    urls = fields.get("stored_url"), fields.get("download_url")
    return Outcome(render_id, fields["state"], *urls, fields.get("error_message"))


def _text(fields: Mapping[Any, Any]) -> dict[str, str]:
    def plain(value: Any) -> str:
        return value.decode() if isinstance(value, bytes) else value

    return {plain(name): plain(value) for name, value in fields.items()}


def _of_tenant(request: Request, tenant: str | None) -> Request:
    return request if tenant is None else {**request, "tenant": tenant}


def _ids(key: str | None, request: Request) -> tuple[str, str]:
    tenant = request.get("tenant")
    tenant = contract.DEFAULT_TENANT if tenant is None else tenant
    if key is not None and (error := contract.key_error(key)):
        raise RequestNotAccepted(f"key: {error}")
    if error := contract.tenant_error(tenant):
        raise RequestNotAccepted(f"tenant: {error}")
    message_id = str(uuid.uuid4())
    if key is None:
        return message_id, contract.render_id_for_message(message_id, tenant)
    return message_id, contract.render_id_for_key(key, tenant)


def _message(
    request: Request, key: str | None, message_id: str, request_id: str | None, *, answered: bool
) -> dict[str, Any]:
    if request_id is not None and (error := contract.request_id_error(request_id)):
        raise RequestNotAccepted(f"request_id: {error}")
    return {
        # A header, which workers of earlier versions ignore.
        "headers": {} if request_id is None else {contract.REQUEST_ID_HEADER: request_id},
        "kwargs": {"request": dict(request), "key": key},
        "queue": contract.REQUESTS_QUEUE,
        "task_id": message_id,
        "ignore_result": not answered,
        # Shown in events and Flower. Without these, Celery writes the whole request there.
        "argsrepr": "()",
        "kwargsrepr": repr({"request": "<redacted>", "key": key}),
    }


def _publish(app: Any, messages: list[dict[str, Any]]) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        try:
            _publish_pipelined(app, producer, messages)
        except Exception as error:
            if type(error).__name__ != "BatchPublishError":
                raise
            # It is unknown which messages the broker has. `send_task` reconnects and retries. A repeated message is
            # accepted once, because the render's id is derived from the message's.
            for message in messages:
                app.send_task(contract.REQUEST, producer=producer, **message)


def _publish_pipelined(app: Any, producer: Any, messages: list[dict[str, Any]]) -> None:
    """Publish as `send_task` does, with its signals, but route and declare once for all messages."""
    queue = app.amqp.router.route({"queue": contract.REQUESTS_QUEUE}, contract.REQUEST)["queue"]
    producer.maybe_declare(queue, retry=True)
    # Kombu before 5.7 has no batches.
    batch = getattr(producer, "batch", None)
    with batch(max_size=_CHUNK) if batch else contextlib.nullcontext():
        for sent in messages:
            message = app.amqp.create_task_message(
                sent["task_id"],
                contract.REQUEST,
                (),
                sent["kwargs"],
                ignore_result=sent["ignore_result"],
                argsrepr=sent["argsrepr"],
                kwargsrepr=sent["kwargsrepr"],
            )
            message.headers.update(sent["headers"])
            app.amqp.send_task_message(producer, contract.REQUEST, message, queue=queue, retry=False, declare=[])
