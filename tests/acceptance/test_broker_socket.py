"""All processes over a Unix socket, each under its own user of the broker: each does its work and needs no more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from harness.broker_users import ASKED_AND_REFUSED, PASSWORDS, admin_of, refusals, url_of, write_users
from harness.processes import SocketValkey
from harness.roles import SCRIPT, Roles
from renderline import contract
from renderline.producer import enqueue_render
from tests.acceptance.command_line import CommandLineHere


@pytest.fixture(scope="module")
def server() -> Iterator[SocketValkey]:
    # A socket's path may have 107 letters, fewer than some of pytest's directories.
    with (
        tempfile.TemporaryDirectory() as short,
        SocketValkey(Path(short), "--aclfile", str(write_users(Path(short)))) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def roles(server: SocketValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    directory = tmp_path_factory.mktemp("roles")
    with Roles(server, directory, lambda environ: CommandLineHere(environ, directory)) as roles:
        yield roles


def test_every_process_works_over_a_socket_with_the_rights_of_its_user(server: SocketValkey, roles: Roles) -> None:
    with admin_of(server) as redis:
        redis.acl_log_reset()
        render = roles.produce()
        roles.use_http()
        roles.watch()
        roles.operate(render)
        assert refusals(server) <= ASKED_AND_REFUSED
        # What a producer may read of any render holds no text of the request.
        shown = {**redis.hgetall(f"renderline:render:{render}"), **dict(redis.xrange("renderline:events"))}
    assert SCRIPT not in str(shown)
    assert "confidential" not in str(shown)
    seen = roles.everything_said()
    assert str(server.path) in seen
    assert not [password for password in PASSWORDS.values() if password in seen]


def test_a_producer_that_adds_bindings_leads_no_message_elsewhere(server: SocketValkey, roles: Roles) -> None:
    with Redis.from_url(url_of(server, "producer")) as redis:
        redis.sadd("_kombu.binding.requests", "garbage", "requests\x06\x16\x06\x16stolen")
    assert enqueue_render(roles.app, roles.request(), key="after", wait=30) == contract.render_id_for_key("after")
    with admin_of(server) as redis:
        assert not redis.exists("stolen")
