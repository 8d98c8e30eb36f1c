"""What a test gives to `renderline.producer` as its Celery application."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from renderline.testing.clock import Clock

Accept = Callable[[str, Mapping[str, Any], Mapping[str, Any]], str]
"""Takes a message's id, keyword arguments and headers; returns the render id, or raises what a worker would."""


class FakeResult:
    """The result of a message."""

    def __init__(self, message_id: str, outcome: str | Exception) -> None:
        self.id, self._outcome = message_id, outcome

    def get(self, timeout: float | None = None, **_: Any) -> str:
        """Return the render id, or raise why the request was refused."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class FakeCelery:
    """The parts of a Celery application that `renderline.producer` uses."""

    def __init__(self, accept: Accept, read: Callable[[str], dict[str, str]], clock: Clock) -> None:
        self._accept = accept
        self.renderline_clock = clock
        self._client = _Client(read, clock)
        router = SimpleNamespace(route=lambda options, *_: {"queue": options["queue"]})
        self.amqp = SimpleNamespace(
            router=router, create_task_message=self._message, send_task_message=self._send_message
        )
        self.producer_pool = SimpleNamespace(acquire=_acquire)

    def event(self, render_id: str, fields: Mapping[str, str]) -> None:
        """Publish a change of a render to those that wait."""
        self._client.add(render_id, fields)

    def send_task(self, name: str, kwargs: Mapping[str, Any] | None = None, **options: Any) -> FakeResult:
        """Take a message as a broker and a worker would."""
        if name != "renderline.request":
            raise ValueError(f"no worker of Renderline knows the task {name}; it takes renderline.request")
        message_id = str(options.get("task_id") or "")
        try:
            return FakeResult(message_id, self._accept(message_id, kwargs or {}, options.get("headers") or {}))
        except Exception as refused:
            return FakeResult(message_id, refused)

    @contextmanager
    def connection_for_read(self) -> Iterator[Any]:
        """Open a connection on which `wait_for` reads."""
        yield SimpleNamespace(connection_errors=(), default_channel=SimpleNamespace(client=self._client))

    def _message(self, task_id: str, _name: str, _args: Any, kwargs: Mapping[str, Any], **_: Any) -> SimpleNamespace:
        return SimpleNamespace(kwargs=kwargs, task_id=task_id, headers={})

    def _send_message(self, _producer: Any, name: str, message: SimpleNamespace, **_: Any) -> None:
        self.send_task(name, kwargs=message.kwargs, task_id=message.task_id, headers=message.headers)


@contextmanager
def _acquire(**_: Any) -> Iterator[Any]:
    yield SimpleNamespace(maybe_declare=lambda *_, **__: None)


class _Client:
    """The commands of Redis that `wait_for` uses. Waiting lets the clock run."""

    def __init__(self, read: Callable[[str], dict[str, str]], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._events: list[tuple[str, dict[str, str]]] = []

    def add(self, render_id: str, fields: Mapping[str, str]) -> None:
        self._events.append((f"{len(self._events) + 1}-0", {"id": render_id, **fields}))

    def hgetall(self, key: str) -> dict[str, str]:
        return self._read(key.rpartition(":")[2])

    def xrevrange(self, _key: str, count: int) -> list[tuple[str, dict[str, str]]]:
        return self._events[-count:][::-1]

    def xread(self, streams: Mapping[str, str], count: int, block: int) -> list[Any]:
        ((key, last),) = streams.items()
        known = int(last.partition("-")[0])
        left = block / 1000
        while len(self._events) <= known and left > 0:
            before = self._clock.now
            self._clock.advance_to_next(left)
            left -= self._clock.now - before
        found = self._events[known : known + count]
        return [(key, found)] if found else []
