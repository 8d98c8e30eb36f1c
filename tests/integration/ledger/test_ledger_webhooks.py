"""What the ledger makes of a webhook: in any state, in any order, doubled, early, or while a poll is under way."""

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver

NET = 60.0
URL = "https://v/1.mp4"


@pytest.fixture
def driver(redis):
    return LedgerDriver(redis)


def send_webhook(driver, progress=None, **details):
    given = {"attempt": 1, "poll_in": NET, "alive_for": 10 * NET, **details}
    return driver.operations.record_webhook("r1", progress=progress, **given)


def everything(redis):
    """Return all that Redis holds, but for the answers that callers were given of late."""
    found = {}
    for key in redis.scan_iter("*"):
        if key.startswith("renderline:answer:"):
            continue
        kind = redis.type(key)
        found[key] = (
            {"hash": redis.hgetall, "string": redis.get, "set": redis.smembers, "list": redis.llen}.get(
                kind, lambda name: redis.zrange(name, 0, -1, withscores=True)
            )(key)
            if kind != "stream"
            else redis.xlen(key)
        )
    return found


def due_polls(driver):
    """Claim whatever is due now."""
    batch = driver.ledger.claim_due_polls("main", slot=0, ticket=ticket(driver), limit=9, lease=LEASE)
    assert batch
    return batch.polls


def ticket(driver):
    return int(driver.redis.hget("renderline:pump:main", "0:ticket"))


def due_in(driver):
    return driver.score_in("due:main") - driver.clock.now


def test_progress_is_recorded_and_is_as_good_as_a_poll(driver):
    driver.accept()
    driver.start(poll_in=2.0)
    driver.clock.forward(1.0)
    assert send_webhook(driver, 25.0) == ("rendering", None)
    assert driver.record()["progress"] == 25
    assert due_in(driver) == NET
    driver.clock.forward(2.0)
    assert due_polls(driver) == []
    driver.check_indexes()


def test_progress_never_brings_a_poll_forward_nor_puts_it_past_the_deadline(driver):
    driver.accept(deadline=90.0)
    driver.start(poll_in=80.0)
    send_webhook(driver, 25.0)
    assert due_in(driver) == 80.0
    driver.clock.forward(79.0)
    send_webhook(driver, 50.0)
    assert due_in(driver) == 11.0


def test_progress_that_falls_back_changes_nothing(driver):
    driver.accept()
    driver.start()
    send_webhook(driver, 75.0)
    send_webhook(driver, 25.0)
    assert driver.record()["progress"] == 75


def test_done_has_it_polled_now_and_once(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    state, wake = send_webhook(driver, 100.0, credit=3.0, url=URL)
    assert (state, wake.account, wake.delay) == ("rendering", "main", 0.0)
    assert send_webhook(driver, 100.0, credit=3.0, url=URL) == ("rendering", None)
    (due_poll,) = driver.claim_due_polls(wake)
    assert (due_poll.webhook_done, due_poll.reported_url, due_poll.webhooks_alive) == (True, URL, True)
    assert driver.record_result(due_poll, "done", url="https://v/real.mp4") == [("r1", "delivered")]
    assert (driver.record()["credit"], driver.record()["download_url"]) == (3, "https://v/real.mp4")
    assert send_webhook(driver, 100.0, url=URL) == ("delivered", None)
    assert driver.record()["download_url"] == "https://v/real.mp4"
    driver.check_indexes()


def test_a_call_that_names_no_progress_has_it_polled_too(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    _, wake = send_webhook(driver)
    assert wake
    assert driver.record()["progress"] == 0


def test_in_reverse_order_the_first_one_counts(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    send_webhook(driver, 100.0)
    for progress in (75.0, 50.0, 25.0, 0.0):
        assert send_webhook(driver, progress) == ("rendering", None)
    assert due_in(driver) == 0.0
    assert len(due_polls(driver)) == 1


def test_doubled_during_the_poll_it_costs_no_second_one(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    _, wake = send_webhook(driver, 100.0)
    (due_poll,) = driver.claim_due_polls(wake)
    assert send_webhook(driver, 100.0) == ("rendering", None)
    assert due_polls(driver) == []
    assert driver.record_result(due_poll, "done", url=URL) == [("r1", "delivered")]


def test_a_poll_that_was_under_way_when_it_was_called_done_is_followed_by_another(driver):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start())
    send_webhook(driver, 100.0)
    assert driver.record_result(due_poll, "wait", poll_in=500.0, progress=99.0) == []
    assert due_in(driver) == 0.0
    (due_poll,) = due_polls(driver)
    driver.record_result(due_poll, "wait", poll_in=7.0)
    assert due_in(driver) == 7.0
    driver.check_indexes()


def test_a_poll_that_failed_meanwhile_is_repeated_at_its_own_pace(driver):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start())
    send_webhook(driver, 100.0)
    driver.record_result(due_poll, "error", poll_in=30.0, message="429")
    assert due_in(driver) == 30.0


def test_a_flood_of_calls_has_it_polled_once_in_ten_seconds(driver):
    """A caller that learns the URL can repeat the call; the vendor must not see a poll for each."""
    driver.accept()
    driver.start(poll_in=500.0)
    polls = 0
    for _ in range(100):
        send_webhook(driver, 100.0)
        for due_poll in due_polls(driver):
            polls += 1
            send_webhook(driver, 100.0)
            driver.record_result(due_poll, "wait", poll_in=500.0)
        driver.clock.forward(0.5)
    assert 4 <= polls <= 6
    driver.check_indexes()


def test_a_call_soon_after_another_one_is_not_forgotten(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    _, wake = send_webhook(driver, 100.0)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "wait", poll_in=500.0)
    driver.clock.forward(2.0)
    _, wake = send_webhook(driver, 100.0)
    assert wake
    assert due_in(driver) == pytest.approx(8.0)


def test_the_first_call_about_another_attempt_has_it_polled(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    _, wake = send_webhook(driver, 100.0)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "failed", message="no")
    assert driver.operations.retry("r1")
    driver.start(poll_in=500.0)
    assert send_webhook(driver, 100.0, attempt=2)[1]


def test_what_is_known_at_the_end_no_later_call_changes(driver):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start())
    send_webhook(driver, 50.0, credit=2.0)
    driver.record_result(due_poll, "done", url="https://v/real.mp4")
    before = driver.record()
    assert before["credit"] == 2
    send_webhook(driver, 100.0, credit=9000.0, url=URL)
    assert driver.record() == before


def test_a_worker_that_died_at_the_poll_does_not_swallow_the_call(driver):
    driver.accept()
    driver.claim_due_polls(driver.start())
    send_webhook(driver, 100.0)
    assert [due_poll.id for due_poll in driver.claim_again(LEASE + GRACE)] == ["r1"]


def test_an_unconfirmed_render_is_confirmed(driver):
    for progress, woken in ((25.0, False), (100.0, True)):
        driver.redis.flushall()
        driver.accept()
        driver.start(confirmed=False, poll_in=400.0)
        state, wake = send_webhook(driver, progress)
        assert (state, driver.state(), bool(wake)) == ("rendering", "rendering", woken)
        driver.check_indexes()


@pytest.mark.parametrize(("progress", "poll_in"), [(0.0, NET), (100.0, 0.0), (None, 0.0)])
@pytest.mark.parametrize("confirmed", [True, False], ids=["seen", "unseen"])
def test_a_call_before_the_answer_is_kept_and_confirms_it(driver, progress, poll_in, confirmed):
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "create", lease=LEASE)
    assert send_webhook(driver, progress, url=URL) == ("submitting", None)
    driver.check_indexes()
    recorded, wake = driver.ledger.start(claim, confirmed=confirmed, project_id=None, poll_in=2.0)
    assert recorded
    assert driver.state() == "rendering"
    assert wake.delay == poll_in
    (due_poll,) = driver.claim_due_polls(wake)
    assert (due_poll.project_id, due_poll.reported_url, due_poll.webhook_done) == (None, URL, progress != 0.0)


def test_of_two_early_calls_the_more_urgent_counts(driver):
    for first, second in ((0.0, 100.0), (100.0, 0.0)):
        driver.redis.flushall()
        driver.accept()
        claim = driver.claim()
        driver.ledger.record_intent(claim, "create", lease=LEASE)
        send_webhook(driver, first)
        send_webhook(driver, second)
        assert driver.ledger.start(claim, confirmed=True, project_id="p", poll_in=2.0)[1].delay == 0.0


def test_a_call_from_before_the_paid_one_proves_nothing(driver):
    """As if the vendor called about the draft."""
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "draft", lease=LEASE)
    send_webhook(driver, 0.0)
    driver.ledger.advance(claim, stage="export", project_id="p1")
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    driver.ledger.start(claim, confirmed=False, project_id="p1", poll_in=2.0)
    assert driver.state() == "unconfirmed"


@pytest.mark.parametrize("attempt", [0, 2, 17])
def test_another_attempt_changes_nothing(driver, attempt):
    driver.accept()
    driver.start(confirmed=False)
    before = everything(driver.redis)
    assert send_webhook(driver, 100.0, attempt=attempt, credit=1.0, url=URL) == ("", None)
    assert everything(driver.redis) == before


def test_an_unknown_render_is_none_afterwards(driver):
    assert send_webhook(driver, 100.0, url=URL) == ("", None)
    assert everything(driver.redis) == {}


def test_a_late_call_about_the_attempt_that_ended_does_not_touch_the_new_one(driver):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start())
    send_webhook(driver, 100.0, url=URL, credit=2.0)
    driver.record_result(due_poll, "failed", message="no")
    assert driver.operations.retry("r1")
    assert send_webhook(driver, 100.0, url=URL) == ("", None)
    (due_poll,) = driver.claim_due_polls(driver.start())
    assert (due_poll.webhook_done, due_poll.reported_url, due_poll.attempt) == (False, None, 2)
    assert send_webhook(driver, 50.0, attempt=2)[0] == "rendering"


@pytest.mark.parametrize("end", ["delivered", "failed", "expired", "canceled"])
def test_what_it_cost_is_learned_after_the_end_too_and_nothing_else(driver, end):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start())
    if end == "canceled":
        driver.operations.cancel("r1")
    else:
        driver.record_result(due_poll, {"delivered": "done"}.get(end, end), url="https://v/real.mp4", message="no")
    before = driver.record()
    assert send_webhook(driver, 100.0, credit=4.0, url=URL, project_id="p9") == (end, None)
    assert driver.record() == {**before, "credit": 4}
    driver.check_indexes()


def test_a_project_id_is_taken_only_where_there_is_none(driver):
    driver.accept()
    driver.start()
    send_webhook(driver, 50.0, project_id="p9")
    assert driver.record()["project_id"] == "p-r1"
    driver.redis.flushall()
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "create", lease=LEASE)
    driver.ledger.start(claim, confirmed=False, project_id=None, poll_in=2.0)
    send_webhook(driver, 50.0, project_id="p9")
    assert driver.record()["project_id"] == "p9"


# -- whether webhooks are relied on


def first_look(driver, one):
    driver.accept(one)
    claim = driver.claim(one)
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    driver.ledger.start(claim, confirmed=True, project_id=f"p-{one}", poll_in=2.0, fallback_in=NET)
    return driver.score_in("due:main", one) - driver.clock.now


def test_webhooks_are_relied_on_while_they_arrive(driver):
    assert first_look(driver, "r1") == 2.0
    send_webhook(driver, 0.0)
    assert first_look(driver, "r2") == NET
    driver.clock.forward(10 * NET - 1)
    assert {due_poll.webhooks_alive for due_poll in due_polls(driver)} == {True}
    driver.clock.forward(2)
    assert first_look(driver, "r3") == 2.0


def test_where_nobody_asks_for_webhooks_none_are_relied_on(driver):
    driver.accept()
    driver.start()
    send_webhook(driver, 0.0, alive_for=0.0)
    assert first_look(driver, "r2") == 2.0


def test_a_render_that_was_done_unsaid_ends_the_trust_and_the_next_call_renews_it(driver):
    driver.accept()
    driver.start()
    send_webhook(driver, 75.0)
    driver.clock.forward(NET)
    (due_poll,) = due_polls(driver)
    assert due_poll.webhooks_alive
    driver.record_result(due_poll, "done", url=URL)
    assert first_look(driver, "r2") == 2.0
    driver.operations.record_webhook("r2", progress=0.0, poll_in=NET, alive_for=10 * NET)
    assert first_look(driver, "r3") == NET


def test_a_render_that_was_called_done_keeps_the_trust(driver):
    driver.accept()
    driver.start(poll_in=500.0)
    _, wake = send_webhook(driver, 100.0)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "done", url=URL)
    assert first_look(driver, "r2") == NET


def test_each_account_has_its_own_webhook_state(driver):
    driver.accept()
    driver.start()
    send_webhook(driver, 0.0)
    driver.accept("b1", account="other")
    claim = driver.claim("b1")
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    _, wake = driver.ledger.start(claim, confirmed=True, project_id="p", poll_in=2.0, fallback_in=NET)
    assert wake.delay == 2.0
