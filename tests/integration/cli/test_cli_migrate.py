"""Commands, workers and the gateway stop at a ledger of another schema, and `renderline migrate` brings it on."""

import pytest

from config.settings import load
from workers.gateway import create
from workers.startup import _redis_problem


@pytest.fixture
def old(redis):
    redis.zadd("renderline:served", {"account:main": 1})
    redis.zadd("renderline:wake", {"r1": 5})
    redis.hset("renderline:render:r1", mapping={"state": "accepted", "hinted": "0.000"})
    yield redis
    redis.flushall()


@pytest.mark.parametrize("command", [("list",), ("dead", "list"), ("pause", "main"), ("keys", "list")])
def test_a_command_stops_in_one_line(old, run, command):
    ended = run(*command)
    assert ended.code == 1
    assert ended.err == (
        "renderline: the ledger has schema 1; this program needs 2: "
        "stop the workers and gateways, and run: renderline migrate\n"
    )


def test_the_doctor_reports_it(old, run):
    ended = run("doctor", "--json")
    assert ended.code == 1
    assert "renderline migrate" in ended.value["checks"][-1]["detail"]


def test_a_worker_and_a_gateway_stop(old, environ, monkeypatch, capsys):
    assert "renderline migrate" in (_redis_problem(load(environ, role="worker")) or "")
    assert not old.exists("renderline:slot_limits"), "nothing is written"
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        create()
    assert ended.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_it_is_migrated(old, run):
    planned = run("migrate", "--dry-run", "--json").value
    assert planned == {
        "found": "1",
        "schema": 2,
        "dry_run": True,
        "keys": {"served": 1, "wake": 1},
        "records": 1,
        "fields": 1,
    }
    assert old.exists("renderline:wake")
    shown = run("migrate").out
    assert "keys renamed: served 1, wake 1" in shown
    assert old.hgetall("renderline:render:r1") == {"state": "accepted", "webhook_hint": "0.000"}
    assert run("migrate").out == "the ledger has schema 2: nothing to do\n"
    assert run("dead", "list").code == 0


def test_it_waits_for_old_workers(old, run):
    old.zadd("renderline:served", {"account:main": old.time()[0]})
    refused = run("migrate")
    assert refused.code == 1
    assert "account:main" in refused.err
    assert run("migrate", "--force").code == 0


def test_an_older_program_stops_at_a_newer_ledger(redis, run):
    redis.set("renderline:schema", 3)
    for command in (("list",), ("migrate",)):
        ended = run(*command)
        assert ended.code == 1
        assert "older than the ledger" in ended.err
