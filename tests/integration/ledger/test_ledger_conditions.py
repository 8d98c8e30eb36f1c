"""The condition of renders, as it stands in the ledger, and the sentence that it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver
from renderline.explanation import Explainer, Explanation
from renderline.ledger.conditions import Conditions
from renderline.tenants import DEFAULT


@pytest.fixture
def serving(driver: LedgerDriver) -> LedgerDriver:
    """A ledger with a live worker that knows `main`. The server's clock says when it is alive."""
    real = LedgerDriver(driver.redis)
    real.ledger = type(real.ledger)(driver.redis, grace=GRACE)
    real.ledger.announce_capabilities(["account:main", "hook:http", "hook:download"])
    return driver


@pytest.fixture
def said(serving: LedgerDriver) -> Callable[..., Explanation]:
    def explain(one: str = "r1") -> Explanation:
        record = serving.record(one)
        (found,) = Explainer(serving.ledger, clock=serving.clock).explain([record])
        return found

    return explain


Said = Callable[..., Explanation]


def test_slots_and_places(serving: LedgerDriver, said: Said) -> None:
    serving.limits.set_slots({"main": 1})
    for number in range(12):
        serving.accept(f"r{number}")
    serving.start("r0")
    assert said("r1").sentence == "Its submission is in the queue."
    assert serving.ledger.claim_submission("r1", lease=LEASE) is None
    assert said("r1").sentence.startswith("Waits for a slot: 1 of 1 slots of account main are taken, the oldest by")
    assert "render r0" in said("r1").sentence
    assert said("r11").sentence.endswith("; 2 renders of its tenant are before it.")
    assert "before it" not in said("r1").sentence


def test_a_tenant_reads_nothing_of_the_renders_of_others(serving: LedgerDriver, said: Said) -> None:
    serving.limits.set_slots({"main": 1})
    serving.accept("r0")
    serving.start("r0")
    for one in ("a1", "a2"):
        serving.accept(one, tenant="acme")
        serving.ledger.claim_submission(one, lease=LEASE)
    assert said("a2").sentence == (
        "Waits for a slot: 1 of 1 slots of account main are taken; 1 render of its tenant is before it."
    )


def test_renders_that_wait_for_an_api_are_counted_apart(serving: LedgerDriver, said: Said) -> None:
    for one in ("r1", "r2", "v1", "v2"):
        serving.accept(one)
    for one in ("v1", "v2"):
        serving.ledger.claim_submission(one, lease=LEASE, known=["main"], apis={"project": "v2"})
    serving.operations.pause("main")
    for one in ("r1", "r2"):
        serving.ledger.claim_submission(one, lease=LEASE)
    places = [
        one.ahead for one in Conditions(serving.ledger).of([serving.record(one) for one in ("r1", "r2", "v1", "v2")])
    ]
    assert places == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("hold_back", "words"),
    [
        (lambda driver: driver.operations.pause("main"), "Account main is paused"),
        (lambda driver: driver.limits.back_off("main", seconds=30.0), "(429)"),
        (lambda driver: driver.limits.call_failed("main", failures=1, pause=5.0), ", circuit open."),
        (lambda driver: driver.limits.hold("main", reason="No credit", seconds=60.0), "refused to render for account"),
        (lambda driver: driver.operations.hold("r1", by="anna", reason=""), "Held by anna"),
        (lambda driver: driver.ledger.quarantine("r1", "main", reason="lost a field"), "cannot be read"),
        (lambda driver: driver.claim("r1"), "A worker is making its vendor calls now"),
        (lambda driver: driver.redis.delete(driver.ledger.keys.capabilities), "No worker is running"),
    ],
)
def test_what_holds_it_back(
    serving: LedgerDriver, said: Said, hold_back: Callable[[LedgerDriver], Any], words: str
) -> None:
    # The server's clock and the driver's are the same here: what ends later is compared with the server's.
    serving.clock.now = serving.redis.time()[0]
    serving.accept()
    hold_back(serving)
    assert words in said().sentence


def test_what_the_vendor_shows(serving: LedgerDriver, said: Said) -> None:
    for number in range(3):
        serving.complete(f"d{number}", hooks=0)
    serving.accept()
    wake = serving.start()
    assert wake
    assert "usually take" in said().sentence
    (due,) = serving.claim_due_polls(wake)
    serving.record_result(due, "wait", poll_in=5.0, progress=40.0, rate=2.0)
    assert said().sentence.startswith("The vendor is at 40 %;")
    assert "(in 30 s)" in said().ends


def test_hooks(serving: LedgerDriver, said: Said) -> None:
    serving.complete(hooks=2)
    claim = serving.ledger.claim_hook("r1", 1, lease=LEASE)
    serving.ledger.record_hook("r1", 1, claim, outcome="retrying", retry_in=600.0, error="503")
    assert "Hook 1 (http) has failed since" in said().sentence
    assert "(in 10 min)" in said().ends
    for index in (0, 1):
        serving.clock.forward(700)
        claim = serving.ledger.claim_hook("r1", index, lease=LEASE)
        serving.ledger.record_hook("r1", index, claim, outcome="dead", error="410")
    assert "was dead-lettered" in said().sentence


def test_a_canceled_one_says_by_whom(serving: LedgerDriver, said: Said) -> None:
    serving.accept()
    serving.operations.cancel("r1", by="anna")
    assert said().sentence.startswith("Canceled by anna")


def test_a_hundred_renders_take_two_round_trips(serving: LedgerDriver) -> None:
    serving.limits.set_slots({"main": 2})
    names = [f"r{number:03}" for number in range(100)]
    for one in names:
        serving.accept(one, tenant=DEFAULT if one < "r050" else "acme")
    for one in names:
        serving.ledger.claim_submission(one, lease=LEASE)
    records = [serving.record(one) for one in names]
    conditions = Conditions(serving.ledger)
    trips = 0
    send = serving.redis.connection_pool.connection_class.send_packed_command

    def counted(connection: Any, *args: Any, **options: Any) -> Any:
        nonlocal trips
        trips += 1
        return send(connection, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving.redis.connection_pool.connection_class, "send_packed_command", counted)
        found = conditions.of(records)
    assert trips == 2
    assert len([one for one in found if one.ahead]) > 50


def test_records_that_nobody_can_read_are_explained(serving: LedgerDriver, said: Said) -> None:
    serving.accept()
    serving.redis.hdel(serving.ledger.keys.render("r1"), "priority")
    assert "cannot be read" in said().sentence
    serving.accept("r2")
    serving.redis.hset(serving.ledger.keys.render("r2"), mapping={"lease_until": "soon", "rate": "x"})
    assert said("r2").sentence
