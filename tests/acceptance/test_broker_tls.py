"""All processes over TLS to a real server, each under its own user; a server with a wrong certificate is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import load
from harness import ROOT, USER_KEY
from harness.broker_users import ASKED_AND_REFUSED, refusals, write_users
from harness.roles import Roles
from harness.tls_redis import Authority, TlsRedis, missing
from tests.acceptance.command_line import CommandLineHere
from workers.application import create_app
from workers.composition.connection import connect

pytestmark = pytest.mark.skipif(
    bool(missing()) and not os.environ.get("CI"), reason=f"not installed: {', '.join(missing())}"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    directory = tmp_path_factory.mktemp("tls")
    with TlsRedis(directory, "--aclfile", str(write_users(directory))) as server:
        yield server


def test_every_process_works_over_tls(server: TlsRedis, tmp_path: Path) -> None:
    with Roles(server, tmp_path, lambda environ: CommandLineHere(environ, tmp_path)) as roles:
        render = roles.produce()
        roles.use_http()
        roles.watch()
        roles.operate(render)
    assert refusals(server) <= ASKED_AND_REFUSED


def test_a_certificate_of_another_authority_is_refused_everywhere(server: TlsRedis, tmp_path: Path) -> None:
    settings = load({"REDIS_URL": server.url_with(Authority(tmp_path, "stranger"))}, role="gateway")
    app = create_app(settings)
    with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
        connect_once(connect(settings))
    with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
        connect_once(app.backend.client)
    with pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"), app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
    app.close()


@pytest.mark.parametrize("spelling", ["required", "CERT_REQUIRED"])
def test_a_certificate_for_another_host_is_refused(tmp_path: Path, spelling: str) -> None:
    with TlsRedis(tmp_path, alternative="DNS:redis.internal") as other:
        settings = load({"REDIS_URL": f"{other.url}&ssl_cert_reqs={spelling}"}, role="gateway")
        with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
            connect_once(connect(settings))


def connect_once(client: Redis) -> None:
    """Open one connection of a client's pool, without retries."""
    connection = client.connection_pool.make_connection()
    connection.retry = Retry(NoBackoff(), 0)
    connection.connect()


def test_a_worker_says_in_one_line_why_it_does_not_start(server: TlsRedis, tmp_path: Path) -> None:
    environ = {
        "REDIS_URL": server.url_with(Authority(tmp_path, "stranger")),
        "AISTUDIOS_APP_ID": "studioV3.tests",
        "AISTUDIOS_USER_KEY": USER_KEY,
    }
    command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", "requests"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "certificate verify failed" in done.stderr
    assert "Traceback" not in done.stderr
