"""The table in docs/ledger.md names every key that there is in Redis, with its type."""

import inspect
import re

import pytest

from harness import ROOT
from harness.ledger import GRACE, LEASE
from renderline.ledger.clock import note_skew
from renderline.ledger.keys import SCRIPT_KEYS, Keys

PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (\w+) \|", PAGE, flags=re.MULTILINE)
TYPES = {
    re.compile("renderline:" + re.sub(r"<[^>]*>", ".+", re.escape(name.replace("\\|", "|")).replace("\\<", "<"))): kind
    for name, kind in ROWS
}


def type_of(key):
    """Return the type that the table gives a key; the longest row that fits counts."""
    fitting = [(len(pattern.pattern), kind) for pattern, kind in TYPES.items() if pattern.fullmatch(key)]
    return max(fitting)[1] if fitting else None


def live(driver):
    """Take renders through submission, polls, webhooks, hooks, dead letters, retries and the limits of accounts."""
    driver.limits.set_slots({"main": 20})
    driver.ledger.announce_capabilities(["account:main"])
    driver.complete("delivered")
    claim = driver.ledger.claim_hook("delivered", 0, lease=LEASE)
    driver.ledger.record_hook("delivered", 0, claim, outcome="delivered", fields={"stored_url": "s3://1"}, dispose=True)
    driver.complete("dead")
    claim = driver.ledger.claim_hook("dead", 0, lease=LEASE)
    driver.ledger.record_hook("dead", 0, claim, outcome="dead", error="410")
    driver.complete("waiting")
    driver.ledger.defer_hook("waiting", 0, driver.ledger.claim_hook("waiting", 0, lease=LEASE), host="example.com")
    driver.accept("theirs", tenant="acme")
    driver.accept("retried")
    driver.ledger.fail("retried", code="X", message="no", origin="vendor")
    driver.operations.retry("retried")
    driver.accept("rendering")
    driver.start("rendering")
    driver.operations.record_webhook("rendering", progress=10.0, poll_in=5.0, alive_for=60.0)
    driver.accept("lost")
    driver.start("lost", confirmed=False)
    driver.operations.cancel("lost")
    driver.limits.slow_down("main", seconds=30.0)
    driver.limits.call_failed("other", failures=1, pause=5.0)
    driver.limits.hold("other", reason="no credit", seconds=60.0)
    driver.operations.pause("other")
    driver.accept("parked", account="other")
    driver.ledger.claim_submission("parked", lease=LEASE)
    driver.ledger.quarantine("gone", "main", reason="lost a field")
    driver.ledger.sweep_turn("me", seconds=10.0, every=10.0)
    driver.clock.forward(GRACE)
    driver.ledger.stalled()
    note_skew(driver.redis, "worker@late", -75.0, prefix="renderline:", seconds=60.0)


def test_every_key_is_in_the_table(driver):
    live(driver)
    found = {key: driver.redis.type(key) for key in driver.redis.scan_iter("*")}
    assert {key: type_of(key) for key in found} == found
    assert len({key.split(":")[1] for key in found}) > 30, "nearly all of them are there"


@pytest.mark.parametrize("name", [name for name, value in vars(Keys()).items() if name != "prefix"])
def test_the_keys_of_python_are_in_the_table(name):
    assert type_of(getattr(Keys(), name))


@pytest.mark.parametrize("name", [name for name, _ in inspect.getmembers(Keys, inspect.isfunction) if name[0] != "_"])
def test_the_families_of_python_are_in_the_table(name):
    build = getattr(Keys(), name)
    assert type_of(build(*("x" for _ in inspect.signature(build).parameters)))


@pytest.mark.parametrize("name", SCRIPT_KEYS.values())
def test_the_keys_of_the_scripts_are_in_the_table(name):
    assert any(type_of(f"renderline:{name}{rest}") for rest in ("", "x", "x:x", "x|x"))


@pytest.mark.parametrize("name", sorted(SCRIPT_KEYS.keys() & dict(inspect.getmembers(Keys()))))
def test_python_and_the_scripts_use_the_same_keys(name):
    key = getattr(Keys(), name)
    built = key(*("" for _ in inspect.signature(key).parameters)) if callable(key) else key
    assert built.rstrip(":") == f"renderline:{SCRIPT_KEYS[name]}".rstrip(":")
