"""What goes wrong at the vendor, at receivers, with messages and with people."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.alerts.condition import condition
from benchmarks.alerts.stage import Stage, later_request
from harness import until

_EXPORT = "POST /api/odin/v3/editor/project/export"


@condition("an operator pauses the account", "AccountPaused")
def paused(stage: Stage) -> Iterator[None]:
    stage.ask("POST", "/v1/accounts/default/pause")
    yield
    stage.mend()


@condition("the vendor's project fails, six times", "RendersFail")
def failing(stage: Stage) -> Iterator[None]:
    for number in range(6):
        stage.submit(f"[sandbox:fail#{number}] Hello.")
    yield


@condition("a receiver answers 500 to ten hooks, which have one attempt", "DeadLettersGrow", "HooksFail")
def receiver_down(stage: Stage) -> Iterator[None]:
    stage.hooks_answer = 500
    # One after the other: Prometheus must see the counter of a new host rise.
    for _ in range(10):
        stage.submit(hook=True)
        time.sleep(1.5)
    yield
    stage.mend()


@condition("a producer sends text that is no message", "QuarantineGrows")
def garbage(stage: Stage) -> Iterator[None]:
    for _ in range(3):
        stage.redis.lpush("requests", b"no message")
    yield


@condition("a later version sends 75 MB of requests to workers of this one", "RequestsNotKept")
def later_version(stage: Stage) -> Iterator[None]:
    for _ in range(80):
        stage.redis.lpush("requests", later_request(700_000))
    yield


@condition("the vendor answers 402, no credit", "AccountHeld")
def no_credit(stage: Stage) -> Iterator[None]:
    stage.fault("credit", _EXPORT)
    stage.submit()
    yield
    stage.mend()


@condition("the vendor answers 429 with Retry-After: 60", "VendorBackoff")
def too_many_calls(stage: Stage) -> Iterator[None]:
    stage.fault("429", seconds=60)
    stage.submit()
    yield
    stage.mend()


@condition(
    "the vendor answers 503 to everything until the token has expired", "VendorErrors", "CircuitOpen", "TokenOld"
)
def vendor_down(stage: Stage) -> Iterator[None]:
    stage.sandbox.control("POST", "outage", on=True)
    for _ in range(6):
        stage.submit()
    yield
    stage.mend()


@condition("the connection breaks before the paid call is processed", "UnconfirmedWaits")
def unconfirmed(stage: Stage) -> Iterator[None]:
    stage.fault("drop-before", _EXPORT, times=1)
    render = stage.submit()
    stage.reach(render, "unconfirmed")
    yield
    stage.reach(render, "delivered")


@condition("the vendor reports the end of a draft that was revoked", "PaidTwice")
def paid_twice(stage: Stage) -> Iterator[None]:
    stage.fault("drop-before", _EXPORT, times=1)
    render = stage.submit()
    stage.reach(render, "unconfirmed")
    stage.reach(render, "delivered")
    stage.webhook(render)
    yield


@condition("thirty logins to the board with a wrong key", "LoginsFail")
def guesses(stage: Stage) -> Iterator[None]:
    def guess() -> bool:
        assert stage.gateway.ask("POST", "/login", data={"key": "rl_wrong"}, allow_redirects=False).status_code >= 400
        return "RenderlineLoginsFail" in stage.prometheus.firing()

    # Its rate is what counts: a counter that Prometheus sees rise.
    for _ in range(30):
        guess()
    until(guess, seconds=60, what="RenderlineLoginsFail")
    yield
