"""Commands that change something: cancel, retry, fail, adopt, resubmit, dead, accounts, keys; and how failure looks."""

import json

import pytest
from redis import Redis

import config.celery
import workers.application
from harness import ROOT, Valkey, free_port
from renderline.ledger import Ledger
from renderline.ledger.schema import LEVEL, VERSION
from tests.integration.cli.test_cli_submit import compact


@pytest.fixture
def render(run):
    hooks = [{"type": "download"}, {"type": "celery", "task": "billing.ready", "queue": "billing"}]
    return run("submit", "-", "--json", given=json.dumps(compact(hooks=hooks))).value[0]["id"]


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


def unconfirmed(ledger, render):
    claim = ledger.claim_submission(render, lease=30)
    assert ledger.record_intent(claim, "create", lease=30)
    assert ledger.start(claim, confirmed=False, project_id=None, poll_in=60)[0]


def dead_hook(ledger, render):
    ledger.fail(render, code="x", message="y", origin="vendor")
    claim = ledger.claim_hook(render, 0, lease=30)
    ledger.record_hook(render, 0, claim, outcome="dead", error="410 Gone")


def test_cancel_and_its_repetition(run, render):
    (step,) = run("cancel", render, "--json").value
    assert step == {
        "id": render,
        "done": True,
        "state": "canceled",
        "message": None,
        "project": "untouched",
        "why": None,
    }
    assert run("cancel", render).code == 0


def test_cancel_deletes_nothing_where_nothing_was_made(run, render):
    assert run("cancel", render, "--delete-project", "--json").value[0]["project"] == "none"


def test_cancel_tells_why_a_project_was_kept(run, render, ledger):
    unconfirmed(ledger, render)
    ended = run("cancel", render, "--delete-project", "--json")
    assert ended.code == 0
    # Nobody listens at the vendor's address.
    assert ended.value[0]["project"] == "kept"
    assert ended.value[0]["why"]


def test_what_is_not_there_is_5_and_what_does_not_apply_is_1(run, render):
    assert run("cancel", "f" * 32).code == 5
    assert run("retry", "f" * 32).code == 5
    ended = run("retry", render)
    assert ended.code == 1
    assert "only a failed or expired one" in ended.err
    assert run("retry", render, "f" * 32, "--json").code == 5


def test_fail_then_retry(run, render, ledger):
    unconfirmed(ledger, render)
    assert run("fail", render, "--reason", "Wrong script.", "--json").value["state"] == "failed"
    assert run("fail", render, "--reason", "Again.").code == 1
    (step,) = run("retry", render, "--json").value
    assert (step["done"], step["message"]) == (True, "attempt 2")
    (record,) = run("status", render, "--json").value
    assert record["history"][0]["error"]["message"] == "Wrong script."
    assert "attempt 1: failed" in run("status", render).out


def test_adopt(run, render, ledger):
    assert run("adopt", render, "65fa6b07dca2e367461a2925").code == 1
    unconfirmed(ledger, render)
    assert run("adopt", render, "65fa6b07dca2e367461a2925", "--json").value["state"] == "rendering"
    assert ledger.record(render)["project_id"] == "65fa6b07dca2e367461a2925"


def test_resubmit(run, render, ledger):
    assert run("resubmit", render).code == 1
    unconfirmed(ledger, render)
    assert run("resubmit", render, "--json").value["state"] == "submitting"


def test_dead_letters(run, render, ledger):
    assert run("dead", "list").out == "no dead letters\n"
    dead_hook(ledger, render)
    (letter,) = run("dead", "list", "--json").value
    assert (letter["id"], letter["hook"], letter["error"]) == (render, 0, "410 Gone")
    assert "410 Gone" in run("dead", "list").out
    assert run("dead", "show", render, "--json").value[0]["request"] == {"type": "download"}
    assert run("dead", "show", render, "7").code == 5
    assert run("dead", "replay", render, "1").code == 1
    assert run("dead", "replay", render, "7").code == 5
    assert run("dead", "replay", render, "--json").value[0]["done"]
    assert run("dead", "replay", render).code == 5


def test_dead_letters_are_discarded_all_at_once(run, render, ledger):
    dead_hook(ledger, render)
    assert run("dead", "discard").code == 2
    assert [step["hook"] for step in run("dead", "discard", "--all", "--json").value] == [0]
    assert run("dead", "list", "--json").value == []
    assert run("dead", "discard", "--all", "--json").value == []


def test_accounts_are_paused_and_resumed(run):
    assert run("pause", "default", "--json").value == {"account": "default", "paused": True}
    assert run("accounts", "--json").value[0]["paused"]
    assert "paused" in run("accounts").out
    assert run("resume", "default").code == 0
    assert run("resume", "default").code == 1
    assert run("pause", "elsewhere").code == 5


def test_accounts_show_no_credentials(run, environ):
    for output in (run("accounts").out, run("accounts", "--json").out):
        assert environ["AISTUDIOS_USER_KEY"] not in output


def test_keys_are_created_listed_and_revoked(run, redis):
    made = run("keys", "create", "billing", "--scope", "submit", "--json").value
    assert made["key"].startswith("rl_")
    (listed,) = run("keys", "list", "--json").value
    assert (listed["id"], listed["name"], listed["scopes"], listed["used"]) == (made["id"], "billing", ["submit"], None)
    assert made["key"] not in run("keys", "list").out
    assert run("keys", "revoke", made["id"], "--json").value == [{"id": made["id"], "revoked": True}]
    assert run("keys", "revoke", made["id"]).code == 5
    assert run("keys", "create", " ").code == 2
    assert run("keys", "create", "x", "--scope", "everything").code == 2


def test_without_redis_it_is_3_in_one_line_without_the_password(run):
    port = free_port()
    commands = (
        *(["list"], ["submit", "-"], ["watch", "--once"], ["keys", "list"], ["pause", "default"]),
        *([operation, "x"] for operation in ("cancel", "retry", "resubmit")),
        *(
            ["adopt", "x", "p1"],
            ["fail", "x", "--reason", "y"],
            ["dead", "replay", "x", "0"],
            ["dead", "discard", "--all"],
        ),
    )
    for command in commands:
        ended = run(*command, given=json.dumps(compact()), REDIS_URL=f"redis://:sesame@127.0.0.1:{port}/0")
        assert (ended.code, ended.out) == (3, ""), command
        assert len(ended.err.splitlines()) == 1
        assert "sesame" not in ended.err


@pytest.fixture
def no_broker(monkeypatch):
    """Have messages sent to a broker that nobody listens at, while the ledger is up."""
    original = config.celery.options
    url = f"redis://:sesame@127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(workers.application, "options", lambda settings: {**original(settings), "broker_url": url})


def test_without_a_broker_the_change_is_recorded_and_left_to_the_sweep(run, render, ledger, no_broker):
    def recorded(*arguments, state):
        ended = run(*arguments, given=json.dumps(compact()))
        assert ended.code == 0, ended.err
        assert len(ended.err.splitlines()) == 1
        assert ended.err.startswith("renderline: recorded, but ")
        assert "sesame" not in ended.err
        assert ledger.record(render)["state"] == state

    recorded("submit", "-", state="accepted")
    unconfirmed(ledger, render)
    recorded("fail", render, "--reason", "Lost.", state="failed")
    recorded("retry", render, state="accepted")
    unconfirmed(ledger, render)
    recorded("resubmit", render, state="submitting")
    recorded("cancel", render, state="canceled")


def test_json_is_alone_on_standard_output_without_a_broker(run, render, ledger, no_broker):
    ledger.fail(render, code="x", message="y", origin="vendor")
    ended = run("retry", render, "--json")
    assert (ended.code, ended.value[0]["state"]) == (0, "accepted")


def test_bad_settings_are_2_and_each_is_named(run):
    ended = run("list", RENDERLINE_LEASE="never", RENDERLINE_POLL_MIN="-1")
    assert ended.code == 2
    assert "RENDERLINE_LEASE" in ended.err
    assert "RENDERLINE_POLL_MIN" in ended.err


def test_the_doctor_refuses_a_server_that_evicts(run, tmp_path):
    with Valkey(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        ended = run("doctor", "--json", REDIS_URL=server.url)
    assert ended.code == 1
    checks = {one["check"]: one for one in ended.value["checks"]}
    assert checks["redis memory"]["verdict"] == "fail"
    assert "noeviction" in checks["redis memory"]["advice"]
    assert checks["workers"]["verdict"] == "fail"
    assert checks["storage"]["verdict"] == "ok"
    assert checks["vendor v3 (default)"]["verdict"] == "fail"
    assert checks["redis persistence"]["verdict"] == "ok"


def test_the_doctor_on_a_server_that_tells_little(run, tmp_path):
    with Valkey(tmp_path) as server, Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">sesame", "~*", "&*", "+@all", "-info", "-config")
        ended = run("doctor", "--json", REDIS_URL=server.url.replace("//", "//app:sesame@"))
    assert ended.code == 1
    checks = {one["check"]: one for one in ended.value["checks"]}
    assert checks["redis"]["verdict"] == "warn"
    assert checks["workers"]["verdict"] == "fail"


def test_the_doctor_without_redis(run):
    ended = run("doctor", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert ended.code == 3
    assert "FAIL  redis connection" in ended.out


@pytest.mark.parametrize(
    ("password", "said"),
    [("right", "Redis refused the user of REDIS_URL:"), ("wrong", "Redis refused the login of REDIS_URL:")],
)
def test_a_redis_that_refuses_is_not_said_to_be_silent(run, redis, valkey, password, said):
    redis.acl_setuser("reader", enabled=True, passwords=["+right"], commands=["+@connection", "+hgetall"])
    try:
        ended = run("keys", "list", REDIS_URL=valkey.url.replace("://", f"://reader:{password}@"))
    finally:
        redis.acl_deluser("reader")
    assert ended.code == 3
    assert said in ended.err
    assert "does not answer" not in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("cancel", "0" * 32),
        ("retry", "0" * 32),
        ("pause", "default"),
        ("keys", "create", "billing"),
        ("keys", "revoke", "0" * 12),
        ("quarantine", "drop", "1-1"),
        ("quarantine", "requeue", "--all"),
        ("migrate",),
        ("resume", "default"),
        ("hold", "0" * 32),
        ("release", "0" * 32),
        ("replay", "0" * 32),
        ("retry", "--state", "failed", "--yes"),
        ("adopt", "0" * 32, "5e0d1706a0b1c2d3e4f50001"),
        ("resubmit", "0" * 32),
        ("fail", "0" * 32, "--reason", "given up"),
        ("dead", "replay", "--all"),
        ("dead", "discard", "--all"),
        ("forget", "0" * 32, "--yes"),
        ("restore",),
        ("reconcile", "--apply"),
        ("reindex",),
        ("upload", str(ROOT / "examples/files/report.txt")),
        ("submit", str(ROOT / "examples/compact-landscape.json")),
        ("submit", str(ROOT / "examples/audio.json")),
    ],
)
def test_nothing_changes_on_a_redis_that_no_setting_chose(run, command):
    """The usual address may be that of another installation."""
    ended = run(*command, REDIS_URL="")
    assert ended.code == 2
    assert "REDIS_URL is unset" in ended.err
    assert "nothing was changed" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_an_address_in_a_file_chooses_the_redis_too(run, valkey, tmp_path):
    (tmp_path / "redis-url").write_text(f"{valkey.url}\n")
    ended = run("pause", "default", REDIS_URL="", REDIS_URL_FILE=str(tmp_path / "redis-url"))
    assert ended.code == 0, ended.err
    assert run("resume", "default").code == 0


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_forget_leaves_a_record_of_a_newer_version_alone(run, render, redis, options):
    run("cancel", render)
    redis.hset(f"renderline:render:{render}", "schema", f"{VERSION}.{LEVEL + 1}")
    before = redis.hgetall(f"renderline:render:{render}")
    ended = run("forget", render, "--yes", *options)
    assert (ended.code, "A newer version of Renderline wrote the record" in ended.err) == (1, True)
    assert redis.hgetall(f"renderline:render:{render}") == before
