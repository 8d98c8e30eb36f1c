"""All processes behind three real Sentinels, each under its own user; renders go on through a failover."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

from kombu.exceptions import OperationalError
from redis import RedisError

from harness.broker_users import ADMIN, ASKED_AND_REFUSED, PASSWORDS, url_of, write_users
from harness.roles import Roles
from harness.sentinels import SENTINEL_PASSWORD, Sentinels
from harness.waiting import until
from renderline.producer import enqueue_render, wait_for
from tests.acceptance.command_line import CommandLineHere

RENDERS = 10
BESIDE_RENDERLINE = """
import json, sys
from celery import Celery
from renderline.producer import celery_options, enqueue_render
from workers.application import create_app
create_app()
billing = Celery("billing")
billing.conf.update(celery_options(sys.argv[1]))
print(enqueue_render(billing, json.load(sys.stdin), key="order-1", wait=30))
"""


def test_renders_go_on_through_a_failover(tmp_path: Path) -> None:
    users = ("--aclfile", str(write_users(tmp_path)))
    with (
        Sentinels(tmp_path, *users, login=(ADMIN, ADMIN)) as sentinels,
        Roles(sentinels, tmp_path, lambda environ: CommandLineHere(environ, tmp_path)) as roles,
    ):
        render = roles.produce()
        ids = [_enqueued(roles, f"before-{n}") for n in range(RENDERS // 2)]
        former = sentinels.fail_over(signal.SIGKILL)
        ids += [_enqueued(roles, f"after-{n}") for n in range(RENDERS // 2)]
        for one in (render, *ids):
            assert wait_for(roles.app, one, timeout=90).state == "delivered"
        # Both requests of `produce` and these: each was paid once.
        assert roles.sandbox.calls("/export") == RENDERS + 2
        assert _enqueued_beside_renderline(roles) == render
        until(lambda: roles.gateway.ask("GET", "/readyz").ok, what="a ready gateway")
        until(lambda: _pages_work(roles), what="Flower on the new primary")
        roles.operate(render)
        seen = roles.everything_said()
        assert not [password for password in (*PASSWORDS.values(), SENTINEL_PASSWORD) if password in seen]
        with sentinels.client(sentinels.primary) as redis:
            refused = {(one["username"], one["reason"], one["object"]) for one in redis.acl_log()}
        assert refused <= ASKED_AND_REFUSED
        assert former is not sentinels.primary


def _enqueued(roles: Roles, key: str) -> str:
    """Enqueue as a producer does whose first try may meet a failover: on a busy machine the Sentinels may begin one."""
    return str(until(lambda: _tried(roles, key), what="a request that is accepted"))


def _tried(roles: Roles, key: str) -> str | None:
    with contextlib.suppress(RedisError, OSError, TimeoutError, OperationalError):
        return enqueue_render(roles.app, roles.request(), key=key, wait=30)
    return None


def _enqueued_beside_renderline(roles: Roles) -> str:
    """Enqueue `order-1` again, from a process where Renderline's own application exists; returns the render's id."""
    address = url_of(roles.server, "producer")
    return subprocess.run(
        [sys.executable, "-c", BESIDE_RENDERLINE, address],
        input=json.dumps(roles.request()),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def _pages_work(roles: Roles) -> bool:
    # It reads workers over connections of its own, each of which first has to lose the former primary.
    with contextlib.suppress(AssertionError, KeyError):
        roles.watch()
        return True
    return False
