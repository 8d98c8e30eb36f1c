"""What the settings promise reaches the parts that keep it: nothing is built with a default of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from config.settings import load
from harness import USER_KEY
from renderline.signed_urls.webhook_urls import WebhookSubject, WebhookUrls
from tasks.services import Services
from workers.composition.services import compose
from workers.composition.webhooks import webhook_urls

GIVEN = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "AISTUDIOS_APP_ID": "studio.acme",
    "AISTUDIOS_USER_KEY": USER_KEY,
    "AISTUDIOS_V2_SECRET_KEY": "v2-key-0123456789",
    "RENDERLINE_PUBLIC_URL": "https://example.com",
    "RENDERLINE_SECRET_KEY": "9f0c4d3b2a1e8f7d6c5b4a39281706f5",
}


def composed(**given: str) -> Services:
    settings = load({**GIVEN, **given}, role="worker")
    return compose(Celery("test"), settings)


def waits(services: Services) -> set[float]:
    clients = services.submitter.accounts["default"]
    token: Any = clients.token
    assert clients.v3
    assert clients.v2
    return {one._transport._longest_wait for one in (clients.v3, clients.v2, token._issuer)}


def test_evidence_of_an_unseen_export_is_looked_for_over_minutes_by_default() -> None:
    assert composed().poller.confirmation.window >= 180.0
    assert composed(RENDERLINE_EVIDENCE_WINDOW="77").poller.confirmation.window == 77.0


def test_what_cannot_be_settled_is_not_submitted_again_by_default() -> None:
    assert composed().poller.confirmation.resubmit_after is None
    assert composed(RENDERLINE_RESUBMIT_UNCONFIRMED="900").poller.confirmation.resubmit_after == 900.0


def test_no_client_waits_longer_than_the_setting_because_the_vendor_asks() -> None:
    assert waits(composed()) == {300.0}
    assert waits(composed(RENDERLINE_MAX_RETRY_AFTER="7")) == {7.0}


def test_every_client_of_an_account_has_its_guard_in_the_transport() -> None:
    services = composed(RENDERLINE_MAX_REQUESTS_PER_SECOND="3", RENDERLINE_OUTAGE_PROBE="17")
    clients = services.submitter.accounts["default"]
    guard, token = clients.guard, clients.token
    assert guard
    assert guard.rate_limit
    assert guard.rate_limit._window == (3, 1)
    assert guard.breaker._pause == 17.0
    assert token
    calling: tuple[Any, ...] = (clients.v3, clients.v2, token._issuer)
    assert [one._transport._guard for one in calling] == [guard] * 3
    unlimited = composed().submitter.accounts["default"].guard
    assert unlimited
    assert unlimited.rate_limit is None


@pytest.mark.parametrize(("v2_key", "backs_off"), [("", True), ("v2-key-0123456789", False)])
def test_refused_tokens_hold_up_an_account_only_if_all_its_calls_need_one(v2_key: str, backs_off: bool) -> None:
    token = composed(AISTUDIOS_V2_SECRET_KEY=v2_key).submitter.accounts["default"].token
    assert token
    assert (token._back_off is not None) == backs_off


def test_hooks_are_tried_for_three_days_by_default() -> None:
    assert composed().deliverer.retries.retry_for == 3 * 86_400.0  # type: ignore[attr-defined]


def test_nothing_at_the_vendor_is_deleted_because_it_is_stored_unless_that_is_wanted() -> None:
    off, on = composed(), composed(RENDERLINE_DELETE_STORED_PROJECTS="true")
    assert (off.deliverer.delete_stored, on.deliverer.delete_stored) == (False, True)
    assert [len(one.cleanup.tasks) for one in (off, on)] == [3, 4]


@pytest.mark.parametrize("wanted", [{}, {"RENDERLINE_WAIT_FOR_DISK": "never"}], ids=["by default", "never"])
def test_a_paid_call_waits_for_the_disk_by_default(wanted: dict[str, str]) -> None:
    disk = composed(**wanted).submitter.wait_for_disk.__self__  # type: ignore[attr-defined]
    assert disk._mode == wanted.get("RENDERLINE_WAIT_FOR_DISK", "auto")


@pytest.mark.parametrize("draft", [1, 2])
def test_the_vendor_is_given_an_url_that_tells_which_draft_it_calls_about(draft: int) -> None:
    settings = load(GIVEN, role="worker")
    claim: Any = SimpleNamespace(id="5f0c" * 8, attempt=3, draft=draft, deadline=600.0)
    url = composed().submitter.webhook_url(claim)
    assert url
    urls = webhook_urls(settings)
    assert isinstance(urls, WebhookUrls)
    assert urls.verify(claim.id, url.rpartition("/")[2]) == WebhookSubject(3, draft)
