"""A webhook about a draft that was revoked: nothing of the render changes, and somebody is told."""

import pytest
import structlog
from structlog.testing import capture_logs

from harness.ledger import Book
from renderline.drafts import project_name
from renderline.gateway import webhooks
from renderline.gateway.webhooks import Receiver, Told
from renderline.ledger import REVOKED
from renderline.webhook_urls import WebhookUrls

KEY = "k" * 32


@pytest.fixture
def book(redis):
    return Book(redis)


@pytest.fixture
def logged(monkeypatch):
    """What the receiver logs; by a logger of its own, since another test may have had the first one configured."""
    monkeypatch.setattr(webhooks, "log", structlog.get_logger())
    with capture_logs() as lines:
        yield lines


def revoked(book):
    """Bring the render to where its first draft was revoked; returns the look that found it gone."""
    book.accept()
    (look,) = book.look(book.started(confirmed=False))
    assert book.ledger.announce_revocation("r1", epoch=look.epoch, project_id="p-r1")
    assert book.find(look, "revoked", project_id="p-r1") == [("r1", "submitting")]


def hint(book, draft):
    return book.operations.hint("r1", progress=100.0, credit=7.0, url="https://v/1.mp4", attempt=1, draft=draft)


def test_a_revoked_draft_that_was_rendered_all_the_same_raises_an_alarm(book, logged):
    revoked(book)
    before = book.redis.hgetall("renderline:render:r1")
    callbacks = WebhookUrls("https://example.com", KEY)
    receiver = Receiver(callbacks, book.operations, kick=lambda _: None, net=60.0)
    signature = callbacks.url("r1", attempt=1, draft=1, seconds=600.0).rpartition("/")[2]
    assert receiver.receive("r1", signature, lambda: Told(progress=100.0, credit=7.0, url="https://v/1.mp4"))
    assert book.redis.hgetall("renderline:render:r1") == before
    assert [one[:3] for one in book.operations.alarms()] == [("r1", 1, 1)]
    (error,) = [line for line in logged if line["log_level"] == "error"]
    assert "revoked" in error["event"]
    assert error["tag"] == "[r1]"


def test_the_alarm_of_a_retry_names_the_tag_that_the_dashboard_shows(book, logged):
    book.accept()
    assert book.ledger.fail("r1", code="", message="no", origin="vendor")
    assert book.operations.retry("r1")
    (look,) = book.look(book.started(confirmed=False))
    assert book.ledger.announce_revocation("r1", epoch=look.epoch, project_id="p-r1")
    assert book.find(look, "revoked", project_id="p-r1")
    callbacks = WebhookUrls("https://example.com", KEY)
    receiver = Receiver(callbacks, book.operations, kick=lambda _: None, net=60.0)
    signature = callbacks.url("r1", attempt=2, draft=1, seconds=600.0).rpartition("/")[2]
    assert receiver.receive("r1", signature, lambda: Told(progress=100.0))
    assert [line["tag"] for line in logged if line["log_level"] == "error"] == [project_name("", "r1", 2, 1).strip()]


def test_the_draft_that_counts_is_heard(book):
    revoked(book)
    assert hint(book, draft=1)[0] == REVOKED
    assert hint(book, draft=2)[0] == "submitting"
    assert book.redis.hget("renderline:render:r1", "hinted_url") == "https://v/1.mp4"
    assert len(book.operations.alarms()) == 1


def test_a_webhook_about_a_draft_that_is_being_revoked_saves_it(book):
    book.accept()
    (look,) = book.look(book.started(confirmed=False))
    assert book.ledger.announce_revocation("r1", epoch=look.epoch, project_id="p-r1")
    assert hint(book, draft=1)[0] == "rendering"
    assert book.find(look, "revoked", project_id="p-r1") == []
    assert (book.state(), book.record()["project_id"]) == ("rendering", "p-r1")
    book.sound()


def test_a_retry_begins_with_the_first_draft_again(book):
    revoked(book)
    assert book.ledger.fail("r1", code="", message="enough", origin="renderline")
    assert book.operations.retry("r1")
    assert book.ledger.drafts(["r1"]) == [1]


def test_a_revoked_draft_forgets_its_project_and_begins_anew(book):
    revoked(book)
    claim = book.claim()
    assert (claim.draft, claim.project_id, claim.stage, claim.intent) == (2, None, "", None)
    book.sound()
