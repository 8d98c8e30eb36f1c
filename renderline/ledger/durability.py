"""When what was written to the ledger is on the server's disk: asked before a call that costs money leaves.

With `appendfsync everysec` an acknowledged write is in the server's hands for up to a second or two. WAITAOF is meant
for this, but Redis 7.4 and Valkey up to 9.1 at least answer it at once, before the disk has anything (their own fix:
"wrongly updating fsynced_reploff_pending"). So the server is watched instead, in terms that every version tells: it
syncs no later than a second after it may, and `aof_pending_bio_fsync` says whether a sync is under way. Nothing under
way at one moment, a second passed, and again nothing under way: then everything from before that moment is on disk.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis import Redis, ResponseError

from renderline.ledger.keys import Keys

log = structlog.get_logger(__name__)

SECOND = 1.1
"""What `everysec` takes at most before it syncs, when no sync is under way; with a margin for the server's tick."""
_CHECK_EVERY = 0.05
"""Least seconds between two checks of the server."""
_ASK_AGAIN = 30.0
"""Seconds after which the server is asked again how it keeps things: it may be another, or configured anew."""


class NotSynced(Exception):
    """What was written may not be on disk; the message says why."""


@dataclass(frozen=True)
class Persistence:
    """How a server keeps what it acknowledges.

    `synced`: on disk when acknowledged. `watched`: on disk soon after, which can be seen. Neither: `why` says why not.
    """

    synced: bool = False
    watched: bool = False
    pauses: bool = False
    """Whether nothing is synced while a rewrite or a snapshot runs (`no-appendfsync-on-rewrite`)."""
    why: str = ""


def persistence(redis: Redis) -> Persistence:
    """Ask the server how it keeps things; raises `redis.RedisError` if it does not answer."""
    try:
        info: Any = redis.info("persistence")
    except ResponseError:
        return Persistence(why="this user may not ask INFO, so nobody can see when something is on disk")
    if not int(info.get("aof_enabled", 0)):
        return Persistence(why="it keeps no append-only file (appendonly yes)")
    if "aof_pending_bio_fsync" not in info:
        return Persistence(why="it does not tell when it syncs")
    try:
        found: Any = {**redis.config_get("appendfsync"), **redis.config_get("no-appendfsync-on-rewrite")}
    except ResponseError:
        found = {}
    setting = found.get("appendfsync") or _unsaid(redis)
    if setting == "always":
        return Persistence(synced=True)
    if setting == "everysec":
        return Persistence(watched=True, pauses=found.get("no-appendfsync-on-rewrite") == "yes")
    return Persistence(why="it leaves to its machine when to sync (appendfsync everysec, or always)")


def _unsaid(redis: Redis) -> str:
    """Return the setting of a server that hides it: one that never syncs does not answer WAITAOF."""
    mark = Keys().disk_probe
    try:
        with redis.pipeline(transaction=False) as pipe:
            pipe.set(mark, "", px=60_000)
            pipe.execute_command("WAITAOF", 1, 0, 3000)
            local, _ = pipe.execute()[1]
    except ResponseError:
        return "everysec"  # older than WAITAOF, and `no` is nobody's default
    return "everysec" if local else "no"


@dataclass(eq=False)
class _Waiter:
    """One who waits, and what has been seen since: the server's time when nothing was under way first."""

    quiet_at: float | None = None
    late: int = 0
    done: bool = False
    woken: threading.Event = field(default_factory=threading.Event)
    """Set when it is done, or when the watch is its own from now on."""
    check_at: float = 0.0
    """By the monotonic clock: a check before that would show nothing new."""

    def saw(self, now: float, *, quiet: bool) -> None:
        """Take note of a check of the server, made after the wait began."""
        if not quiet:
            self.late = 0
        elif self.quiet_at is None:
            self.quiet_at = now
            self.check_at = time.monotonic() + SECOND
        elif now >= self.quiet_at + SECOND:
            # The first such check shows the second passed, and makes the server notice; the next one counts.
            self.late += 1
            self.done = self.late > 1


class DiskSync:
    """Waits until this process' writes are on disk. One watch of the server serves all who wait.

    `mode`: `auto` waits where it can be seen, `always` fails where it cannot, `never` does nothing. `timeout` (seconds)
    is how long a slow disk is waited for.
    """

    def __init__(self, redis: Redis, *, mode: str = "auto", timeout: float = 6.0) -> None:
        self._redis, self._mode, self._timeout = redis, mode, timeout
        self._waiters: set[_Waiter] = set()
        self._lock = threading.Lock()
        self._watcher: _Waiter | None = None
        self._more = threading.Event()
        self._next_check = 0.0
        self._persistence: tuple[float, Persistence] | None = None

    def wait(self) -> None:
        """Return when everything that was written and acknowledged before this call is on disk.

        Raises `NotSynced` if it is not in time, or if it cannot be seen and `mode` is `always`; `redis.RedisError`.
        """
        if self._mode == "never":
            return
        how = self.persistence()
        if how.synced:
            return
        if not how.watched:
            if self._mode == "always":
                raise NotSynced(how.why)
            return
        self._watch(how)

    def persistence(self) -> Persistence:
        """Return how the server keeps things, as asked of late; raises `redis.RedisError`."""
        known, now = self._persistence, time.monotonic()
        if known and now < known[0]:
            return known[1]
        how = persistence(self._redis)
        if how.why and (known is None or known[1] != how):
            log.warning("paid calls do not wait for the disk", why=how.why)
        self._persistence = (now + _ASK_AGAIN, how)
        return how

    def _watch(self, how: Persistence) -> None:
        me, give_up = _Waiter(), time.monotonic() + self._timeout
        with self._lock:
            self._waiters.add(me)
            self._watcher = self._watcher or me
        self._more.set()
        try:
            while not me.done:
                left = give_up - time.monotonic()
                if left <= 0:
                    raise NotSynced(f"the server's disk took longer than {self._timeout:g} s")
                # One of them watches for all; the others sleep until it wakes them, however many they are.
                if self._watcher is me:
                    self._check_for_all(how, patience=left)
                else:
                    me.woken.wait(left)
        finally:
            self._leave(me)

    def _leave(self, me: _Waiter) -> None:
        with self._lock:
            self._waiters.discard(me)
            if self._watcher is me:
                self._watcher = next((one for one in self._waiters if not one.done), None)
                if self._watcher:
                    self._watcher.woken.set()

    def _check_for_all(self, how: Persistence, *, patience: float) -> None:
        """Check the server when that may show one of them something new."""
        if not self._due(time.monotonic() + patience):
            return
        with self._lock:
            # Only those who wait by now: what is seen says nothing about what is written later.
            waiting = list(self._waiters)
        try:
            now, quiet = self._check(how)
        finally:
            self._next_check = time.monotonic() + _CHECK_EVERY
        for one in waiting:
            one.saw(now, quiet=quiet)
            if one.done:
                one.woken.set()

    def _due(self, give_up: float) -> bool:
        """Wait until the next check is due; False if that is not before `give_up`."""
        while True:
            self._more.clear()
            with self._lock:
                due = max(self._next_check, min(one.check_at for one in self._waiters if not one.done))
            left = min(due, give_up) - time.monotonic()
            if left <= 0:
                return due <= give_up
            self._more.wait(left)

    def _check(self, how: Persistence) -> tuple[float, bool]:
        """Return the server's time, and whether no sync was under way then."""
        with self._redis.pipeline(transaction=False) as pipe:
            # Something to be synced: a file that was changed for a new one is synced in front of it, unseen.
            pipe.set(Keys().disk_probe, "", px=60_000)
            pipe.time()
            pipe.info("persistence")
            _, (seconds, micros), info = pipe.execute()
        busy = int(info["aof_pending_bio_fsync"]) > 0 or info.get("aof_last_write_status") != "ok"
        if how.pauses:
            busy = busy or bool(int(info["aof_rewrite_in_progress"]) or int(info["rdb_bgsave_in_progress"]))
        return seconds + micros / 1e6, not busy
