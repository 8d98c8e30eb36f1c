"""The ledger's atomic steps: Lua scripts, each with the shared prelude and the table of legal transitions in front."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import threading
import uuid
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from redis import Redis

from renderline.ledger.keys import SCRIPT_KEYS, Keys
from renderline.ledger.labels import load_labels
from renderline.ledger.parsing import POLL_FIELDS
from renderline.ledger.schema import LEVEL, VERSION
from renderline.observer import NOBODY, Observer, Transition
from renderline.renders import BEGIN, EVENTS, FINAL, TRANSITIONS, State
from renderline.tenants import DEFAULT

SETTLED_HOOKS = frozenset({"delivered", "dead", "skipped"})
HOOKED = (frozenset(EVENTS) - FINAL) | (FINAL - {State.DELIVERED, State.UNDELIVERED})

_SHARED = ("version.lua", "prelude.lua", "quota.lua", "lanes.lua", "wake_up.lua")
"""The Lua files in front of every step, in this order."""

_PLAIN = frozenset({"timeline_note"})
"""Steps that need none of the shared files."""

LEFT_ALONE = {
    "adopt": "{0, false}",
    "cancel": "'newer'",
    "download_url": "0",
    "fail": "0",
    "forget": "{'newer', ''}",
    "give_up": "'newer'",
    "hold": "'newer'",
    "hook_defer": "{}",
    "hook_record": "{0, field(ARGV[3], 'state'), {}}",
    "hook_release": "''",
    "hook_renew": "0",
    "quarantine": "0",
    "reindex": "0",
    "release": "''",
    "replay": "0",
    "resubmit": "''",
    "retry": "''",
    "revoke": "0",
    "submit_advance": "0",
    "submit_complete": "0",
    "submit_intend": "0",
    "submit_release": "0",
    "submit_start": "{0, false}",
    "submit_warn": "0",
}
"""Steps about the render ARGV[3] alone, and their answer if a newer version wrote its record: the one that they give
where they do not apply. The other steps ask `newer` themselves where they come to a record, or touch none."""

LONGEST_TIMELINE = 200
"""Entries that are kept of a render."""

REPEATABLE = frozenset(
    {
        "accept",
        "backoff_left",
        "capabilities_set",
        "capabilities",
        "submit_intend",
        "submit_advance",
        "submit_warn",
        "hook_held",
        "hook_renew",
        "back_off",
        "revoke",
        "slow_down",
        "mark_orphan",
        "missing_apis",
        "quota_together",
        "reindex",
        "reindex_end",
        "renders_matching",
        "unindex_gone",
        "timeline_note",
    }
)
"""Steps that may run twice with the same answer, so their answer need not be kept."""

# The client library repeats a command if its connection broke before the answer came; the server may have run it. So
# the newest answer of each caller is kept. A repeated call number gets that answer. An older call number, left in a
# broken connection's buffer, is refused. Answers are neither logged nor replicated: after a crash or failover the step
# runs again. With the answer go the transitions that the step made.
_ONCE = """
local function step()
{body}
end
local kept, number = KEYS[1], string.sub(KEYS[2], -16)
local newest = redis.call('GETRANGE', kept, 0, 15)
if newest > number then return redis.error_reply('LATE its caller has made a newer call') end
if newest == number then
  return cmsgpack.unpack(string.sub(redis.call('GET', kept), 17))
end
local answer = step()
if answer == nil then answer = false end
answer = {{answer, MOVED}}
redis.set_repl(redis.REPL_NONE)
redis.call('SET', kept, number .. cmsgpack.pack(answer), 'PX', 60000)
redis.set_repl(redis.REPL_ALL)
return answer
"""


def _with_constants(script: str, *, prefix: str) -> str:
    """Return a script with the texts that its `K.<name>` and `POLL_FIELDS` stand for.

    A Lua table of them would be built anew in every step: that took a tenth of a short one.
    """
    script = re.sub(r"\bK\.(\w+)", lambda found: f"'{prefix}{SCRIPT_KEYS[found[1]]}'", script)
    script = script.replace("LONGEST_TIMELINE", str(LONGEST_TIMELINE))
    return script.replace("POLL_FIELDS", ", ".join(f"'{name}'" for name in POLL_FIELDS))


def _lua_set(name: str, members: Iterable[str]) -> str:
    return f"local {name} = {{{', '.join(f'[{member!r}] = true' for member in sorted(map(str, members)))}}}\n"


@functools.cache
def _texts(prefix: str) -> Mapping[str, str]:
    """Return every step's whole script by its name. A process reads and composes them once, for all its ledgers."""
    folder = resources.files("renderline.ledger") / "scripts"
    head = (
        _lua_set("LEGAL", (f"{one}>{other}" for one, onward in TRANSITIONS.items() for other in onward))
        + _lua_set("FINAL", FINAL)
        + _lua_set("HOOKED", HOOKED)
        + _lua_set("SETTLED", SETTLED_HOOKS)
        + f"local SCHEMA = {VERSION}\nlocal LEVEL = {LEVEL}\nlocal BEGIN = {BEGIN!r}\n"
        + "".join((folder / name).read_text() for name in _SHARED)
    )
    bodies = {
        item.name.removesuffix(".lua"): item.read_text()
        for item in folder.iterdir()
        if item.name.endswith(".lua") and item.name not in _SHARED
    }
    bodies |= {
        name: f"if newer(ARGV[3]) then return {answer} end\n{bodies[name]}" for name, answer in LEFT_ALONE.items()
    }
    once = {name: body if name in REPEATABLE else _ONCE.format_map({"body": body}) for name, body in bodies.items()}
    # The head is most of a script.
    head = _with_constants(head, prefix=prefix)
    texts = {name: _with_constants(body, prefix=prefix) for name, body in once.items()}
    return {name: text if name in _PLAIN else head + text for name, text in texts.items()}


class Scripts:
    """Runs the steps in `scripts/*.lua` on one Redis connection pool.

    Each call takes the time (None: the server's clock, so that workers whose clocks differ agree) and the grace in
    seconds after which the message of a stalled render is sent again. The observer learns of every transition that a
    step makes, but for the first one of a render.
    """

    def __init__(
        self, redis: Redis, *, prefix: str, grace: float, clock: Any = None, observer: Observer = NOBODY
    ) -> None:
        self._grace, self._clock, self._observer = grace, clock, observer
        self._steps = {name: redis.register_script(text) for name, text in _texts(prefix).items()}
        self._caller = _Caller(Keys(prefix))

    def run(self, step: str, *args: Any, client: Redis | None = None) -> Any:
        """Run one step; arguments are sent as Redis sends them (strings and numbers).

        With a pipeline as `client` it is queued there; only for `REPEATABLE` steps.
        """
        now = "" if self._clock is None else repr(float(self._clock()))
        # A lone surrogate cannot be encoded, and the whole step would fail.
        args = tuple(_text(arg) if isinstance(arg, str) else arg for arg in args)
        arguments = [now, self._grace, *args]
        if step in REPEATABLE:
            return self._steps[step](keys=(), args=arguments, client=client)
        answer, moved = self._steps[step](keys=self._caller.next(), args=arguments, client=client)
        for one in moved:
            # An unreadable record is found where it is read.
            with contextlib.suppress(ValueError):
                self._observer.transition(_transition(*one))
        return answer


def _transition(
    one: str,
    was: str,
    state: str,
    attempt: str,
    kind: str,
    account: str,
    tenant: str,
    request_id: str,
    seconds: str,
    labels: str,
) -> Transition:
    return Transition(
        render_id=one,
        state=state,
        was=was,
        attempt=int(attempt),
        kind=kind,
        account=account,
        tenant=tenant or DEFAULT,
        seconds=float(seconds) if seconds else None,
        request_id=request_id or None,
        labels=load_labels(labels),
    )


def _text(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


class _Caller(threading.local):
    """Numbers the calls of each caller. A caller is one thread, which makes one call at a time."""

    def __init__(self, keys: Keys) -> None:
        self._key, self._numbers = keys.answer(uuid.uuid4().hex), itertools.count()

    def next(self) -> tuple[str, str]:
        """Return the key of the answer and, after it, the number (16 characters) of the next call.

        Both begin as a key of the ledger: a Redis user may name no others.
        """
        return self._key, f"{self._key}:{next(self._numbers):016x}"
