"""The demo: its processes always end, its hook endpoint verifies, its ports are free."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from redis import AuthenticationError, Redis
from standardwebhooks import Webhook

from harness import HOOK_SECRET, Process, free_port, until
from harness.process_table import descendants, running
from workers.demo import deployment, steps
from workers.demo.hook_endpoint import HookEndpoint
from workers.processes.group import ProcessEnded, Processes
from workers.processes.output import LogFiles


def signed(body, webhook_id="msg-1", secret=HOOK_SECRET):
    now = datetime.now(tz=UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }


def test_the_endpoint_takes_signed_hooks_and_refuses_others():
    body = json.dumps({"type": "render.completed", "data": {"id": "r1"}})
    other = "whsec_" + "A" * 32
    with HookEndpoint(HOOK_SECRET, failing_once=["/done/a"]) as endpoint:

        def send(path, text, headers):
            return requests.post(endpoint.url + path, data=text, headers=headers, timeout=30).status_code

        assert [send("/done/a", body, signed(body)) for _ in range(2)] == [503, 204]
        assert send("/done/b", body + " ", signed(body)) == 401
        assert send("/done/b", body, signed(body, secret=other)) == 401
        assert send("/done/b", body, {}) == 401
        deliveries = endpoint.deliveries()
    assert [(delivery.path, delivery.answer, bool(delivery.event)) for delivery in deliveries] == [
        ("/done/a", 503, True),
        ("/done/a", 204, True),
        *[("/done/b", 401, False)] * 3,
    ]


def test_another_port_is_taken_when_somebody_has_the_usual_one():
    usual = free_port()
    assert deployment.free_port(usual) == usual
    with socket.create_server(("127.0.0.1", usual)):
        assert deployment.free_port(usual) not in (usual, 0)


def test_two_that_start_at_once_choose_different_ports(tmp_path):
    usual = free_port()
    with deployment.reserved_ports(usual) as (first,), deployment.reserved_ports(usual, usual) as others:
        assert first == usual
        assert len({first, *others}) == 3


def test_the_demo_never_inherits_settings_that_reach_the_real_vendor(tmp_path):
    outer = {"AISTUDIOS_BASE_URL": "https://app.aistudios.com", "RENDERLINE_SUBMIT": "direct", "HOME": "/home/me"}
    with deployment.Deployment.choose(tmp_path, render_seconds=1) as chosen:
        environ = chosen.environ(outer)
    assert environ["AISTUDIOS_BASE_URL"].startswith("http://127.0.0.1:")
    assert "RENDERLINE_SUBMIT" not in environ
    assert environ["HOME"] == "/home/me"


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def processes(tmp_path, port):
    with deployment.Deployment.choose(tmp_path, render_seconds=1) as chosen:
        environ = chosen.environ(os.environ)
    environ["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    return Processes(environ, output=LogFiles(tmp_path / "log"))


def servers(port):
    """Return the ids of the Valkey processes on this port; Valkey says its port in its command line."""
    command = ["ps", "-A", "-ww", "-o", "pid=,command="]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in table.splitlines() if f"valkey-server 127.0.0.1:{port}" in line]


def test_a_process_that_ends_by_itself_is_noticed_and_its_log_shown(processes, port, tmp_path):
    with processes:
        processes.start("redis")
        (pid,) = until(lambda: servers(port), what="Redis")
        processes.raise_if_any_ended()
        os.kill(pid, signal.SIGKILL)

        def ended():
            try:
                processes.raise_if_any_ended()
            except ProcessEnded as problem:
                return str(problem)

        assert "redis.1 ended: signal SIGKILL" in until(ended, what="the end of Redis")
        assert "redis.1.log" in LogFiles(tmp_path / "log").tail(processes.ended)


def test_everything_ends_with_the_block_even_what_was_just_started(processes, port):
    with processes:
        processes.start("redis")
    assert not servers(port)


def test_only_flower_knows_the_gateway_s_address_for_its_links_to_the_board(tmp_path, monkeypatch):
    started = {}

    class Noted:
        def start(self, *roles, **own):
            started.update(dict.fromkeys(roles, own))

    monkeypatch.setattr(steps, "_await", lambda *_: None)
    with deployment.Deployment.choose(tmp_path, render_seconds=1) as here:
        steps.start_processes(Noted(), here)
    assert started["flower"] == {"RENDERLINE_PUBLIC_URL": here.gateway_url}
    assert started["worker"] == started["gateway"] == {}


def test_two_cannot_run_in_the_same_directory(tmp_path):
    with (
        deployment.lock_directory(tmp_path / "up"),
        pytest.raises(deployment.DirectoryInUse),
        deployment.lock_directory(tmp_path / "up"),
    ):
        pass
    with deployment.lock_directory(tmp_path / "up"):
        pass


def assert_for_this_user_alone(directory):
    """Assert that no other user of the machine can read what `up` wrote, or use its Redis."""
    paths = [directory, *directory.rglob("*")]
    names = {path.name for path in paths}
    assert {"env", "valkey.conf", "appendonlydir", "worker.1.log", "flower", "lock"} <= names
    assert [str(path) for path in paths if path.lstat().st_mode & 0o077] == []
    lines = (directory / "env").read_text().splitlines()
    (url,) = [line.partition("=")[2].strip("'") for line in lines if line.startswith("export REDIS_URL=")]
    with Redis.from_url(url) as redis:
        assert redis.ping()
    password = urlsplit(url).password
    with Redis.from_url(url.replace(f":{password}@", "")) as redis, pytest.raises(AuthenticationError):
        redis.ping()
    table = subprocess.run(["ps", "-A", "-ww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    assert password not in table


WHOLE = ["-m", "workers.demo"]
# The same program in which Redis is the only process: how it leaves does not depend on how many there are.
REDIS_ALONE = [
    "-c",
    "import os, sys, workers.demo.__main__ as demo\n"
    "demo.start_processes = lambda processes, deployment: processes.start('redis')\n"
    "sys.exit(demo.main(sys.argv[1:], os.environ))",
]


@pytest.mark.parametrize(
    ("program", "first", "later"),
    [
        (REDIS_ALONE, signal.SIGINT, [signal.SIGINT] * 3),
        # make hands on a signal that its group got too.
        (WHOLE, signal.SIGTERM, [signal.SIGTERM] * 3),
        (REDIS_ALONE, signal.SIGHUP, []),
        (REDIS_ALONE, signal.SIGKILL, []),
    ],
    ids=["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_a_stopped_demo_leaves_no_process_behind(tmp_path, program, first, later):
    options = ["--keep", "--workers", "1", "--directory", str(tmp_path / "up")]
    (tmp_path / "up").mkdir(mode=0o755)
    before = os.umask(0o022)
    demo = Process([sys.executable, *program, *options], log=tmp_path / "demo.log")
    try:
        demo.wait_until(lambda: "Up. Ctrl-C" in demo.output(), what="the processes")
        if program is WHOLE:
            assert_for_this_user_alone(tmp_path / "up")
        until(lambda: len(descendants(demo.popen.pid)) >= (5 if program is WHOLE else 2), what="the guard and the rest")
        children = descendants(demo.popen.pid)
        for number in (first, *later):
            demo.popen.send_signal(number)
        assert demo.popen.wait(60) == {signal.SIGINT: 0, signal.SIGKILL: -9}.get(first, 128 + first)
        until(lambda: not [pid for pid in children if running(pid)], seconds=20, what="their end")
    finally:
        os.umask(before)
        demo.kill()
