"""The product's worker, able to end itself with SIGKILL exactly before or after one of its Redis writes; tests only.

`celery -A tests.acceptance.faults.failing_app worker` with CRASH_AT="before submit_begin 2" dies before its second
`submit_begin`; with WRITES_TO=<file> it notes the name of every write, in order. Every Redis call of the product, of
Celery and of kombu goes through redis-py: wrapping its two doors reaches all of them, without a trace in the product.

Names: a ledger step's own (`submit_begin`); `noted <queue>`: kombu notes a taken message as unacknowledged (before it:
the message has left the queue and stands nowhere); `acked <queue>`; `publish <queue>`; else command and key.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from renderline.contract import QUEUES
from renderline.ledger.script import Scripts
from workers.app import app

__all__ = ["app"]

_SIDE, _NAME, _NTH = "", "", 0
if "CRASH_AT" in os.environ:
    _SIDE, *_words = os.environ["CRASH_AT"].split()
    _NAME, _NTH = " ".join(_words[:-1]), int(_words[-1])
_WRITES_TO = Path(os.environ["WRITES_TO"]) if "WRITES_TO" in os.environ else None

# Reads, the waiting for messages, and the events that Flower shows: no state of ours depends on them.
_READS = """CLIENT CONFIG EXISTS GET HGET HGETALL HLEN HMGET INFO LLEN LRANGE MGET PING PTTL PUBLISH SCRIPT SISMEMBER
SMEMBERS TIME TTL ZCARD ZRANGE ZRANGEBYSCORE ZSCORE"""
_QUIET = frozenset(_READS.split())
# What is written when a worker starts, whatever it does then.
_OF_THE_START = ("_kombu.binding", "unacked_mutex", "renderline:limits")

_steps: dict[str, str] = {}
_taken: dict[str, str] = {}
_seen: dict[str, int] = {}
_lock = threading.Lock()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _name_of(command: tuple[Any, ...]) -> str:
    verb, key = _text(command[0]).upper().split()[0], _text(command[1]) if len(command) > 1 else ""
    if verb in _QUIET or key.startswith(_OF_THE_START):
        return ""
    if verb in ("EVALSHA", "EVAL"):
        on = _text(command[3])
        return _steps.get(key) or ("" if on.startswith(_OF_THE_START) else f"unlock {on}")
    queue = key.partition("\x06\x16")[0]
    if verb in ("LPUSH", "RPUSH") and queue in QUEUES:
        return f"publish {queue}"
    if ":pybreaker:" in key:
        return "breaker"
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", f"{verb} {key}")


def _name_of_pipeline(commands: list[Any]) -> str:
    found = [tuple(entry[0]) for entry in commands]
    for command in found:
        verb, key = _text(command[0]).upper().split()[0], _text(command[1])
        if verb == "HSET" and key == "unacked":
            _taken[_text(command[2])] = json.loads(command[3])[2]
            return f"noted {_taken[_text(command[2])]}"
        if verb == "HDEL" and key == "unacked":
            return f"acked {_taken.get(_text(command[2]), 'unknown')}"
    return next((name for name in map(_name_of, found) if name), "")


def _write(name: str, call: Callable[[], Any]) -> Any:
    if not name:
        return call()
    with _lock:
        nth = _seen[name] = _seen.get(name, 0) + 1
    if ("before", name, nth) == (_SIDE, _NAME, _NTH):
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        answer = call()
    except NoScriptError:
        # The server did not know the script yet: it is sent, and called again.
        with _lock:
            _seen[name] -= 1
        raise
    if _WRITES_TO:
        with _WRITES_TO.open("a") as output:
            output.write(f"{name}\n")
    if ("after", name, nth) == (_SIDE, _NAME, _NTH):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


_execute_command, _execute, _init = Redis.execute_command, Pipeline.execute, Scripts.__init__


def _one(self: Redis, *args: Any, **options: Any) -> Any:
    return _write(
        "" if isinstance(self, Pipeline) else _name_of(args), lambda: _execute_command(self, *args, **options)
    )


def _several(self: Pipeline, *args: Any, **options: Any) -> Any:
    return _write(_name_of_pipeline(self.command_stack), lambda: _execute(self, *args, **options))


def _learn(self: Scripts, *args: Any, **options: Any) -> None:
    _init(self, *args, **options)
    _steps.update({script.sha: name for name, script in self._steps.items()})


Redis.execute_command, Pipeline.execute, Scripts.__init__ = _one, _several, _learn  # type: ignore[method-assign]
