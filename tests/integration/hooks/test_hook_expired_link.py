"""The vendor's download links are good for a while only; a new one is to be had by asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness.fake_vendor import Answer, Call, FakeVendor, failure, success
from harness.ledger import accept_render
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.accounts.clients import AccountClients
from renderline.accounts.token import SharedToken
from renderline.hooks import DownloadHook, HookFailed
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done
from renderline.ledger import Commands, Ledger, PollResult
from renderline.polling.download_url import DownloadUrlRefresh, NoDownloadUrl
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.studio import StudioV3, TokenEndpoint

PAGE = Answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>please log in</html>")


class LinkVendor:
    """A vendor whose links carry a number; only the one with `good` gives the video, another gets `refusal`."""

    def __init__(self, vendor: FakeVendor) -> None:
        self.vendor, self.good, self.shown, self.refusal = vendor, 1, 1, Answer(403, {}, b"expired")
        vendor.override = self.override

    def link(self, number: int) -> str:
        return f"{self.vendor.url}/files/video-{number}.mp4"

    def override(self, call: Call) -> Answer | None:
        if call.name == "file" and call.key != f"video-{self.good}":
            return self.refusal
        if call.name == "progress":
            return success({"progress": 100, "state": "exported", "downloadUrl": self.link(self.shown)})
        return None


@pytest.fixture
def links() -> Iterator[LinkVendor]:
    with FakeVendor() as vendor:
        yield LinkVendor(vendor)


@pytest.fixture
def ledger(redis: Redis, links: LinkVendor) -> Ledger:
    """A ledger with one completed render that owes a download; its link is number 1."""
    ledger = Ledger(redis, grace=30.0)
    meta = {"name": "Hello", "hooks": [{"type": "download"}], "metadata": {}}
    accept_render(ledger, "r1", meta=meta)
    claim = ledger.claim_submission("r1", lease=30.0)
    assert claim
    assert ledger.record_intent(claim, "export", lease=30.0)
    _, wake = ledger.start(claim, confirmed=True, project_id="p1", poll_in=0.0)
    assert wake
    batch = ledger.claim_due_polls("main", slot=wake.slot, ticket=wake.ticket, limit=1, lease=30.0)
    assert batch
    (due_poll,) = batch.polls
    ledger.record_poll_results([PollResult(due_poll.id, due_poll.epoch, "done", progress=100.0, url=links.link(1))])
    return ledger


@pytest.fixture
def deliverer(redis: Redis, ledger: Ledger, links: LinkVendor, tmp_path: Path) -> Iterator[Deliverer]:
    issuer = TokenEndpoint(links.vendor.url, app_id="a", user_key="k")
    v3 = StudioV3(links.vendor.url, tokens=SharedToken(redis, issuer, account="main"), read_timeout=5.0)
    fresh = DownloadUrlRefresh(ledger, {"main": AccountClients("main", v3, None)})

    def ask(record: Any) -> str | None:
        try:
            return fresh(record)
        except NoDownloadUrl as error:
            raise HookFailed(str(error)) from None

    hook = DownloadHook(f"file://{tmp_path}/videos", fresh_link=ask)
    yield Deliverer(
        ledger=ledger,
        dispatcher=RecordedDispatcher(),
        kinds={"download": hook},
        retries=HookRetryPolicy(attempts=2),
        lease=30.0,
    )
    v3.close()


def record_of(ledger: Ledger) -> dict[str, Any]:
    record = ledger.record("r1")
    assert record
    return record


@pytest.mark.parametrize(
    "refusal", [*(Answer(status, {}, b"") for status in (401, 403, 404, 410)), PAGE], ids=lambda one: str(one.status)
)
def test_an_expired_link_is_replaced_and_the_video_stored_at_once(
    links: LinkVendor, ledger: Ledger, deliverer: Deliverer, tmp_path: Path, refusal: Answer
) -> None:
    links.good = links.shown = 2
    links.refusal = refusal
    assert isinstance(deliverer.deliver("r1", 0), Done)
    record = record_of(ledger)
    assert (record["state"], record["download_url"]) == ("delivered", links.link(2))
    assert (tmp_path / "videos" / "r1.mp4").read_bytes() == b"video of video-2"
    assert links.vendor.calls["progress"] == 1


def test_an_unchanged_link_is_a_failed_delivery_with_a_reason(
    links: LinkVendor, ledger: Ledger, deliverer: Deliverer
) -> None:
    links.good = 2
    assert isinstance(deliverer.deliver("r1", 0), RetryIn)
    assert "same link" in record_of(ledger)["hooks"][0]["error"]
    assert links.vendor.calls["file"] == 1


def test_a_link_that_only_the_project_tells_is_found(links: LinkVendor, ledger: Ledger, deliverer: Deliverer) -> None:
    links.good = 2
    usual = links.override
    project = {"_id": "p1", "state": "exported", "progress": 100, "download_url": links.link(2)}
    links.vendor.override = lambda call: (
        {
            "progress": success({"progress": 100, "state": "exported"}),
            "project": success(project),
        }.get(call.name)
        or usual(call)
    )
    assert isinstance(deliverer.deliver("r1", 0), Done)
    assert record_of(ledger)["download_url"] == links.link(2)


def test_a_replayed_download_asks_for_a_fresh_link(links: LinkVendor, ledger: Ledger, deliverer: Deliverer) -> None:
    links.good = 2
    links.vendor.override = lambda call: (
        failure(503, "503", "away") if call.name == "progress" else links.override(call)
    )
    for _ in range(2):
        ledger.redis.hdel(f"{ledger.prefix}render:r1", "h0:until")
        deliverer.deliver("r1", 0)
    assert record_of(ledger)["state"] == "undelivered"
    links.vendor.override, links.shown = links.override, 2
    assert Commands(ledger).replay("r1", 0)
    assert isinstance(deliverer.deliver("r1", 0), Done)
    assert record_of(ledger)["state"] == "delivered"


def test_a_later_attempts_link_is_not_overwritten(links: LinkVendor, ledger: Ledger) -> None:
    assert not ledger.update_download_url("r1", attempt=2, url="https://example.com/other.mp4")
    assert record_of(ledger)["download_url"] == links.link(1)
