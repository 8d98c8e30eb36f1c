"""The product's worker, able to end itself with SIGKILL exactly before or after one of its Redis writes; tests only.

`celery -A tests.acceptance.faults.failing_app worker` with CRASH_AT="before submit_claim 2" dies before its second
`submit_claim`; with WRITES_TO=<file> it notes the name of every write, in order. Every Redis call of the product, of
Celery and of kombu goes through redis-py: wrapping its two doors reaches all of them, without a trace in the product.

Names: a ledger step's own (`submit_claim`); `noted <queue>`: a taken message is noted as unacknowledged (before it: the
message has left the queue and stands nowhere); `acked <queue>`, alone or riding along with a note; `publish <queue>`;
else command and key.
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
from workers.queue_order import CANARY_PREFIX

__all__ = ["app"]

_SIDE, _NAME, _NTH = "", "", 0
if "CRASH_AT" in os.environ:
    _SIDE, *_words = os.environ["CRASH_AT"].split()
    _NAME, _NTH = " ".join(_words[:-1]), int(_words[-1])
_WRITES_TO = Path(os.environ["WRITES_TO"]) if "WRITES_TO" in os.environ else None

# Reads, the waiting for messages, and the events that Flower shows: no state of ours depends on them.
_READS = """CLIENT CONFIG EXISTS GET HGET HGETALL HLEN HMGET INFO LINDEX LLEN LRANGE MGET PING PTTL PUBLISH SCRIPT
SISMEMBER SMEMBERS TIME TTL ZCARD ZCOUNT ZRANGE ZRANGEBYSCORE ZSCORE XRANGE"""
_QUIET = frozenset(_READS.split())
_READING_STEPS = frozenset({"hook_held", "capabilities", "missing_apis"})
# What is written when a worker starts, whatever it does then.
_OF_THE_START = ("_kombu.binding", "unacked_mutex", "renderline:slot_limits", "renderline:schema")

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
        if _steps.get(key) in _READING_STEPS:
            return ""
        return _steps.get(key) or ("" if on.startswith(_OF_THE_START) else f"unlock {on}")
    queue = key.partition("\x06\x16")[0]
    if verb in ("LPUSH", "RPUSH") and queue in QUEUES:
        return f"publish {queue}"
    if verb == "LPUSH" and queue.startswith(CANARY_PREFIX):
        return "publish canary"
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{40}", "<id>", f"{verb} {key}")


def _names_of(command: tuple[Any, ...]) -> list[str]:
    """Return what a command writes: one thing, but for the acknowledgements that may ride along with a note."""
    if _text(command[0]) != "EVALSHA" or _text(command[3]) != "unacked_index":
        return [_name_of(command)]
    arguments = [_text(one) for one in command[5:]]
    if len(arguments) < 2 or not arguments[1].startswith("["):
        return [f"acked {_taken.get(tag, 'unknown')}" for tag in arguments]
    tag, message, *done = arguments
    _taken[tag] = json.loads(message)[2]
    return [f"noted {_taken[tag]}", *(f"acked {_taken.get(tag, 'unknown')}" for tag in done)]


def _write(names: list[str], call: Callable[[], Any]) -> Any:
    names = [name for name in names if name]
    if not names:
        return call()
    with _lock:
        reached = set()
        for name in names:
            _seen[name] = _seen.get(name, 0) + 1
            reached.add((name, _seen[name]))
    if _SIDE == "before" and (_NAME, _NTH) in reached:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        answer = call()
    except NoScriptError:
        # The server did not know the script yet: it is sent, and called again.
        with _lock:
            for name in names:
                _seen[name] -= 1
        raise
    if _WRITES_TO:
        with _WRITES_TO.open("a") as output:
            output.write("".join(f"{name}\n" for name in names))
    if _SIDE == "after" and (_NAME, _NTH) in reached:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


_execute_command, _execute, _init = Redis.execute_command, Pipeline.execute, Scripts.__init__


def _one(self: Redis, *args: Any, **options: Any) -> Any:
    return _write(
        [] if isinstance(self, Pipeline) else _names_of(args), lambda: _execute_command(self, *args, **options)
    )


def _several(self: Pipeline, *args: Any, **options: Any) -> Any:
    found = (_name_of(tuple(entry[0])) for entry in self.command_stack)
    return _write([next((name for name in found if name), "")], lambda: _execute(self, *args, **options))


def _learn(self: Scripts, *args: Any, **options: Any) -> None:
    _init(self, *args, **options)
    _steps.update({script.sha: name for name, script in self._steps.items()})


Redis.execute_command, Pipeline.execute, Scripts.__init__ = _one, _several, _learn  # type: ignore[method-assign]
