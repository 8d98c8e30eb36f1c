"""A render that is finished, and paid for, whose progress answer does not tell where the video is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from harness.fake_vendor import Answer, FakeVendor, failure, success
from harness.ledger import LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.accounts.clients import AccountClients
from renderline.accounts.token import SharedToken
from renderline.ledger import PumpWake
from renderline.polling.confirmation import Confirmation
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.studio import StudioV3, TokenEndpoint

URL = "https://videos.example.com/1.mp4"
AT_THE_END: dict[str, Any] = {"progress": 100, "state": "exported"}


class PollRounds:
    """Makes the due polls, by default an hour of the ledger's time before the deadline."""

    def __init__(self, driver: LedgerDriver, vendor: FakeVendor, *, deadline: float = 3600.0) -> None:
        self.driver, self.vendor = driver, vendor
        issuer = TokenEndpoint(vendor.url, app_id="a", user_key="k")
        self.v3 = StudioV3(vendor.url, tokens=SharedToken(driver.redis, issuer, account="main"), read_timeout=5.0)
        policy = PollPolicy(first_interval=1.0, min_interval=1.0, max_interval=60.0)
        self.poller = Poller(
            ledger=driver.ledger,
            dispatcher=RecordedDispatcher(),
            durations=Durations(driver.ledger),
            accounts={"main": AccountClients("main", self.v3, None)},
            policy=policy,
            lease=LEASE,
            confirmation=Confirmation(driver.ledger, policy, window=60.0, lease=LEASE),
            patience=60.0,
        )
        driver.accept(deadline=deadline)
        wake = driver.start()
        assert wake
        self.wakes = [wake]

    def poll(self, *, after: float = 0.0) -> dict[str, Any]:
        """Make one round of polls, `after` seconds and the time until the next one is due have passed."""
        self.driver.clock.forward(after)
        wake = self.wakes.pop() if self.wakes else self.driver.ledger.restart_pumps()[0]
        self.driver.clock.forward(wake.delay)
        rest = self.poller.run("main", slot=wake.slot, ticket=wake.ticket)
        if rest:
            self.wakes.append(PumpWake("main", wake.slot, rest.ticket, rest.delay))
        return self.driver.record()

    def close(self) -> None:
        self.poller.close()
        self.v3.close()


@pytest.fixture
def rounds(redis: Redis, vendor: FakeVendor) -> Iterator[Callable[..., PollRounds]]:
    made: list[PollRounds] = []

    def new(**answers: Answer) -> PollRounds:
        usual = {"list": success([]), "project": success({"_id": "p-r1", "state": "exported", "progress": 100})}
        given = {"progress": success(AT_THE_END), **usual, **answers}
        vendor.override = lambda call: given.get(call.name)
        made.append(PollRounds(LedgerDriver(redis), vendor))
        return made[-1]

    yield new
    for one in made:
        one.close()


def test_a_link_that_only_get_project_tells_completes_the_render(rounds: Callable[..., PollRounds]) -> None:
    project = {"_id": "p-r1", "state": "exported", "progress": 100, "download_url": URL}
    record = rounds(project=success(project)).poll()
    assert (record["state"], record["download_url"]) == ("delivered", URL)


def test_a_link_that_only_the_list_tells_completes_the_render(rounds: Callable[..., PollRounds]) -> None:
    rows = [{"id": "p-other", "state": "exported", "download_url": "https://videos.example.com/2.mp4"}]
    one = rounds(list=success([*rows, {"id": "p-r1", "state": "exported", "download_url": URL}]))
    assert one.poll()["state"] == "rendering"
    record = one.poll()
    assert (record["state"], record["download_url"]) == ("delivered", URL)


@pytest.mark.parametrize("word", ["Complete", "completed", "COMPLETE"])
def test_a_word_for_the_end_completes_the_render_without_a_figure(rounds: Callable[..., PollRounds], word: str) -> None:
    record = rounds(progress=success({"state": word, "downloadUrl": URL})).poll()
    assert (record["state"], record["download_url"], record["progress"]) == ("delivered", URL, 100)


def test_the_webhooks_url_is_used_if_there_is_no_other(rounds: Callable[..., PollRounds]) -> None:
    one = rounds(list=failure(503, "503", "away"), project=failure(500, "500", "oops"))
    one.poll()
    one.driver.redis.hset(f"{one.driver.ledger.prefix}render:r1", "reported_url", URL)
    record = one.poll()
    assert (record["state"], record["download_url"]) == ("delivered", URL)


def test_a_finished_render_without_a_link_is_not_failed_before_its_deadline(rounds: Callable[..., PollRounds]) -> None:
    one = rounds()
    for _ in range(4):
        assert one.poll(after=700.0)["state"] == "rendering"
    record = one.poll(after=900.0)
    assert record["state"] == "expired"
    assert record["error"]["code"] == "no_download_url"
    for place in ("progress", "get-project", "list", "webhook"):
        assert place in record["error"]["message"]


def test_the_earlier_video_of_a_project_is_not_taken_for_the_new_one(rounds: Callable[..., PollRounds]) -> None:
    project = {"_id": "p-r1", "state": "exported", "progress": 100, "download_url": URL}
    one = rounds(project=success(project))
    one.driver.redis.hset(
        f"{one.driver.ledger.prefix}render:r1", "baseline", '{"task":null,"credit":true,"url":"' + URL + '"}'
    )
    one.driver.redis.hset(f"{one.driver.ledger.prefix}render:r1", "progress", "60")
    assert one.poll()["state"] == "rendering"


def test_a_failed_renders_url_is_not_searched(rounds: Callable[..., PollRounds], vendor: FakeVendor) -> None:
    assert rounds(progress=success({"progress": 100, "state": "failed"})).poll()["state"] == "failed"
    assert not vendor.calls["list"] + vendor.calls["project"]
