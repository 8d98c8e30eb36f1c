"""A webhook about a draft that was revoked: the render does not change, and an alarm is raised."""

import pytest
import structlog
from structlog.testing import capture_logs

from harness.recorded_dispatcher import RecordedDispatcher
from renderline.drafts import project_name
from renderline.gateway import webhooks
from renderline.gateway.webhook_payload import WebhookPayload
from renderline.gateway.webhooks import WebhookHandler
from renderline.ledger import REVOKED
from renderline.signed_urls.webhook_urls import WebhookUrls

KEY = "k" * 32


@pytest.fixture
def logged(monkeypatch):
    """The log of the handler; by a logger of its own, since another test may have configured the first one."""
    monkeypatch.setattr(webhooks, "log", structlog.get_logger())
    with capture_logs() as lines:
        yield lines


def revoked(driver):
    """Bring the render to where its first draft was revoked; returns nothing."""
    driver.accept()
    (due,) = driver.claim_due_polls(driver.start(confirmed=False))
    assert driver.ledger.begin_revocation("r1", epoch=due.epoch, project_id="p-r1")
    assert driver.record_result(due, "revoked", project_id="p-r1") == [("r1", "submitting")]


def receive(driver, payload, *, attempt=1):
    """Have the gateway handle a webhook about the first draft of an attempt."""
    urls = WebhookUrls("https://example.com", KEY)
    handler = WebhookHandler(urls, driver.operations, RecordedDispatcher(), 60.0)
    signature = urls.url("r1", attempt=attempt, seconds=600.0).rpartition("/")[2]
    return handler.handle("r1", signature, lambda: payload)


def webhook(driver, draft):
    return driver.operations.record_webhook(
        "r1", progress=100.0, credit=7.0, url="https://v/1.mp4", attempt=1, draft=draft
    )


def test_a_revoked_draft_that_was_rendered_all_the_same_raises_an_alarm(driver, logged):
    revoked(driver)
    before = driver.redis.hgetall("renderline:render:r1")
    assert receive(driver, WebhookPayload(progress=100.0, credit=7.0, url="https://v/1.mp4"))
    assert driver.redis.hgetall("renderline:render:r1") == before
    assert [one[:3] for one in driver.operations.alarms()] == [("r1", 1, 1)]
    (error,) = [line for line in logged if line["log_level"] == "error"]
    assert "revoked" in error["event"]
    assert error["tag"] == "[r1]"


def test_the_alarm_of_a_retry_names_the_tag_that_the_dashboard_shows(driver, logged):
    driver.accept()
    assert driver.ledger.fail("r1", code="", message="no", origin="vendor")
    assert driver.operations.retry("r1")
    (due,) = driver.claim_due_polls(driver.start(confirmed=False))
    assert driver.ledger.begin_revocation("r1", epoch=due.epoch, project_id="p-r1")
    assert driver.record_result(due, "revoked", project_id="p-r1")
    assert receive(driver, WebhookPayload(progress=100.0), attempt=2)
    assert [line["tag"] for line in logged if line["log_level"] == "error"] == [project_name("", "r1", 2, 1).strip()]


def test_the_present_draft_counts(driver):
    revoked(driver)
    assert webhook(driver, draft=1)[0] == REVOKED
    assert webhook(driver, draft=2)[0] == "submitting"
    assert driver.redis.hget("renderline:render:r1", "reported_url") == "https://v/1.mp4"
    assert len(driver.operations.alarms()) == 1


def test_a_webhook_about_a_draft_that_is_being_revoked_saves_it(driver):
    driver.accept()
    (due,) = driver.claim_due_polls(driver.start(confirmed=False))
    assert driver.ledger.begin_revocation("r1", epoch=due.epoch, project_id="p-r1")
    assert webhook(driver, draft=1)[0] == "rendering"
    assert driver.record_result(due, "revoked", project_id="p-r1") == []
    assert (driver.state(), driver.record()["project_id"]) == ("rendering", "p-r1")
    driver.check_indexes()


def test_a_retry_begins_with_the_first_draft_again(driver):
    revoked(driver)
    assert driver.ledger.fail("r1", code="", message="enough", origin="renderline")
    assert driver.operations.retry("r1")
    assert driver.ledger.drafts(["r1"]) == [1]


def test_a_revoked_draft_forgets_its_project_and_begins_anew(driver):
    revoked(driver)
    claim = driver.claim()
    assert (claim.draft, claim.project_id, claim.stage, claim.intent) == (2, None, "", None)
    driver.check_indexes()
