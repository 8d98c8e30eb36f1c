"""Operations: each is one step that checks the state, and both doors, HTTP and command line, say the same about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

import config.celery
import workers.application
from harness import USER_KEY, Valkey, free_port
from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.ledger.script import Scripts
from renderline.operations import (
    AccountNotFound,
    HookNotDead,
    HookNotFound,
    OperationRefused,
    Operations,
    RenderNotFound,
    WrongState,
)
from renderline.renders import FINAL, State
from renderline.tenants import COMMAND_LINE

RENDER = "a" * 32
UNKNOWN = "0" * 32


@pytest.fixture
def dispatcher() -> RecordedDispatcher:
    return RecordedDispatcher()


@pytest.fixture
def operations(driver: LedgerDriver, dispatcher: RecordedDispatcher) -> Operations:
    return Operations(driver.ledger, dispatcher, ["main"])


def bring(driver: LedgerDriver, state: str) -> str:
    """Bring a render with one hook into a state."""
    driver.redis.flushall()
    if state in ("completed", "undelivered", "delivered"):
        driver.complete(RENDER)
        if state != "completed":
            claim = driver.ledger.claim_hook(RENDER, 0, lease=20.0)
            outcome = "dead" if state == "undelivered" else "delivered"
            driver.ledger.record_hook(RENDER, 0, claim, outcome=outcome, error="410")
        return RENDER
    driver.accept(RENDER, hooks=1)
    if state == "submitting":
        driver.claim(RENDER)
    elif state in ("unconfirmed", "rendering"):
        driver.start(RENDER, confirmed=state == "rendering")
    elif state == "failed":
        driver.ledger.fail(RENDER, code="7001", message="no such voice", origin="vendor")
    elif state == "canceled":
        driver.operations.cancel(RENDER)
    elif state == "expired":
        wake = driver.start(RENDER)
        assert wake
        (due,) = driver.claim_due_polls(wake)
        driver.record_result(due, "expired", code="deadline", message="too late", origin="renderline")
    assert driver.state(RENDER) == state
    return RENDER


# -- one step each


def test_cancel_has_hooks_and_parked_renders_go_on(
    driver: LedgerDriver, operations: Operations, dispatcher: RecordedDispatcher
) -> None:
    bring(driver, "rendering")
    done = operations.cancel(RENDER, actor=COMMAND_LINE)
    assert (done.record["state"], done.project, done.why) == ("canceled", "untouched", "")
    assert (dispatcher.hooked, dispatcher.unparked) == ([RENDER], 1)
    assert operations.cancel(RENDER, actor=COMMAND_LINE).record["state"] == "canceled", "safe to repeat"


def test_retry_sends_the_submission(
    driver: LedgerDriver, operations: Operations, dispatcher: RecordedDispatcher
) -> None:
    bring(driver, "failed")
    record = operations.retry(RENDER, actor=COMMAND_LINE)
    assert (record["state"], record["attempt"], record["history"][0]["state"]) == ("accepted", 2, "failed")
    assert dispatcher.submitted == [(RENDER, "normal")]


def test_an_unconfirmed_render_is_adopted_resubmitted_or_given_up(
    driver: LedgerDriver, operations: Operations, dispatcher: RecordedDispatcher
) -> None:
    bring(driver, "unconfirmed")
    assert operations.adopt(RENDER, "p9", actor=COMMAND_LINE)["project_id"] == "p9"
    assert [wake.account for wake in dispatcher.wakes] == ["main"], "it is polled now"
    bring(driver, "unconfirmed")
    assert operations.resubmit(RENDER, actor=COMMAND_LINE)["state"] == "submitting"
    assert dispatcher.submitted == [(RENDER, "normal")]
    bring(driver, "unconfirmed")
    record = operations.fail(RENDER, message="The dashboard shows nothing.", actor=COMMAND_LINE)
    assert record["error"] == {"code": "given_up", "message": "The dashboard shows nothing.", "origin": "caller"}
    assert (dispatcher.hooked, dispatcher.unparked) == ([RENDER], 1)
    driver.check_indexes(RENDER)


def test_a_dead_hook_is_replayed_or_discarded(
    driver: LedgerDriver, operations: Operations, dispatcher: RecordedDispatcher
) -> None:
    bring(driver, "undelivered")
    assert operations.replay(RENDER, 0, actor=COMMAND_LINE)["state"] == "completed"
    assert dispatcher.hooked == [RENDER]
    bring(driver, "undelivered")
    assert operations.discard(RENDER, 0, actor=COMMAND_LINE)["state"] == "undelivered"
    with pytest.raises(HookNotDead, match="discarded"):
        operations.discard(RENDER, 0, actor=COMMAND_LINE)
    bring(driver, "delivered")
    for operate in (operations.replay, operations.discard):
        with pytest.raises(HookNotDead, match="delivered"):
            operate(RENDER, 0, actor=COMMAND_LINE)
        with pytest.raises(HookNotFound, match="1 hook"):
            operate(RENDER, 1, actor=COMMAND_LINE)
        with pytest.raises(RenderNotFound):
            operate(UNKNOWN, 0, actor=COMMAND_LINE)


def test_an_account_is_paused_and_resumed_by_those_who_know_it(driver: LedgerDriver, operations: Operations) -> None:
    operations.pause("main", actor=COMMAND_LINE)
    assert driver.operations.paused() == {"main"}
    assert operations.resume("main", actor=COMMAND_LINE)
    assert not operations.resume("main", actor=COMMAND_LINE), "nothing held it back"
    for operate in (operations.pause, operations.resume):
        with pytest.raises(AccountNotFound) as caught:
            operate("elsewhere", actor=COMMAND_LINE)
        assert caught.value.known == ["main"]
    driver.operations.pause("retired")
    assert operations.resume("retired", actor=COMMAND_LINE), "it was paused before its configuration went away"


# -- both doors


@dataclass(frozen=True)
class Answer:
    """What a door answered: refused or not, and the text that people read."""

    refused: bool
    missing: bool
    text: str


class HttpDoor:
    """The gateway in this process."""

    def __init__(self, environ: dict[str, str]) -> None:
        from config import settings
        from workers.gateway import build

        chosen = settings.load({**environ, "RENDERLINE_API_KEYS_REQUIRED": "false"}, role="gateway")
        self.client = build(chosen).test_client()

    def __call__(self, operation: str, render_id: str) -> Answer:
        body = {"adopt": {"project_id": "p9"}, "fail": {"message": "lost"}}.get(operation)
        path = f"hooks/0/{operation}" if operation in ("replay", "discard") else operation
        answer = self.client.post(f"/v1/renders/{render_id}/{path}", json=body)
        assert answer.status_code in (200, 202, 404, 409), answer.text
        return Answer(answer.status_code == 409, answer.status_code == 404, answer.text)


class CommandLineDoor:
    """The command line in this process."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    def __call__(self, operation: str, render_id: str) -> Answer:
        from workers.cli.program import cli

        more = {"adopt": ["p9"], "fail": ["--reason", "lost"]}.get(operation, [])
        command = ["dead", operation] if operation in ("replay", "discard") else [operation]
        result = CliRunner().invoke(cli, [*command, render_id, *more], env=self.environ)
        assert result.exit_code in (0, 1, 5), result.output
        return Answer(result.exit_code == 1, result.exit_code == 5, result.stderr)


DOORS: dict[str, Callable[[dict[str, str]], Callable[[str, str], Answer]]] = {
    "http": HttpDoor,
    "command line": CommandLineDoor,
}

ALLOWED: dict[str, dict[State, State]] = {
    "cancel": {state: State.CANCELED for state in State if state not in FINAL} | {State.CANCELED: State.CANCELED},
    "retry": {State.FAILED: State.ACCEPTED, State.EXPIRED: State.ACCEPTED},
    "adopt": {State.UNCONFIRMED: State.RENDERING},
    "resubmit": {State.UNCONFIRMED: State.SUBMITTING},
    "fail": {State.UNCONFIRMED: State.FAILED},
}
"""By operation: the states in which it applies, and the state that follows."""


@pytest.fixture
def environ(valkey: Valkey, redis: Redis) -> dict[str, str]:
    return {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_APP_ID": "studioV3.tests",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "AISTUDIOS_BASE_URL": "http://127.0.0.1:9",
    }


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("operation", ALLOWED)
def test_an_operation_applies_to_the_same_states_through_every_door(
    driver: LedgerDriver, environ: dict[str, str], door: str, operation: str
) -> None:
    call = DOORS[door](environ)
    for state in State:
        bring(driver, state)
        after = ALLOWED[operation].get(state)
        answer = call(operation, RENDER)
        assert not answer.missing
        assert answer.refused == (after is None), (state, answer)
        assert driver.state(RENDER) == (after or state)
        if answer.refused:
            assert state in answer.text, "it says in which state the render is"
    assert call(operation, UNKNOWN).missing


@pytest.mark.parametrize("door", DOORS)
def test_a_webhook_just_before_the_step_wins_over_giving_up(
    driver: LedgerDriver, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    bring(driver, "unconfirmed")
    run = Scripts.run

    def webhook_first(scripts: Scripts, name: str, *arguments: Any) -> Any:
        if name in ("fail", "give_up"):
            # The vendor says that it renders: the render is paid for.
            monkeypatch.setattr(Scripts, "run", run)
            driver.operations.record_webhook(RENDER, progress=10.0, poll_in=5.0)
        return run(scripts, name, *arguments)

    monkeypatch.setattr(Scripts, "run", webhook_first)
    # A ledger takes its `run` when it is made.
    answer = DOORS[door](environ)("fail", RENDER)
    assert answer.refused
    assert "rendering" in answer.text
    assert driver.state(RENDER) == "rendering"


# By operation: the state in which it applies, and the state that follows.
PUBLISHING = {
    "cancel": ("rendering", "canceled"),
    "retry": ("failed", "accepted"),
    "adopt": ("unconfirmed", "rendering"),
    "resubmit": ("unconfirmed", "submitting"),
    "fail": ("unconfirmed", "failed"),
    "replay": ("undelivered", "completed"),
    "discard": ("undelivered", "undelivered"),
}


@pytest.mark.parametrize("door", DOORS)
def test_an_operation_is_recorded_though_the_broker_is_away(
    driver: LedgerDriver, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    options = config.celery.options
    away = {"broker_url": f"redis://:sesame@127.0.0.1:{free_port()}/0"}
    monkeypatch.setattr(workers.application, "options", lambda settings: {**options(settings), **away})
    call = DOORS[door](environ)
    for operation, (state, after) in PUBLISHING.items():
        bring(driver, state)
        answer = call(operation, RENDER)
        assert not answer.refused, (operation, answer.text)
        assert driver.state(RENDER) == after, operation
        assert "sesame" not in answer.text
        assert "Traceback" not in answer.text


def test_both_doors_say_which_hooks_run_on_cancel(environ: dict[str, str]) -> None:
    from workers.cli.program import cli

    help_text = CliRunner().invoke(cli, ["cancel", "--help"]).stdout
    paths = HttpDoor(environ).client.get("/openapi.json").get_json()["paths"]
    operation = paths["/v1/renders/{render_id}/cancel"]["post"]
    for text in (help_text, operation["description"]):
        assert "render.canceled" in text
        assert "hooks do not run" not in text


def test_every_refusal_is_typed(driver: LedgerDriver, operations: Operations) -> None:
    bring(driver, "delivered")
    for operate in (operations.cancel, operations.retry, operations.resubmit):
        with pytest.raises(WrongState) as caught:
            operate(RENDER, actor=COMMAND_LINE)
        assert caught.value.state == "delivered"
        assert "delivered" not in caught.value.allowed
        assert isinstance(caught.value, OperationRefused)
