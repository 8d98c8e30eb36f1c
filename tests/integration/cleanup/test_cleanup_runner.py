"""CleanupRunner: vendor calls that no render waits for. A vendor that hangs delays nobody but its own account."""

import threading
import time

import pytest

from harness import until
from harness.fake_vendor import FakeVendor
from harness.fixed_token import FixedToken
from harness.ledger import LEASE
from renderline.accounts.clients import AccountClients
from renderline.capabilities import WorkerCapabilities
from renderline.catalogue import CatalogueStore, Refresher
from renderline.catalogue.runner import CatalogueRunner
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.cleanup.runner import CleanupRunner
from renderline.hooks.delivery import Deliverer
from renderline.ledger import AccountLimits, Ledger
from renderline.retry import HookRetryPolicy
from renderline.studio import StudioV3
from renderline.sweeper import Sweeper
from workers.housekeeping import Housekeeper

ONE = "0" * 31 + "1"
PATIENT = {"read_timeout": 300.0, "total_timeout": 300.0}
"""No call gives up before what waits for it has been found to."""


class Hanging:
    """Bends a vendor so that the calls of one name hang until `released`."""

    def __init__(self, name):
        self.name, self.entered, self.released, self.ended = name, *(threading.Event() for _ in range(3))

    @property
    def hangs(self):
        """Whether a call is still without its answer: who waits for it has not gone on."""
        return self.entered.is_set() and not self.ended.is_set()

    def __call__(self, call):
        if call.name == self.name:
            self.entered.set()
            released = self.released.wait(60)
            self.ended.set()
            assert released


@pytest.fixture
def new_vendor():
    made = []

    def new():
        made.append(FakeVendor().__enter__())
        return made[-1]

    yield new
    for one in made:
        if isinstance(one.override, Hanging):
            one.override.released.set()
        one.__exit__()


@pytest.fixture
def cleanup(redis):
    """The cleanup of an account for each vendor, named a, b, ..."""

    def new(*vendors, ledger=None):
        ledger = ledger or Ledger(redis)
        accounts = {
            name: AccountClients(name, StudioV3(vendor.url, tokens=FixedToken(), **PATIENT), None)
            for name, vendor in zip("abc", vendors, strict=False)
        }
        return CleanupRunner(ledger, accounts, [OrphanSweep(ledger, lease=120.0)])

    return new


def mark_orphan(redis, account, *names):
    redis.zadd(f"renderline:orphan_drafts:{account}", {f"{one}.1#1": 1 for one in names or (ONE,)})


def orphan(vendor, one=ONE):
    """Have the vendor hold a draft of a render that no record knows."""
    return StudioV3(vendor.url, tokens=FixedToken()).create_project({"name": f"Lost [{one}]"}, export=False)


def test_a_hanging_vendor_keeps_no_other_account_from_its_cleanup(redis, new_vendor, cleanup):
    hanging, other = new_vendor(), new_vendor()
    hanging.override = Hanging("list")
    lost = orphan(other)
    mark_orphan(redis, "a")
    mark_orphan(redis, "b")
    running = cleanup(hanging, other)
    running.start()
    assert hanging.override.entered.wait(60)
    until(lambda: other.projects[lost].deleted, what="the other account's orphan to be deleted")
    until(lambda: not redis.exists("renderline:orphan_drafts:b"))
    assert hanging.override.hangs
    running.start()
    assert hanging.calls["list"] == 1, "asked again while the first call hangs"


def test_a_hanging_vendor_delays_neither_the_sweep_nor_the_claims_of_hooks(driver, redis, new_vendor, cleanup):
    vendor = new_vendor()
    vendor.override = Hanging("list")
    mark_orphan(redis, "a")
    services = Services(driver, cleanup(vendor))
    driver.complete("held")
    claim = driver.ledger.claim_hook("held", 0, lease=LEASE)
    services.deliverer.renewal._running[("held", 0)] = claim
    housekeeper = Housekeeper(services, sweep_every=0.05, lease=0.3)
    housekeeper.start()
    try:
        assert vendor.override.entered.wait(60)
        driver.accept("lost")
        driver.clock.forward(1000.0)
        until(lambda: "lost" in services.sent.submitted, what="a lost message to be sent again")
        renewed = f"{driver.clock.now + LEASE:.3f}"
        until(lambda: redis.hget("renderline:render:held", "h0:until") == renewed, what="the claim to be renewed")
        assert vendor.override.hangs
    finally:
        housekeeper.stop()
        housekeeper._renewals.stop()


class Sent:
    """Keeps what is to be sent."""

    def __init__(self):
        self.submitted = []

    def oldest(self):
        return {}

    def submit_all(self, renders):
        self.submitted += [one for one, _ in renders]

    def hooks_all(self, ids):
        pass

    def poll(self, wake):
        pass

    def unpark(self):
        pass


class Services:
    """What a housekeeper needs."""

    def __init__(self, driver, cleanup):
        self.ledger = driver.ledger
        self.dispatcher = self.sent = Sent()
        self.cleanup = cleanup
        self.old_uploads = None
        self.forgotten_files = None
        self.catalogue = CatalogueRunner(Refresher(CatalogueStore(driver.ledger.redis, clock=time.time), {}))
        self.capabilities = WorkerCapabilities(driver.ledger, (), ())
        self.deliverer = Deliverer(driver.ledger, self.sent, {}, HookRetryPolicy(attempts=3), LEASE)
        self.sweeper = Sweeper(driver.ledger, driver.limits, self.sent, every=0.05, retention=1e9)


def test_an_outage_is_not_probed_by_cleanup(driver, redis, new_vendor, cleanup):
    vendor = new_vendor()
    mark_orphan(redis, "a")
    failing = cleanup(vendor, ledger=driver.ledger)
    driver.limits.call_failed("a", failures=1, pause=10.0)
    failing.run("a")
    driver.clock.forward(11.0)
    failing.run("a")
    assert vendor.calls["list"] == 0
    driver.limits.call_answered("a")
    failing.run("a")
    assert vendor.calls["list"] == 1


def test_cleanup_of_a_worker_that_died_is_done_by_another(driver, redis, new_vendor, cleanup):
    vendor = new_vendor()
    lost = orphan(vendor)
    mark_orphan(redis, "a")
    assert driver.ledger.claim_orphan_drafts("a", limit=9, lease=120.0) == [(ONE, 1, f"{ONE}.1#1")]
    other = cleanup(vendor, ledger=driver.ledger)
    other.run("a")
    assert not vendor.projects[lost].deleted, "two at once"
    driver.clock.forward(121.0)
    other.run("a")
    assert vendor.projects[lost].deleted
    assert not redis.exists("renderline:orphan_drafts:a")


def test_failed_cleanup_is_retried_later(redis, new_vendor, cleanup):
    vendor = new_vendor()
    mark_orphan(redis, "a")
    AccountLimits(Ledger(redis)).slow_down("a", seconds=0.0)
    vendor.override = lambda call: call.answer()._replace(status=500) if call.name == "list" else None
    cleanup(vendor).run("a")
    assert vendor.calls["list"] == 1
    (score,) = [score for _, score in redis.zrange("renderline:orphan_drafts:a", 0, -1, withscores=True)]
    assert score > redis.time()[0] + 60


def test_more_marked_renders_than_a_batch_are_all_searched(redis, new_vendor, cleanup):
    vendor = new_vendor()
    mark_orphan(redis, "a", *(f"{number:032x}" for number in range(450)))
    cleanup(vendor).run("a")
    assert not redis.exists("renderline:orphan_drafts:a")
    assert vendor.calls["list"] == 3
