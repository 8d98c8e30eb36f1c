"""The dispatcher: what follows from a change in the ledger, and what happens to it without a broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from celery import Celery
from redis.exceptions import ConnectionError as RedisConnectionError

from config.settings import load
from harness import USER_KEY
from renderline.dispatcher import Dispatcher, leave_to_sweep, raise_unpublished
from renderline.ledger import PumpWake
from renderline.renders import State
from workers.composition.services import compose

WAKE = PumpWake("main", 0, 1, 0.0)


class Broker:
    """A publisher that notes what it is given, or fails with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.published: list[tuple[str, Any]] = []

    def _note(self, *message: Any) -> None:
        if self.error:
            raise self.error
        self.published.append(message)

    def submit(self, renders: Sequence[tuple[str, str]]) -> None:
        self._note("submit", list(renders))

    def poll(self, wake: PumpWake) -> None:
        self._note("poll", wake)

    def hooks(self, hooks: Sequence[tuple[str, int]]) -> None:
        self._note("hooks", list(hooks))

    def oldest(self) -> Mapping[str, str]:
        return {}


class LedgerStub:
    """Each render has one hook; `down` is what reading raises."""

    down: Exception | None = None

    def queue_hooks(self, ids: Sequence[str]) -> list[tuple[str, int]]:
        if self.down:
            raise self.down
        return [(one, 0) for one in ids]

    def priority_of(self, render_id: str) -> str:
        if self.down:
            raise self.down
        return "high"

    def unpark(self) -> list[tuple[str, str]]:
        return [("parked", "low")]


def dispatcher(broker: Broker, ledger: LedgerStub | None = None, **options: Any) -> Dispatcher:
    stub: Any = ledger or LedgerStub()
    return Dispatcher(broker, stub, stub, **options)


UNPARKED = ("submit", [("parked", "low")])


@pytest.mark.parametrize(
    ("state", "follows"),
    [
        (State.SUBMITTING, [("submit", [("r1", "high")])]),
        (State.RENDERING, []),
        *((state, [("hooks", [("r1", 0)])]) for state in ("completed", "delivered", "failed", "expired")),
    ],
)
def test_a_transition_is_followed_by_a_submission_or_by_hooks_and_parked_renders_go_on(state, follows):
    broker = Broker()
    dispatcher(broker).on_transition([("r1", state)])
    assert broker.published == [*follows, UNPARKED]


def test_hooks_of_many_renders_are_one_message_batch():
    broker = Broker()
    dispatcher(broker).on_transition([("r1", "completed"), ("r2", "rendering"), ("r3", "failed")])
    assert broker.published == [("hooks", [("r1", 0), ("r3", 0)]), UNPARKED]


def test_nothing_is_published_for_nothing():
    broker = Broker()
    one = dispatcher(broker)
    one.submit_all([])
    one.poll(None)
    one.hooks_all([])
    one.hook_messages([])
    assert broker.published == []


DISPATCHES = {
    "submit": lambda one: one.submit("r1", "normal"),
    "submit all": lambda one: one.submit_all([("r1", "normal")]),
    "poll": lambda one: one.poll(WAKE),
    "hooks": lambda one: one.hooks("r1"),
    "hook messages": lambda one: one.hook_messages([("r1", 0)]),
    "unpark": lambda one: one.unpark(),
    "submitted again": lambda one: one.on_transition([("r1", "submitting")]),
    "ended": lambda one: one.on_transition([("r1", "completed")]),
}


@pytest.mark.parametrize("dispatch", DISPATCHES.values(), ids=DISPATCHES)
@pytest.mark.parametrize("error", [OSError("no broker"), RedisConnectionError("no Redis")], ids=lambda e: str(e))
def test_what_cannot_be_published_is_left_to_the_sweep_and_raised_in_the_sweep(dispatch, error):
    dispatch(dispatcher(Broker(error)))
    with pytest.raises(type(error)):
        dispatch(dispatcher(Broker(error), on_unpublished=raise_unpublished))


@pytest.mark.parametrize("state", ["submitting", "completed"])
def test_a_ledger_that_cannot_be_read_for_the_message_leaves_it_to_the_sweep(state):
    ledger = LedgerStub()
    ledger.down = RedisConnectionError("no Redis")
    dispatcher(Broker(), ledger).on_transition([("r1", state)])


def test_a_bug_is_not_left_to_the_sweep():
    with pytest.raises(KeyError):
        dispatcher(Broker(KeyError("bug"))).submit("r1", "normal")


def test_only_the_sweep_of_a_worker_raises_what_it_cannot_publish():
    given = {"REDIS_URL": "redis://127.0.0.1:1/0", "AISTUDIOS_APP_ID": "studio.acme", "AISTUDIOS_USER_KEY": USER_KEY}
    services: Any = compose(Celery("test"), load(given, role="worker"))
    assert services.sweeper.dispatcher.on_unpublished is raise_unpublished
    others = (services, services.acceptor, services.operations, services.submitter, services.poller, services.deliverer)
    assert {one.dispatcher.on_unpublished for one in others} == {leave_to_sweep}
