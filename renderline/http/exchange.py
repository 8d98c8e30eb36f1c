"""The limits of one exchange: a request and its answer."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

HEAD_BYTES = 256 * 1024
"""Bytes that status line and headers may take. http.client alone allows a hundred lines of 64 KiB each."""


class DeadlineExceeded(TimeoutError):
    """The exchange used up its total time."""


_send_until: ContextVar[float | None] = ContextVar("send_until", default=None)


def prolong(latest: float, seconds: float) -> None:
    """Inside `sent_by`: move its moment to `latest`, because the work goes on under a renewed lease.

    A call with a side effect that this thread is sending gets `seconds` from now for the rest.
    """
    if _send_until.get() is None:
        return
    _send_until.set(latest)
    exchange = getattr(running, "exchange", None)
    if exchange is not None and exchange.send_until is not None:
        exchange.send_until = latest
        exchange.deadline = time.monotonic() + seconds


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Return seconds on a monotonic clock that goes on while the machine sleeps."""
    return time.clock_gettime(_BOOTTIME)


@contextlib.contextmanager
def sent_by(latest: float) -> Iterator[None]:
    """Inside it, exchanges with a side effect are sent before `latest` (`boottime`), or not at all."""
    token = _send_until.set(latest)
    try:
        yield
    finally:
        _send_until.reset(token)


class Exchange:
    """The limits of one exchange, in seconds, and whether any byte of its request was handed to a socket.

    `total_timeout` is for all of it, `read_timeout` for each read, `head_timeout` for status line and headers together.
    A connection that was idle for more than `max_idle` is not used again. An `effect` heeds `sent_by`; `too_late` says
    that it was therefore not sent, or not as a whole.
    """

    __slots__ = ("deadline", "head_deadline", "head_left", "max_idle", "read_timeout", "send_until", "sent", "too_late")

    def __init__(
        self,
        *,
        total_timeout: float,
        read_timeout: float,
        head_timeout: float | None = None,
        max_idle: float = 50.0,
        effect: bool = False,
    ) -> None:
        now = time.monotonic()
        self.deadline = now + total_timeout
        self.head_deadline = None if head_timeout is None else now + head_timeout
        self.head_left: int | None = HEAD_BYTES
        self.read_timeout = read_timeout
        self.max_idle = max_idle
        self.send_until = _send_until.get() if effect else None
        self.sent = False
        self.too_late = False

    def remaining(self) -> float:
        """Return the seconds left (> 0), or raise DeadlineExceeded."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the exchange took too long")
        return left

    def time_to_send(self) -> float:
        """Return the seconds left for sending (> 0), or raise DeadlineExceeded."""
        left = self.remaining()
        if self.send_until is None:
            return left
        left = min(left, self.send_until - boottime())
        if left <= 0:
            self.too_late = True
            raise DeadlineExceeded("the call was held up before it was sent")
        return left

    def time_to_read(self) -> float:
        """Return the seconds left for one read (> 0), or raise TimeoutError."""
        left = min(self.remaining(), self.read_timeout)
        if self.head_deadline is None:
            return left
        left = min(left, self.head_deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the headers took too long")
        return left

    def was_read(self, count: int) -> None:
        """Count bytes of the head; raise HTTPException if it is too long."""
        if self.head_left is not None:
            self.head_left -= count
            if self.head_left < 0:
                raise http.client.HTTPException("the headers are too long")

    def head_is_read(self) -> None:
        """Note that the head is complete: its limits no longer apply."""
        self.head_left = self.head_deadline = None


class _Running(threading.local):
    """The exchange of this thread: urllib3 has no other way to hand it to a pooled connection."""

    exchange: Exchange


running = _Running()
