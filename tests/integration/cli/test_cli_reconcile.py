"""`renderline backup`, `restore` and `reconcile`, as docs/backup.md tells an operator to run them."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from harness import ROOT, Valkey
from harness.ledger import accept_render
from renderline.ledger import Doubt, Ledger

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line.strip() for snippet in SNIPPETS for line in snippet.splitlines()]
ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def at_sandbox(run, shared_sandbox):
    shared_sandbox.control("DELETE", "faults")
    shared_sandbox.control("POST", "reset")
    return lambda *arguments: run(*arguments, AISTUDIOS_BASE_URL=shared_sandbox.url)


def test_the_page_is_followed_from_the_snapshot_to_work_that_goes_on(at_sandbox, redis, tmp_path, run, shared_sandbox):
    ledger = Ledger(redis)
    accept_render(ledger, ONE, account="default", meta={"name": "One", "hooks": [], "metadata": {}})
    snapshot = tmp_path / "dump.rdb"
    assert "renderline backup renderline.rdb" in COMMANDS
    assert at_sandbox("backup", str(snapshot)).code == 0
    (server,) = [line for line in COMMANDS if line.startswith("valkey-server")]
    options = server.partition("--save ''")[2].replace("&", "").split()
    with Valkey(tmp_path, *options) as other, Redis.from_url(other.url, decode_responses=True) as restored:
        (later,) = [line for line in COMMANDS if line.startswith("valkey-cli")]
        restored.execute_command(*later.partition("6390 ")[2].split())
        assert restored.hget(f"renderline:render:{ONE}", "state") == "accepted"

        def there(*arguments):
            return run(*arguments, AISTUDIOS_BASE_URL=shared_sandbox.url, REDIS_URL=other.url)

        assert {"renderline restore", "renderline reconcile", "renderline reconcile --apply"} <= set(COMMANDS)
        assert there("restore").code == 0
        found = there("reconcile")
        assert found.code == 1
        assert f"{ONE}  accepted     resubmit" in found.out
        assert "nothing was changed" in found.out
        settled = there("reconcile", "--apply")
        assert settled.code == 0, settled.err
        assert "1 settled, 0 left" in settled.out
        assert Doubt(Ledger(restored)).state() is None
        assert restored.hget(f"renderline:render:{ONE}", "state") == "unconfirmed"


def test_some_are_settled_and_the_doubt_stays_until_all_are(at_sandbox, redis):
    for one in (ONE, TWO):
        accept_render(Ledger(redis), one, account="default")
    at_sandbox("restore")
    first = at_sandbox("reconcile", ONE, "--apply", "--json")
    assert (first.code, first.value["applied"], first.value["left"], first.value["ended"]) == (1, [ONE], 1, False)
    last = at_sandbox("reconcile", "--apply", "--json")
    assert (last.code, last.value["applied"], last.value["left"], last.value["ended"]) == (0, [TWO], 0, True)


def test_a_ledger_that_is_trusted_is_not_reconciled(at_sandbox):
    refused = at_sandbox("reconcile")
    assert refused.code == 2
    assert "renderline restore" in refused.err


def test_a_vendor_that_does_not_answer_leaves_the_ledger_in_doubt(run, redis):
    accept_render(Ledger(redis), ONE, account="default")
    run("restore")
    found = run("reconcile", "--apply", "--json")
    assert found.code == 1
    assert "nothing goes on: an operator restored it" in run("doctor").out
    assert list(found.value["unread"]) == ["default"]
    assert Doubt(Ledger(redis)).state()
