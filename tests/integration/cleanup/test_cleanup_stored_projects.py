"""The vendor's copy of a stored video is deleted where that is wanted, and nothing else ever is."""

import pytest

from harness.fixed_token import FixedToken
from harness.ledger import LEASE
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.accounts.clients import AccountClients
from renderline.cleanup.runner import CleanupRunner
from renderline.cleanup.stored_projects import StoredProjectCleanup
from renderline.hooks.delivery import Deliverer
from renderline.retry import HookRetryPolicy
from renderline.studio import StudioV3

ONE = "0" * 31 + "1"


class Storing:
    """A hook that stores the video, or does not."""

    type = "http"

    def __init__(self, stored_url):
        self.stored_url = stored_url

    def wants(self, event, spec):
        return True

    def deliver(self, spec, delivery):
        return {"stored_url": self.stored_url}


@pytest.fixture
def play(driver, vendor):
    """Have a render delivered, of which the vendor holds a project; returns the cleanup and the project."""
    clients = AccountClients("main", StudioV3(vendor.url, tokens=FixedToken()), None)

    def play(*, stored_url="file:///1.mp4", delete_stored=True, name=f"Welcome [{ONE}]", hooks=1):
        project_id = clients.use_v3().create_project({"name": name}, export=True)
        driver.accept(ONE, hooks=hooks)
        wake = driver.start(ONE)
        driver.redis.hset(f"renderline:render:{ONE}", "project_id", project_id)
        (due_poll,) = driver.claim_due_polls(wake)
        driver.record_result(due_poll, "done", url="https://v/1.mp4")
        retries = HookRetryPolicy(attempts=1)
        kinds = {"http": Storing(stored_url)}
        deliverer = Deliverer(driver.ledger, RecordedDispatcher(), kinds, retries, LEASE, delete_stored=delete_stored)
        deliverer.deliver(ONE, 0)
        return CleanupRunner(
            driver.ledger, {"main": clients}, [StoredProjectCleanup(driver.ledger, 120.0)]
        ), vendor.projects[project_id]

    return play


def test_a_stored_project_is_deleted(driver, play):
    cleanup, project = play()
    assert driver.state(ONE) == "delivered"
    assert driver.redis.zrange("renderline:stored_projects:main", 0, -1) == [ONE]
    cleanup.run("main")
    assert project.deleted
    assert not driver.redis.exists("renderline:stored_projects:main")


@pytest.mark.parametrize(
    "how",
    [{"delete_stored": False}, {"stored_url": ""}, {"name": "somebody's own"}, {"hooks": 2}],
    ids=["not wanted", "not stored", "not ours", "hooks owed"],
)
def test_any_other_project_is_not_deleted(play, vendor, how):
    cleanup, project = play(**how)
    cleanup.run("main")
    assert not project.deleted
    assert vendor.calls["delete"] == 0


def test_without_a_record_nothing_is_deleted(driver, play, vendor):
    cleanup, project = play()
    driver.redis.hdel(f"renderline:render:{ONE}", "stored_url")
    cleanup.run("main")
    assert not project.deleted
    assert vendor.calls["delete"] == 0


def test_a_deletion_that_fails_is_tried_again(driver, play, vendor):
    cleanup, project = play()
    vendor.override = lambda call: call.answer()._replace(status=500) if call.name == "project" else None
    cleanup.run("main")
    vendor.override = lambda _: None
    cleanup.run("main")
    assert not project.deleted, "not before the lease has ended"
    driver.clock.forward(121.0)
    cleanup.run("main")
    assert project.deleted
