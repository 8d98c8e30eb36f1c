"""Renders that are retried take their account's turn, as new ones do."""

import json

from redis import Redis

from renderline.ledger import Ledger
from tests.integration.cli.test_cli_submit import compact

SHARE = 8
"""How many messages of one account are queued at a time."""


def failed(run, ledger: Ledger, count: int) -> list[str]:
    ids = [one["id"] for one in run("submit", "-", "--json", given=json.dumps([compact()] * count)).value]
    for one in ids:
        assert ledger.fail(one, code="1", message="no", origin="vendor")
    ledger.redis.delete(*ledger.redis.scan_iter("submit*"))
    return ids


def queued(redis: Redis) -> int:
    return sum(redis.llen(key) for key in redis.scan_iter("submit*"))


def test_a_thousand_retries_do_not_stand_before_another_accounts_render(run, redis: Redis) -> None:
    ledger = Ledger(redis)
    ids = failed(run, ledger, 20)
    steps = run("retry", *ids, "--json").value
    assert all(step["done"] for step in steps)
    assert queued(redis) == SHARE
    assert {ledger.record(one)["state"] for one in ids} == {"accepted"}
    begun = []

    def follow(renders):
        begun.extend(one for one, _ in renders)

    for one in ids[:SHARE]:
        assert ledger.claim_submission(one, lease=20.0, following=follow)
    assert len(begun) == SHARE
    assert set(begun) <= set(ids[SHARE:]), "each that begins lets the next one follow"


def test_a_thousand_resubmissions_do_not_either(run, redis: Redis) -> None:
    ledger = Ledger(redis)
    ids = [one["id"] for one in run("submit", "-", "--json", given=json.dumps([compact()] * 20)).value]
    for one in ids:
        claim = ledger.claim_submission(one, lease=20.0)
        assert claim
        assert ledger.start(claim, confirmed=False, project_id="p-" + one, poll_in=60.0)[0]
    redis.delete(*redis.scan_iter("submit*"))
    assert all(run("resubmit", one, "--json").code == 0 for one in ids)
    assert queued(redis) == SHARE
    assert {ledger.record(one)["state"] for one in ids} == {"submitting"}


def test_a_retry_beyond_the_quota_is_refused_with_the_reason(run, redis: Redis, tmp_path) -> None:
    ids = failed(run, Ledger(redis), 2)
    file = tmp_path / "tenants.toml"
    file.write_text('[[tenant]]\nname = "default"\nmax_in_flight = 1\n')
    file.chmod(0o600)
    answer = run("retry", *ids, "--json", RENDERLINE_TENANTS=str(file))
    assert [step["done"] for step in answer.value] == [True, False]
    assert "max_in_flight of tenant default: at most 1" in json.dumps(answer.value[1])
    refused = run("submit", "-", given=json.dumps(compact()), RENDERLINE_TENANTS=str(file))
    assert refused.code == 2
    assert "max_in_flight of tenant default: at most 1" in refused.err
