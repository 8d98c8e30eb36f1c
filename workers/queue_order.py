"""The order in which a worker asks for messages of its queues. It does not depend on the order in `-Q`.

The canary comes first: behind a long queue a worker would never get it, and would take itself for deaf. It is one
message in some seconds. Polls follow: there are only a few for each account. Then come submissions by priority, in
turn with requests, and hooks last. Every few turns another queue comes first, so that a flood in one starves no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from renderline.contract import HOOKS_QUEUE, POLL_QUEUE, REQUESTS_QUEUE, SUBMIT_QUEUE

CANARY_PREFIX = "canary."
"""How the names of the queues begin in which each worker sends messages to itself (workers/repairs/canary.py)."""

Lane = tuple[str, int]
"""A queue and a priority. On Redis each has its own list."""

_LEADERS = ("submit", "requests", "submit", "hooks", "submit", "requests", "patient", "requests")
"""The queue that comes first after the polls, turn by turn. `patient`: submissions, the lowest priority first."""


def lanes(queues: Sequence[str], priorities: Sequence[int], *, turn: int) -> list[Lane]:
    """Return all queues and priorities in the order of this turn (counted from 0)."""
    return list(_lanes(tuple(queues), tuple(priorities), _LEADERS[turn % len(_LEADERS)]))


@lru_cache(maxsize=1024)
def _lanes(queues: Sequence[str], priorities: Sequence[int], leader: str) -> Sequence[Lane]:
    submissions = [(SUBMIT_QUEUE, priority) for priority in priorities]
    if leader == "patient":
        submissions.reverse()
    groups: dict[str, list[Lane]] = {
        POLL_QUEUE: _of(POLL_QUEUE, priorities),
        SUBMIT_QUEUE: submissions,
        REQUESTS_QUEUE: _of(REQUESTS_QUEUE, priorities),
    }
    canaries = [name for name in queues if name.startswith(CANARY_PREFIX)]
    # They have no priority: fewer lists to ask for.
    groups |= {name: _of(name, priorities[:1]) for name in canaries}
    groups |= {name: _of(name, priorities) for name in queues if name not in groups and name != HOOKS_QUEUE}
    groups[HOOKS_QUEUE] = _of(HOOKS_QUEUE, priorities)
    first = [*canaries, POLL_QUEUE, leader if leader in groups else SUBMIT_QUEUE]
    order = [*first, *(name for name in groups if name not in first)]
    return tuple(lane for name in order if name in queues for lane in groups[name])


def _of(queue: str, priorities: Sequence[int]) -> list[Lane]:
    return [(queue, priority) for priority in priorities]
