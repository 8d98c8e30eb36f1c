"""Quotas: how many renders a tenant may have in flight, and have accepted in 24 hours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from harness.ledger import LedgerDriver
from renderline.ledger import Entry, Ledger, Quota, QuotaExceeded

DAY = 86_400.0


def entry(driver: LedgerDriver, one: str, quota: Quota, *, tenant: str = "acme") -> Entry:
    return replace(driver.entry(one, tenant=tenant), quota=quota)


def accept(driver: LedgerDriver, *names: str, quota: Quota, tenant: str = "acme") -> None:
    for one in names:
        driver.ledger.accept(entry(driver, one, quota, tenant=tenant))


@pytest.mark.parametrize("tenant", ["acme", "default"])
def test_a_render_beyond_those_in_flight_is_refused_until_one_ends(driver: LedgerDriver, tenant: str) -> None:
    other = "default" if tenant == "acme" else "acme"
    accept(driver, "o1", "o2", quota=Quota(), tenant=other)
    quota = Quota(in_flight=2)
    accept(driver, "r1", "r2", quota=quota, tenant=tenant)
    with pytest.raises(QuotaExceeded, match=rf"max_in_flight of tenant {tenant}: at most 2 .*, 2 are used") as caught:
        accept(driver, "r3", quota=quota, tenant=tenant)
    assert caught.value.retry_after
    assert driver.ledger.record("r3") is None
    driver.start("r1")
    driver.operations.cancel("r1")
    accept(driver, "r3", quota=quota, tenant=tenant)
    with pytest.raises(QuotaExceeded):
        accept(driver, "r4", quota=quota, tenant=tenant)


@pytest.mark.parametrize("tenant", ["acme", "default"])
def test_renders_count_for_a_day(driver: LedgerDriver, tenant: str) -> None:
    quota = Quota(per_day=3)
    accept(driver, "r1", quota=quota, tenant=tenant)
    driver.clock.forward(6 * 3600)
    accept(driver, "r2", "r3", quota=quota, tenant=tenant)
    driver.operations.cancel("r1")
    with pytest.raises(QuotaExceeded, match=r"at most 3 .*, 3 are used; .* in 18 h") as caught:
        accept(driver, "r4", quota=quota, tenant=tenant)
    wait = caught.value.retry_after
    assert wait
    assert DAY - 6 * 3600 <= wait <= DAY - 6 * 3600 + 600
    driver.clock.forward(wait - 1)
    with pytest.raises(QuotaExceeded):
        accept(driver, "r4", quota=quota, tenant=tenant)
    driver.clock.forward(2)
    accept(driver, "r4", quota=quota, tenant=tenant)
    with pytest.raises(QuotaExceeded, match=r"in 6 h|in 5 h 5. min"):
        accept(driver, "r5", quota=quota, tenant=tenant)


def test_a_repetition_counts_once_and_is_never_refused(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=2, per_day=2)
    for _ in range(3):
        accept(driver, "r1", quota=quota)
    accept(driver, "r2", quota=quota)
    accept(driver, "r1", "r2", quota=quota)
    with pytest.raises(QuotaExceeded):
        accept(driver, "r3", quota=quota)


def test_of_a_batch_what_fits_is_accepted(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=3)
    accept(driver, "r0", quota=quota)
    entries = [entry(driver, one, quota) for one in ("r0", "r1", "r2", "r3", "r4")]
    results = driver.ledger.accept_all(entries, together=False)
    assert [one.status for one in results] == ["known", "new", "new", "quota", "quota"]
    assert isinstance(results[3].over, QuotaExceeded)


@pytest.mark.parametrize("quota", [Quota(in_flight=4), Quota(per_day=4)])
def test_a_batch_that_belongs_together_is_accepted_whole_or_not_at_all(driver: LedgerDriver, quota: Quota) -> None:
    accept(driver, "r0", "r1", quota=quota)
    entries = [entry(driver, one, quota) for one in ("r0", "r2", "r3", "r4", "r4")]
    with pytest.raises(QuotaExceeded, match=r"at most 4 .*, 2 are used; there is room for 3 more"):
        driver.ledger.accept_all(entries, together=True)
    assert [one for one in ("r2", "r3", "r4") if driver.ledger.record(one)] == []
    results = driver.ledger.accept_all(entries[:3], together=True)
    assert [one.status for one in results] == ["known", "new", "new"]
    with pytest.raises(QuotaExceeded, match="can never be accepted at once"):
        driver.ledger.accept_all([entry(driver, f"x{n}", quota) for n in range(5)], together=True)


def test_tenants_of_one_batch_have_their_own_quotas(driver: LedgerDriver) -> None:
    mine = [entry(driver, one, Quota(in_flight=2)) for one in ("a1", "a2")]
    theirs = [entry(driver, one, Quota(in_flight=1), tenant="other") for one in ("b1", "b2")]
    with pytest.raises(QuotaExceeded, match="tenant other"):
        driver.ledger.accept_all([*mine, *theirs], together=True)
    assert driver.ledger.records(["a1", "a2", "b1", "b2"]) == [None] * 4
    assert len(driver.ledger.accept_all([*mine, theirs[0]], together=True)) == 3


def test_a_retry_counts(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=1, per_day=2)
    accept(driver, "r1", quota=quota)
    assert driver.ledger.fail("r1", code="X", message="no", origin="vendor")
    accept(driver, "r2", quota=quota)
    with pytest.raises(QuotaExceeded, match="max_in_flight of tenant acme"):
        driver.operations.retry("r1", quota_of=lambda _: quota)
    assert driver.state("r1") == "failed"
    driver.operations.cancel("r2")
    with pytest.raises(QuotaExceeded, match="max_per_day of tenant acme"):
        driver.operations.retry("r1", quota_of=lambda _: quota)
    driver.clock.forward(DAY + 700)
    assert driver.operations.retry("r1", quota_of=lambda _: quota) == "due"
    with pytest.raises(QuotaExceeded):
        accept(driver, "r3", quota=quota)


def test_of_many_at_once_as_many_are_accepted_as_fit(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=10, per_day=1000)
    ledgers = [Ledger(driver.redis, clock=driver.clock) for _ in range(8)]

    def flood(number: int) -> int:
        results = []
        for turn in range(5):
            one = entry(driver, f"r{number}.{turn}", quota)
            results += ledgers[number].accept_all([one], together=False)
        return sum(one.status == "new" for one in results)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(flood, range(8))) == 10


def test_what_an_older_version_left_behind_does_not_count_for_ever(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=2)
    accept(driver, "r1", quota=quota)
    driver.redis.zadd("renderline:state:rendering@acme", {"gone": 1.0, "r1": 1.0})
    accept(driver, "r2", quota=quota)
    with pytest.raises(QuotaExceeded):
        accept(driver, "r3", quota=quota)


def test_without_quotas_and_tenants_nothing_is_kept(driver: LedgerDriver) -> None:
    accept(driver, "r1", quota=Quota(), tenant="default")
    assert not [key for key in driver.redis.scan_iter("*") if "@" in key or "accepted_in_a_day" in key]
