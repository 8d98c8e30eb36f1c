"""In which order a worker asks for what stands in its queues: pure, and the same however `-Q` names them.

Polls come first: there are at most a handful of them for each account. Then submissions by their priority and requests
in turn, and hooks last. Every few turns another one comes first, so that a flood in front starves nobody behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from renderline.contract import HOOKS_QUEUE, POLL_QUEUE, REQUESTS_QUEUE, SUBMIT_QUEUE

Lane = tuple[str, int]
"""A queue and one of its priorities: a list of its own on Redis."""

_ROUND = ("submit", "requests", "submit", "hooks", "submit", "requests", "patient", "requests")
"""What comes first, after the polls, in each turn of a round; `patient` are submissions from the lowest priority up."""


def lanes(queues: Sequence[str], priorities: Sequence[int], *, turn: int) -> list[Lane]:
    """Return every pair of queue and priority in the order to be asked for at this turn (counted from 0)."""
    return list(_lanes(tuple(queues), tuple(priorities), _ROUND[turn % len(_ROUND)]))


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
    groups |= {name: _of(name, priorities) for name in queues if name not in groups and name != HOOKS_QUEUE}
    groups[HOOKS_QUEUE] = _of(HOOKS_QUEUE, priorities)
    first = [POLL_QUEUE, leader if leader in groups else SUBMIT_QUEUE]
    order = [*first, *(name for name in groups if name not in first)]
    return tuple(lane for name in order if name in queues for lane in groups[name])


def _of(queue: str, priorities: Sequence[int]) -> list[Lane]:
    return [(queue, priority) for priority in priorities]
