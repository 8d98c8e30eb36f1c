"""`renderline run`: each process is restarted alone, wrong settings end it, and nothing outlives it."""

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
import requests

from harness import ROOT, USER_KEY, Process, free_port, until
from harness.process_table import descendants, running
from workers.cli.errors import CommandError
from workers.cli.run import counted
from workers.processes import ending
from workers.processes.group import ProcessEnded, Processes, beside_this_python
from workers.processes.guard import groups
from workers.processes.output import LogFiles
from workers.processes.procfile import commands

RUN = [sys.executable, "-P", str(ROOT / "renderline" / "command.py"), "run"]


@pytest.fixture
def environ(valkey, tmp_path):
    return {
        "RENDERLINE_ENV_FILE": "",
        "REDIS_URL": valkey.url,
        "AISTUDIOS_APP_ID": "studioV3.tests",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "RENDERLINE_DATA_DIR": str(tmp_path),
        "RENDERLINE_GATEWAY_BIND": f"127.0.0.1:{free_port()}",
        "RENDERLINE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "FLOWER_PORT": str(free_port()),
        "FLOWER_BASIC_AUTH": "ops:a-long-password-of-the-tests",
    }


def pids(output):
    """Return the id of each process, as the run's lines have them: the newest counts."""
    found = dict(re.findall(r"(\w+\.\d+) \(process (\d+)\)", output))
    return {**found, **dict(re.findall(r"(\w+\.\d+) started again \(process (\d+)\)", output))}


def test_a_killed_worker_is_replaced_alone_and_two_signals_stop_everything(environ, tmp_path):
    run = Process([*RUN, "worker=2", "gateway"], log=tmp_path / "run.log", environ=environ)
    try:
        run.wait_until(lambda: all(f"worker.{n}@" in run.output() for n in (1, 2)), what="the workers")
        run.wait_until(lambda: run.output().count(" ready. ") == 2, what="both ready")
        before = pids(run.output())
        assert set(before) == {"worker.1", "worker.2", "gateway.1"}
        os.kill(int(before["worker.1"]), signal.SIGKILL)
        run.wait_until(lambda: run.output().count(" ready. ") == 3, what="another worker")
        assert "worker.1 ended: signal SIGKILL; it starts again in 1 s" in run.output()
        after = pids(run.output())
        assert after.pop("worker.1") != before.pop("worker.1")
        assert after == before
        assert all(running(pid) for pid in map(int, after.values()))
        # Both serve their metrics, each on a port of its own.
        assert re.search(r"^worker\.2 +\| .*ready", run.output(), re.MULTILINE)
        started = descendants(run.popen.pid)
        assert len(started) >= 5
        for number in (signal.SIGTERM, signal.SIGTERM):
            run.popen.send_signal(number)
        assert run.popen.wait(60) == 0
        assert [pid for pid in started if running(pid)] == []
        assert "all are stopped" in run.output()
    finally:
        run.kill()


def test_honcho_starts_several_workers_each_with_a_name_and_metrics_of_its_own(environ, tmp_path):
    none = tmp_path / "no.env"
    none.touch()
    # The Procfile says `celery`: that of this Python.
    environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    start = [sys.executable, "-m", "honcho", "--env", str(none), "start", "--concurrency", "worker=2", "worker"]
    honcho = Process(start, log=tmp_path / "honcho.log", environ=environ)
    try:
        honcho.wait_until(lambda: honcho.output().count(" ready. ") == 2, what="both ready")
        assert set(re.findall(r"(worker\.\d)@\S+ ready", honcho.output())) == {"worker.1", "worker.2"}
        ports = {int(port) for port in re.findall(r"at=http://127\.0\.0\.1:(\d+)/metrics", honcho.output())}
        assert len(ports) == 2
        first = int(environ["RENDERLINE_METRICS_BIND"].partition(":")[2])
        assert all(first <= port < first + 20 for port in ports)
        assert all(requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).ok for port in ports)
        started = descendants(honcho.popen.pid)
        honcho.popen.send_signal(signal.SIGTERM)
        honcho.popen.wait(60)
        assert [pid for pid in started if running(pid)] == []
    finally:
        honcho.kill()


def test_nothing_outlives_a_run_that_was_killed(environ, tmp_path):
    run = Process([*RUN, "gateway"], log=tmp_path / "run.log", environ=environ)
    run.wait_until(lambda: "Listening at" in run.output(), what="the gateway")
    # The guard, and the gateway's two processes.
    until(lambda: len(descendants(run.popen.pid)) >= 3, what="all of its processes")
    started = descendants(run.popen.pid)
    run.popen.kill()
    run.popen.wait(10)
    until(lambda: not [pid for pid in started if running(pid)], seconds=30, what="their end")


def test_bad_settings_are_named_before_anything_starts(environ, tmp_path):
    del environ["FLOWER_BASIC_AUTH"], environ["AISTUDIOS_APP_ID"]
    run = Process(RUN, log=tmp_path / "run.log", environ={**environ, "REDIS_URL": ""})
    assert run.popen.wait(30) == 2
    assert "FLOWER_BASIC_AUTH is missing" in run.output()
    assert "AISTUDIOS_APP_ID" in run.output()
    assert "process" not in run.output().replace("processes", "")


def test_an_address_that_is_taken_is_named_before_anything_starts(environ, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        gateway, flower = (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other))
        theirs = {"RENDERLINE_GATEWAY_BIND": gateway, "FLOWER_PORT": flower.rpartition(":")[2]}
        run = Process(RUN, log=tmp_path / "run.log", environ={**environ, **theirs})
        try:
            assert run.popen.wait(30) == 2
        finally:
            run.kill()
        assert f"listens at {gateway}, where gateway would: stop it, or set RENDERLINE_GATEWAY_BIND" in run.output()
        assert f"listens at {flower}, where flower would: stop it, or set FLOWER_PORT" in run.output()
        assert "(process" not in run.output()


def test_without_a_chosen_redis_nothing_starts(environ, tmp_path):
    run = Process(RUN, log=tmp_path / "run.log", environ={**environ, "REDIS_URL": ""})
    assert run.popen.wait(30) == 2
    assert "REDIS_URL is unset" in run.output()


@pytest.mark.parametrize(
    ("kind", "wrong", "code"),
    [
        ("worker", {"RENDERLINE_SUBMIT": "twice"}, 78),
        ("gateway", {"RENDERLINE_SUBMIT": "twice"}, 4),
        ("flower", {"FLOWER_BASIC_AUTH": ""}, 78),
        ("redis", {"REDIS_URL": "redis://elsewhere.example:6379/0"}, 78),
    ],
)
def test_a_process_that_refuses_its_settings_is_not_started_again(environ, tmp_path, kind, wrong, code):
    whole = beside_this_python({**os.environ, **environ, **wrong})
    said = []
    with Processes(whole, output=LogFiles(tmp_path / "log")) as processes:
        processes.start(kind)

        def refused():
            try:
                processes.restart_ended(said.append)
            except ProcessEnded as problem:
                return str(problem)

        assert f"{kind}.1 refuses its settings (exit code {code})" in until(refused, what="the refusal")
    assert said == []


def test_the_pause_before_a_restart_grows_and_is_bounded():
    assert [ending.pause(times) for times in (1, 2, 3, 6, 50)] == [1, 2, 4, 30, 30]
    assert ending.how(3) == "exit code 3"
    assert ending.how(-9) == "signal SIGKILL"


def test_the_guard_forgets_what_was_taken_back():
    assert groups(["12\n", "13\n", "-12\n", "14\n"]) == {13, 14}


def test_what_is_run_and_how_often():
    assert counted(["worker=3", "gateway"], commands()) == {"worker": 3, "gateway": 1}
    for wrong in ("gateway=2", "worker=0", "worker=", "worker=x", "clock"):
        with pytest.raises(CommandError):
            counted([wrong], commands())
    with pytest.raises(CommandError, match="twice"):
        counted(["worker", "worker"], commands())
