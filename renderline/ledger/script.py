"""The ledger's atomic steps: Lua scripts, each with the shared prelude and the table of legal transitions in front."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Any

from redis import Redis

from renderline.renders import EVENTS, FINAL, TRANSITIONS, State

SETTLED_HOOKS = frozenset({"delivered", "dead", "skipped"})
HOOKED = (frozenset(EVENTS) - FINAL) | (FINAL - {State.DELIVERED, State.UNDELIVERED})


def _lua_set(name: str, members: Iterable[str]) -> str:
    return f"local {name} = {{{', '.join(f'[{member!r}] = true' for member in sorted(map(str, members)))}}}\n"


class Scripts:
    """Runs the steps in `scripts/*.lua` on one Redis connection pool.

    Each call takes the key prefix, the time (None: the server's clock, so that workers whose clocks differ agree) and
    the grace in seconds after which a render that stood still is re-sent.
    """

    def __init__(self, redis: Redis, *, prefix: str, grace: float, clock: Any = None) -> None:
        self._prefix, self._grace, self._clock = prefix, grace, clock
        folder = resources.files("renderline.ledger") / "scripts"
        head = (
            _lua_set("LEGAL", (f"{one}>{other}" for one, onward in TRANSITIONS.items() for other in onward))
            + _lua_set("FINAL", FINAL)
            + _lua_set("HOOKED", HOOKED)
            + _lua_set("SETTLED", SETTLED_HOOKS)
            + (folder / "prelude.lua").read_text()
        )
        self._steps = {
            item.name.removesuffix(".lua"): redis.register_script(head + item.read_text())
            for item in folder.iterdir()
            if item.name.endswith(".lua") and item.name != "prelude.lua"
        }

    def run(self, step: str, *args: Any, client: Redis | None = None) -> Any:
        """Run one step; arguments are sent as Redis sends them (strings and numbers).

        With a pipeline as `client` it is added to that, and its answer is among the pipeline's.
        """
        now = "" if self._clock is None else repr(float(self._clock()))
        return self._steps[step](keys=[self._prefix], args=[now, self._grace, *args], client=client)
