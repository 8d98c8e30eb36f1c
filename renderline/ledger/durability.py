"""Waits until writes to the ledger are on the server's disk, before a paid call is sent.

With `appendfsync everysec` an acknowledged write reaches the disk up to two seconds later. WAITAOF is meant for this,
but Redis 7.4 and Valkey up to 9.1 at least answer it at once, before the disk has anything (their own fix: "wrongly
updating fsynced_reploff_pending"). So the server's INFO is polled instead. The server begins a sync within a second of
a write if none is under way; `aof_pending_bio_fsync` says whether one is. If none is under way now, and none a second
later, all earlier writes are on disk.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis import Redis, ResponseError

from renderline.ledger.clock import epoch_seconds
from renderline.ledger.keys import Keys

log = structlog.get_logger(__name__)

SECOND = 1.1
"""The longest time until `everysec` syncs, if no sync is under way; with a margin for the server's tick."""
_CHECK_EVERY = 0.05
"""The least seconds between two INFO calls."""
_ASK_AGAIN = 30.0
"""Seconds for which the server's persistence settings are cached: it may be replaced or reconfigured."""


class NotSynced(Exception):
    """Earlier writes may not be on disk; the message says why."""


@dataclass(frozen=True)
class Persistence:
    """How a server persists acknowledged writes.

    `synced`: they are on disk. `watched`: they are on disk soon after, and INFO shows when. Neither: `why` says why
    not.
    """

    synced: bool = False
    watched: bool = False
    pauses: bool = False
    """Whether nothing is synced while a rewrite or a snapshot runs (`no-appendfsync-on-rewrite`)."""
    why: str = ""


def persistence(redis: Redis) -> Persistence:
    """Read the server's persistence settings; raises `redis.RedisError` if it does not answer."""
    try:
        info: Any = redis.info("persistence")
    except ResponseError:
        return Persistence(why="this user may not call INFO, so it is unknown when writes are on disk")
    if not int(info.get("aof_enabled", 0)):
        return Persistence(why="it has no append-only file (set appendonly yes)")
    if "aof_pending_bio_fsync" not in info:
        return Persistence(why="its INFO does not say when it syncs")
    try:
        found: Any = {**redis.config_get("appendfsync"), **redis.config_get("no-appendfsync-on-rewrite")}
    except ResponseError:
        found = {}
    setting = found.get("appendfsync") or _unsaid(redis)
    if setting == "always":
        return Persistence(synced=True)
    if setting == "everysec":
        return Persistence(watched=True, pauses=found.get("no-appendfsync-on-rewrite") == "yes")
    return Persistence(why="the operating system decides when it syncs (set appendfsync to everysec or always)")


def _unsaid(redis: Redis) -> str:
    """Return `appendfsync` of a server that hides it: with `no` it does not answer WAITAOF."""
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
    """One waiting thread: the server's time at the first poll with no sync under way, and what came after."""

    idle_at: float | None = None
    late: int = 0
    done: bool = False
    woken: threading.Event = field(default_factory=threading.Event)
    """Set when it is done, or when this thread has to poll for all."""
    check_at: float = 0.0
    """Monotonic: an earlier check would show nothing new."""

    def saw(self, now: float, *, quiet: bool) -> None:
        """Record one INFO poll of the server, made after the wait began; `quiet`: no sync was under way."""
        if not quiet:
            self.late = 0
        elif self.idle_at is None:
            self.idle_at = now
            self.check_at = time.monotonic() + SECOND
        elif now >= self.idle_at + SECOND:
            # The write of the first such poll makes the server begin a sync that is due, so only the next poll counts.
            self.late += 1
            self.done = self.late > 1


class DiskSync:
    """Waits until this process' writes are on disk. One thread polls the server for all that wait.

    `mode`: `auto` waits if INFO shows the disk's state, `always` fails if it does not, `never` does not wait. `timeout`
    (seconds) limits the wait for a slow disk.
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
        """Return when everything written and acknowledged before this call is on disk.

        Raises `NotSynced` after the timeout, or if INFO does not show it and `mode` is `always`; `redis.RedisError`.
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
        """Return the server's persistence settings, cached for a while; raises `redis.RedisError`."""
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
                # One of them polls for all; the others sleep until it wakes them.
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
        """Poll the server when that may tell one of them something new."""
        if not self._due(time.monotonic() + patience):
            return
        with self._lock:
            # Only those that wait now: a poll says nothing about later writes.
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
            # Something to sync: the server syncs a file that it replaces in its main thread, and INFO does not show
            # that.
            pipe.set(Keys().disk_probe, "", px=60_000)
            pipe.time()
            pipe.info("persistence")
            _, now, info = pipe.execute()
        busy = int(info["aof_pending_bio_fsync"]) > 0 or info.get("aof_last_write_status") != "ok"
        if how.pauses:
            busy = busy or bool(int(info["aof_rewrite_in_progress"]) or int(info["rdb_bgsave_in_progress"]))
        return epoch_seconds(now), not busy
