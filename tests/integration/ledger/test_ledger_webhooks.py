"""What the ledger makes of a webhook: in any state, in any order, doubled, early, or while a look is under way."""

import pytest

from harness.ledger import GRACE, LEASE, Book

NET = 60.0
URL = "https://v/1.mp4"


@pytest.fixture
def book(redis):
    return Book(redis)


def told(book, progress=None, **details):
    given = {"attempt": 1, "look_in": NET, "trust": 10 * NET, **details}
    return book.operations.hint("r1", progress=progress, **given)


def everything(redis):
    """Return all that Redis holds, but for the answers that callers were given of late."""
    found = {}
    for key in redis.scan_iter("*"):
        if key.startswith("renderline:answer:"):
            continue
        kind = redis.type(key)
        found[key] = (
            {"hash": redis.hgetall, "string": redis.get, "set": redis.smembers}.get(
                kind, lambda name: redis.zrange(name, 0, -1, withscores=True)
            )(key)
            if kind != "stream"
            else redis.xlen(key)
        )
    return found


def looks(book):
    """Claim whatever is due now."""
    batch = book.ledger.claim_due("main", slot=0, ticket=ticket(book), limit=9, lease=LEASE)
    assert batch
    return batch.looks


def ticket(book):
    return int(book.redis.hget("renderline:pump:main", "0:ticket"))


def due_in(book):
    return book.stands("due:main") - book.clock.now


def test_progress_is_recorded_and_is_as_good_as_a_look(book):
    book.accept()
    book.started(look_in=2.0)
    book.clock.forward(1.0)
    assert told(book, 25.0) == ("rendering", None)
    assert book.record()["progress"] == 25
    assert due_in(book) == NET
    book.clock.forward(2.0)
    assert looks(book) == []
    book.sound()


def test_progress_never_brings_a_look_forward_nor_puts_it_past_the_deadline(book):
    book.accept(deadline=90.0)
    book.started(look_in=80.0)
    told(book, 25.0)
    assert due_in(book) == 80.0
    book.clock.forward(79.0)
    told(book, 50.0)
    assert due_in(book) == 11.0


def test_progress_that_falls_back_changes_nothing(book):
    book.accept()
    book.started()
    told(book, 75.0)
    told(book, 25.0)
    assert book.record()["progress"] == 75


def test_done_has_it_looked_at_now_and_once(book):
    book.accept()
    book.started(look_in=500.0)
    state, kick = told(book, 100.0, credit=3.0, url=URL)
    assert (state, kick.account, kick.delay) == ("rendering", "main", 0.0)
    assert told(book, 100.0, credit=3.0, url=URL) == ("rendering", None)
    (look,) = book.look(kick)
    assert (look.told, look.hinted_url, look.trusted) == (True, URL, True)
    assert book.find(look, "done", url="https://v/real.mp4") == [("r1", "delivered")]
    assert (book.record()["credit"], book.record()["download_url"]) == (3, "https://v/real.mp4")
    assert told(book, 100.0, url=URL) == ("delivered", None)
    assert book.record()["download_url"] == "https://v/real.mp4"
    book.sound()


def test_a_call_that_names_no_progress_has_it_looked_at_too(book):
    book.accept()
    book.started(look_in=500.0)
    _, kick = told(book)
    assert kick
    assert book.record()["progress"] == 0


def test_in_reverse_order_the_first_one_counts(book):
    book.accept()
    book.started(look_in=500.0)
    told(book, 100.0)
    for progress in (75.0, 50.0, 25.0, 0.0):
        assert told(book, progress) == ("rendering", None)
    assert due_in(book) == 0.0
    assert len(looks(book)) == 1


def test_doubled_during_the_look_it_costs_no_second_one(book):
    book.accept()
    book.started(look_in=500.0)
    _, kick = told(book, 100.0)
    (look,) = book.look(kick)
    assert told(book, 100.0) == ("rendering", None)
    assert looks(book) == []
    assert book.find(look, "done", url=URL) == [("r1", "delivered")]


def test_a_look_that_was_under_way_when_it_was_called_done_is_followed_by_another(book):
    book.accept()
    (look,) = book.look(book.started())
    told(book, 100.0)
    assert book.find(look, "wait", look_in=500.0, progress=99.0) == []
    assert due_in(book) == 0.0
    (look,) = looks(book)
    book.find(look, "wait", look_in=7.0)
    assert due_in(book) == 7.0
    book.sound()


def test_a_look_that_failed_meanwhile_is_repeated_at_its_own_pace(book):
    book.accept()
    (look,) = book.look(book.started())
    told(book, 100.0)
    book.find(look, "error", look_in=30.0, message="429")
    assert due_in(book) == 30.0


def test_a_worker_that_died_at_the_look_does_not_swallow_the_call(book):
    book.accept()
    book.look(book.started())
    told(book, 100.0)
    assert [look.id for look in book.look_again(LEASE + GRACE)] == ["r1"]


def test_an_unconfirmed_render_is_confirmed(book):
    for progress, kicked in ((25.0, False), (100.0, True)):
        book.redis.flushall()
        book.accept()
        book.started(confirmed=False, look_in=400.0)
        state, kick = told(book, progress)
        assert (state, book.state(), bool(kick)) == ("rendering", "rendering", kicked)
        book.sound()


@pytest.mark.parametrize(("progress", "look_in"), [(0.0, NET), (100.0, 0.0), (None, 0.0)])
@pytest.mark.parametrize("confirmed", [True, False], ids=["seen", "unseen"])
def test_a_call_before_the_answer_is_kept_and_confirms_it(book, progress, look_in, confirmed):
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "create", lease=LEASE)
    assert told(book, progress, url=URL) == ("submitting", None)
    book.sound()
    recorded, kick = book.ledger.start(claim, confirmed=confirmed, project_id=None, look_in=2.0)
    assert recorded
    assert book.state() == "rendering"
    assert kick.delay == look_in
    (look,) = book.look(kick)
    assert (look.project_id, look.hinted_url, look.told) == (None, URL, progress != 0.0)


def test_of_two_early_calls_the_more_urgent_counts(book):
    for first, second in ((0.0, 100.0), (100.0, 0.0)):
        book.redis.flushall()
        book.accept()
        claim = book.claim()
        book.ledger.intend(claim, "create", lease=LEASE)
        told(book, first)
        told(book, second)
        assert book.ledger.start(claim, confirmed=True, project_id="p", look_in=2.0)[1].delay == 0.0


def test_a_call_from_before_the_paid_one_proves_nothing(book):
    """As if the vendor called about the draft."""
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "draft", lease=LEASE)
    told(book, 0.0)
    book.ledger.advance(claim, stage="export", project_id="p1")
    book.ledger.intend(claim, "export", lease=LEASE)
    book.ledger.start(claim, confirmed=False, project_id="p1", look_in=2.0)
    assert book.state() == "unconfirmed"


@pytest.mark.parametrize("attempt", [0, 2, 17])
def test_another_attempt_changes_nothing(book, attempt):
    book.accept()
    book.started(confirmed=False)
    before = everything(book.redis)
    assert told(book, 100.0, attempt=attempt, credit=1.0, url=URL) == ("", None)
    assert everything(book.redis) == before


def test_an_unknown_render_is_none_afterwards(book):
    assert told(book, 100.0, url=URL) == ("", None)
    assert everything(book.redis) == {}


def test_a_late_call_about_the_attempt_that_ended_does_not_touch_the_new_one(book):
    book.accept()
    (look,) = book.look(book.started())
    told(book, 100.0, url=URL, credit=2.0)
    book.find(look, "failed", message="no")
    assert book.operations.retry("r1")
    assert told(book, 100.0, url=URL) == ("", None)
    (look,) = book.look(book.started())
    assert (look.told, look.hinted_url, look.attempt) == (False, None, 2)
    assert told(book, 50.0, attempt=2)[0] == "rendering"


@pytest.mark.parametrize("end", ["delivered", "failed", "expired", "canceled"])
def test_what_it_cost_is_learned_after_the_end_too_and_nothing_else(book, end):
    book.accept()
    (look,) = book.look(book.started())
    if end == "canceled":
        book.operations.cancel("r1")
    else:
        book.find(look, {"delivered": "done"}.get(end, end), url="https://v/real.mp4", message="no")
    before = book.record()
    assert told(book, 100.0, credit=4.0, url=URL, project_id="p9") == (end, None)
    assert book.record() == {**before, "credit": 4}
    book.sound()


def test_a_project_id_is_taken_only_where_there_is_none(book):
    book.accept()
    book.started()
    told(book, 50.0, project_id="p9")
    assert book.record()["project_id"] == "p-r1"
    book.redis.flushall()
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "create", lease=LEASE)
    book.ledger.start(claim, confirmed=False, project_id=None, look_in=2.0)
    told(book, 50.0, project_id="p9")
    assert book.record()["project_id"] == "p9"


# -- whether webhooks are relied on


def first_look(book, one):
    book.accept(one)
    claim = book.claim(one)
    book.ledger.intend(claim, "export", lease=LEASE)
    book.ledger.start(claim, confirmed=True, project_id=f"p-{one}", look_in=2.0, trusting=NET)
    return book.stands("due:main", one) - book.clock.now


def test_webhooks_are_relied_on_while_they_arrive(book):
    assert first_look(book, "r1") == 2.0
    told(book, 0.0)
    assert first_look(book, "r2") == NET
    book.clock.forward(10 * NET - 1)
    assert {look.trusted for look in looks(book)} == {True}
    book.clock.forward(2)
    assert first_look(book, "r3") == 2.0


def test_where_nobody_asks_for_webhooks_none_are_relied_on(book):
    book.accept()
    book.started()
    told(book, 0.0, trust=0.0)
    assert first_look(book, "r2") == 2.0


def test_a_render_that_was_done_unsaid_ends_the_trust_and_the_next_call_renews_it(book):
    book.accept()
    book.started()
    told(book, 75.0)
    book.clock.forward(NET)
    (look,) = looks(book)
    assert look.trusted
    book.find(look, "done", url=URL)
    assert first_look(book, "r2") == 2.0
    book.operations.hint("r2", progress=0.0, look_in=NET, trust=10 * NET)
    assert first_look(book, "r3") == NET


def test_a_render_that_was_called_done_keeps_the_trust(book):
    book.accept()
    book.started(look_in=500.0)
    _, kick = told(book, 100.0)
    (look,) = book.look(kick)
    book.find(look, "done", url=URL)
    assert first_look(book, "r2") == NET


def test_trust_is_an_accounts_own(book):
    book.accept()
    book.started()
    told(book, 0.0)
    book.accept("b1", account="other")
    claim = book.claim("b1")
    book.ledger.intend(claim, "export", lease=LEASE)
    _, kick = book.ledger.start(claim, confirmed=True, project_id="p", look_in=2.0, trusting=NET)
    assert kick.delay == 2.0
