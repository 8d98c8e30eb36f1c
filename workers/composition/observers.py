"""Who observes what happens in a process."""

from __future__ import annotations

from renderline.ledger import Ledger, ServerClock, TimelineWriter, TransitionLog
from renderline.observer import Observer, Observers


def worker_observers(ledger: Ledger, clock: ServerClock, *more: Observer) -> Observers:
    """Return the observers of a worker: the log, the timelines in this ledger, and `more`."""
    return Observers((TransitionLog(), TimelineWriter(ledger, clock=clock), *more))


def gateway_observers(*more: Observer) -> Observers:
    """Return the observers of a gateway, which calls neither vendors nor hooks."""
    return Observers((TransitionLog(), *more))
