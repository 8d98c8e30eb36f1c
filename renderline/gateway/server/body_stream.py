"""The body of a request while it comes: written by the event loop, read by the application in its thread."""

from __future__ import annotations

import asyncio
import io
import threading
from collections import deque
from typing import Any, Final

_MOST: Final = 256 * 1024
"""Bytes that wait for the application. Beyond them nothing more is read from the client."""


class BodyBroken(OSError):
    """The client has gone, or has sent nothing for too long."""


class BodyStream(io.RawIOBase):
    """A stream that never holds more than a few parts; a read that gets nothing for `patience` seconds fails."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, patience: float) -> None:
        self._loop, self._patience = loop, patience
        self._changed = threading.Condition()
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._ended = self._broken = self._unread = False
        self._room: asyncio.Future[None] | None = None

    # In the thread of the event loop.

    def feed(self, part: bytes) -> asyncio.Future[None] | None:
        """Take a part; returns what to wait for before the next one, None if it may come at once."""
        with self._changed:
            if self._unread:
                return None
            self._parts.append(part)
            self._held += len(part)
            self._changed.notify()
            if self._held < _MOST:
                return None
            self._room = self._loop.create_future()
            return self._room

    def end(self) -> None:
        """Note that the body is complete."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def stop(self) -> None:
        """End it: the client has gone, or the application has answered. What still comes is discarded."""
        with self._changed:
            self._broken = not self._ended
            self._unread = True
            self._parts.clear()
            self._held = 0
            self._changed.notify()
            self._make_room()

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # In a thread of the application.

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, or wait for it; 0 at the end. Raises BodyBroken."""
        with self._changed:
            ready = self._changed.wait_for(lambda: self._parts or self._ended or self._broken, self._patience)
            if self._broken or not ready:
                raise BodyBroken("the client has gone" if self._broken else f"nothing came for {self._patience:g} s")
            if not self._parts:
                return 0
            part = self._parts.popleft()
            count = min(len(part), len(buffer))
            buffer[:count] = part[:count]
            if count < len(part):
                self._parts.appendleft(part[count:])
            self._held -= count
            if self._room is not None and self._held < _MOST:
                room, self._room = self._room, None
                self._loop.call_soon_threadsafe(_resolve, room)
            return count


def _resolve(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
