"""`renderline submit --rows --results`: a file that says how each row ended, and goes on where it was."""

from __future__ import annotations

import csv
import io
import os
import signal
import stat
import subprocess

import pytest
from redis import Redis

from harness import until
from harness.command_result import CommandResult
from harness.ledger import LedgerDriver
from renderline.contract import render_id_for_key
from renderline.ledger import Ledger
from tests.acceptance.command_line import COMMAND
from tests.integration.cli.test_cli_submit_rows import PEOPLE, TEMPLATE
from workers.cli.result_file import COLUMNS, ResultFile

PREFIX = "renderline:"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.csv"


@pytest.fixture
def submit(run, request_file, tmp_path, out):
    def submit(rows=PEOPLE, *options, template=TEMPLATE, timeout="0"):
        files = ("--template", request_file(template, "body.json"), "--rows", request_file(rows, "people.csv"))
        ended = run("submit", *files, "--results", str(out), "--timeout", timeout, *options)
        return CommandResult(ended.code, *(text.replace(f"{tmp_path}/", "") for text in (ended.out, ended.err)))

    return submit


@pytest.fixture
def ledger(redis):
    return Ledger(redis)


def lines(out):
    return list(csv.DictReader(io.StringIO(out.read_text())))


def renders(run):
    return {one["id"]: one for one in run("list", "--json", "--limit", "10000").value["renders"]}


def test_each_row_has_a_line_with_its_render(submit, run, out):
    ended = submit()
    assert ended.code == 4
    assert tuple(lines(out)[0]) == COLUMNS
    assert [(line["row"], line["state"]) for line in lines(out)] == [("2", "accepted"), ("3", "accepted")]
    assert {line["id"] for line in lines(out)} == renders(run).keys()
    assert "the rows have no keys" not in ended.err


def test_run_again_nothing_is_sent_twice(submit, run, out):
    submit()
    before = lines(out)
    ended = submit()
    assert ended.code == 4
    assert lines(out) == before
    assert len(renders(run)) == 2


def test_rows_may_be_added_at_the_end(submit, run, out):
    submit()
    submit(PEOPLE + "Cy,Bonn,A3\n")
    assert [line["row"] for line in lines(out)] == ["2", "3", "4"]
    assert len(renders(run)) == 3


def test_with_a_key_column_rows_may_change_their_places(submit, run, out):
    submit(PEOPLE, "--key-from", "order")
    assert [line["key"] for line in lines(out)] == ["A1", "A2"]
    assert lines(out)[0]["id"] == render_id_for_key("A1")
    submit("name,city,order\nCy,Bonn,A3\nBo,Rome,A2\nAnn,Oslo,A1\n", "--key-column", "order")
    assert {line["key"]: line["row"] for line in lines(out)} == {"A1": "4", "A2": "3", "A3": "2"}
    assert len(renders(run)) == 3


def test_rows_of_one_key_have_one_line(submit, out):
    submit(PEOPLE + "Ann,Oslo,A1\n", "--key-from", "order")
    assert [line["row"] for line in lines(out)] == ["2", "3"]


@pytest.mark.parametrize(
    ("options", "remedy"), [((), "take its line out of out.csv"), (("--key-from", "order"), "give it a key of its own")]
)
def test_a_row_that_changed_is_refused_and_named(submit, run, out, options, remedy):
    submit(PEOPLE, *options)
    one = lines(out)[1]["id"]
    ended = submit(PEOPLE.replace("Rome", "Pisa") + "Cy,Bonn,A3\n", *options)
    assert ended.code == 2
    assert ended.err.splitlines() == [
        f"renderline: people.csv row 3: is another request than the one of render {one}, which it was before; "
        f"to send it too, {remedy}"
    ]
    assert len(renders(run)) == 2


def test_a_row_that_changed_is_sent_once_its_line_is_taken_out(submit, run, out):
    submit()
    changed = PEOPLE.replace("Rome", "Pisa")
    out.write_text("".join(out.read_text().splitlines(keepends=True)[:2]))
    submit(changed)
    assert len(renders(run)) == 3
    # The same row under a line that was taken out is the same render.
    out.write_text("".join(out.read_text().splitlines(keepends=True)[:2]))
    submit(changed)
    assert len(renders(run)) == 3


def test_another_template_changes_every_row(submit):
    submit()
    ended = submit(template={**TEMPLATE, "name": "Bye {{name}}"})
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 2


@pytest.mark.parametrize(("first", "then"), [((), ("--key-from", "order")), (("--key-from", "order"), ())])
def test_keys_come_from_one_place(submit, first, then):
    submit(PEOPLE, *first)
    ended = submit(PEOPLE, *then)
    assert ended.code == 2
    assert "out.csv was written with" in ended.err


def test_how_each_row_ended_is_written(submit, redis, out, run):
    submit()
    one, two = (line["id"] for line in lines(out))
    driver = LedgerDriver(redis)
    driver.finish(one)
    driver.ledger.fail(two, code="50010", message="=No\ncredit", origin="vendor")
    ended = submit()
    assert ended.code == 1
    first, second = lines(out)
    assert (first["state"], first["url"], first["error_code"]) == ("delivered", "https://v/1.mp4", "")
    assert (second["state"], second["error_code"], second["message"]) == ("failed", "50010", "'=No credit")
    assert "1 row failed before: --retry-failed tries it again" in ended.err
    assert second["id"] in ended.out.splitlines()[-1], "failures come last"
    assert "No credit" in ended.out.splitlines()[-1]
    assert submit(PEOPLE, "--json").value[1]["message"] == "=No credit"


def test_failed_rows_are_started_anew_if_wanted(submit, redis, out, run):
    submit()
    one, two = (line["id"] for line in lines(out))
    driver = LedgerDriver(redis)
    driver.finish(one)
    driver.ledger.fail(two, code="1", message="no", origin="vendor")
    assert submit(PEOPLE, "--retry-failed").code == 4
    assert [line["state"] for line in lines(out)] == ["delivered", "accepted"]
    assert renders(run)[two]["attempt"] == 2
    assert renders(run)[one]["attempt"] == 1
    driver.finish(two)
    assert submit().code == 0


def test_a_render_that_was_seen_and_is_gone_is_not_sent_again(submit, redis, run, out):
    submit()
    redis.flushall()
    ended = submit()
    assert ended.code == 1
    assert "2 rows were sent, but no render of theirs is known here (any more): 2, 3" in ended.err
    assert [line["state"] for line in lines(out)] == ["unknown", "unknown"]
    assert renders(run) == {}


@pytest.mark.parametrize(("at", "sent"), [("{now}", 2), ("2020-01-01T00:00:00Z", 0), ("yesterday", 0)])
def test_a_planned_row_is_sent_later_as_long_as_the_ledger_would_know_it(submit, redis, run, out, at, sent):
    submit()
    now = lines(out)[0]["at"]
    redis.flushall()
    text = out.read_text().replace("accepted", "")
    out.write_text(text.replace(now, at.format(now=now)))
    submit()
    assert len(renders(run)) == sent


def test_another_file_is_not_overwritten(submit, run, out):
    out.write_text("name,city\nAnn,Oslo\n")
    ended = submit()
    assert ended.code == 2
    assert "is not a result file of renderline" in ended.err
    assert out.read_text() == "name,city\nAnn,Oslo\n"
    assert renders(run) == {}


def test_a_line_that_somebody_changed_is_refused(submit, out):
    submit()
    out.write_text(out.read_text().replace(lines(out)[0]["id"], "1E+31"))
    ended = submit()
    assert ended.code == 2
    assert "out.csv: row 2: key and id do not belong together" in ended.err


def test_no_two_commands_work_on_one_file(submit, out, run):
    with ResultFile(str(out)) as file:
        file.save()
        ended = submit()
        assert ended.code == 2
        assert "another renderline is at work on it" in ended.err
    assert submit().code == 4


def test_the_file_keeps_its_rights_and_a_link_its_place(submit, out, tmp_path):
    real = tmp_path / "real.csv"
    real.touch(mode=0o600)
    out.symlink_to(real)
    submit()
    assert out.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert len(lines(real)) == 2
    assert not list(tmp_path.glob(".*new"))


@pytest.mark.parametrize("path", ["no/such/folder.csv", "/dev/null"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(run, request_file, path):
    files = ("--template", request_file(TEMPLATE, "body.json"), "--rows", request_file(PEOPLE, "people.csv"))
    ended = run("submit", *files, "--results", path)
    assert ended.code == 2
    assert ended.err.startswith(f"renderline: --results {path}: ")
    assert renders(run) == {}


@pytest.mark.parametrize("extra", [("--dry-run",), ("--key", "x")])
def test_wrong_options(submit, extra, out):
    assert submit(PEOPLE, *extra).code == 2
    assert not out.exists()


def test_json_lines_too(submit, out, run, request_file, tmp_path):
    path = tmp_path / "out.jsonl"
    files = ("--template", request_file(TEMPLATE, "body.json"), "--rows", request_file(PEOPLE, "people.csv"))
    for _ in range(2):
        assert run("submit", *files, "--results", str(path), "--timeout", "0").code == 4
    assert path.read_text().count('"state": "accepted"') == 2
    assert len(renders(run)) == 2


def test_killed_at_any_moment_nothing_is_sent_twice_and_nothing_is_lost(environ, redis: Redis, tmp_path, request_file):
    count = 1100  # two transactions
    table = "name,city,order\n" + "".join(f"N{at},Oslo,{at}\n" for at in range(count))
    files = ("--template", request_file(TEMPLATE, "body.json"), "--rows", request_file(table, "people.csv"))
    out = tmp_path / "out.csv"
    command = [*COMMAND, "submit", *files, "--results", str(out)]

    def killed_when(moment):
        started = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
        try:
            until(lambda: moment() or started.poll() is not None)
        finally:
            os.kill(started.pid, signal.SIGKILL)
            started.wait(30)

    def accepted():
        return redis.zcard(f"{PREFIX}renders")

    killed_when(lambda: out.exists() and out.stat().st_size)
    killed_when(accepted)
    done = subprocess.run([*command, "--timeout", "0"], env={**os.environ, **environ}, capture_output=True, check=False)
    assert done.returncode == 4, done.stderr
    assert accepted() == count
    ids = [line["id"] for line in lines(out)]
    assert len(set(ids)) == count
    assert set(ids) == set(redis.zrange(f"{PREFIX}renders", 0, -1))
