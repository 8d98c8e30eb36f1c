"""Notes in the timelines of renders what this process does for them: vendor calls and calls of hooks.

Nothing waits for it: entries are collected, and a thread sends those of a moment together. A process that dies loses
the entries of its last moment, and never a call.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import structlog
from redis import RedisError

from renderline.ledger.store import Ledger
from renderline.ledger.timeline import fields_of
from renderline.observer import OK, Call, HookAttempt, Poll, Transition

log = structlog.get_logger(__name__)

_EVERY: Final = 0.1
"""Seconds for which entries are collected."""
_AFTER_FAILURE: Final = 1.0
_MOST_WAITING: Final = 10_000
"""Entries that wait for Redis. Beyond them the oldest are dropped."""
_AT_ONCE: Final = 100
"""Entries of one step: it takes well under a millisecond."""
_REMEMBERED: Final = 10_000
"""Renders whose last listed poll is remembered, so that the same one is not listed again."""
_NOTHING_NEW: Final = frozenset({"wait", "untouched", "dropped", "error"})

_Line = tuple[str, str, str, str, str]


class TimelineWriter:
    """An observer that notes calls and hooks. `clock` returns the time of the ledger.

    Of polls, those that changed the state of a render are listed, and those that failed or read evidence, unless they
    repeat the one before. The others are only counted, in the record.
    """

    def __init__(self, ledger: Ledger, *, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock
        self._waiting: deque[_Line] = deque(maxlen=_MOST_WAITING)
        self._listed: OrderedDict[str, tuple[object, ...]] = OrderedDict()
        self._wake, self._writing, self._listing = threading.Event(), threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, call: Call) -> None:
        """Note a call that was made for one render; those of polls come with the poll."""
        if not call.polling:
            self._note_call(call)

    def poll(self, poll: Poll) -> None:
        """Note the calls of a poll that says something new."""
        changed = poll.status not in _NOTHING_NEW
        calls = [one for one in poll.calls if changed or poll.state == "unconfirmed" or one.result != OK]
        seen = tuple((one.endpoint, one.status, one.result) for one in calls)
        if self._is_new(poll.render_id, () if changed else seen):
            for call in calls:
                self._note_call(call)

    def hook(self, attempt: HookAttempt) -> None:
        """Note a call of a hook."""
        rest = fields_of(
            name=f"hook {attempt.index} {attempt.type}",
            status=attempt.status,
            seconds=attempt.seconds,
            result=attempt.result,
            endpoint=attempt.endpoint,
        )
        self._note(attempt.render_id, "h", attempt.began, attempt.attempt, rest)

    def transition(self, transition: Transition) -> None:
        """Do nothing: the step that makes a transition notes it."""

    def flush(self) -> None:
        """Send what waits; raises `redis.RedisError` if the ledger cannot be reached."""
        with self._writing:
            while self._waiting:
                lines = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                try:
                    self._ledger.run("timeline_note", *(field for line in lines for field in line))
                except RedisError:
                    room = _MOST_WAITING - len(self._waiting)
                    self._waiting.extendleft(reversed(lines[-room:] if room else []))
                    raise

    def _note_call(self, call: Call) -> None:
        if call.render_id is not None:
            rest = fields_of(name=call.endpoint, status=call.status, seconds=call.seconds, result=call.result)
            self._note(call.render_id, "c", call.began, call.attempt, rest)

    def _note(self, render_id: str, kind: str, began: float, attempt: int | None, rest: str) -> None:
        at = self._clock() - (time.monotonic() - began)
        self._waiting.append((render_id, kind, f"{at:.3f}", "" if attempt is None else str(attempt), rest))
        if self._thread is None:
            self._start()
        self._wake.set()

    def _is_new(self, render_id: str, seen: tuple[object, ...]) -> bool:
        """Remember what a poll saw; False if the one before saw the same."""
        with self._listing:
            before = self._listed.pop(render_id, None)
            if seen:
                self._listed[render_id] = seen
                if len(self._listed) > _REMEMBERED:
                    self._listed.popitem(last=False)
        return not seen or before != seen

    def _start(self) -> None:
        with self._writing:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timeline", daemon=True)
                self._thread.start()
                atexit.register(self._flush_at_exit)

    def _flush_at_exit(self) -> None:
        with contextlib.suppress(RedisError):
            self.flush()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_EVERY)
            self._wake.clear()
            try:
                self.flush()
            except RedisError:
                self._wake.set()
                time.sleep(_AFTER_FAILURE)
            except Exception as error:
                log.error("timeline entries lost", error=type(error).__name__)
