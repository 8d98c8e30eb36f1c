"""A broker with the users of `config/redis_users.acl`, and the addresses of each role."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from redis import Redis

from config import redis_users
from harness.processes import Valkey

ADMIN = "admin-of-the-tests"
PASSWORDS = {role: f"{role}-password-of-the-tests" for role in redis_users.ROLES}


ASKED_AND_REFUSED = {
    # They ask for the settings of the disk, and whether this user is an administrator; a refusal answers that.
    ("renderline-worker", "command", "config|get"),
    # It asks at its start whether the server is a Cluster.
    ("renderline-gateway", "command", "info"),
    ("renderline-operator", "command", "acl|dryrun"),
}


def write_users(directory: Path, *, hook_queues: tuple[str, ...] = ("billing",)) -> Path:
    """Write the ACL file, with a user of the tests who may do everything; returns its path."""
    path = directory / "users.acl"
    text = redis_users.acl_file(PASSWORDS, hook_queues=hook_queues)
    path.write_text(f"{text}user {ADMIN} on >{ADMIN} ~* &* +@all\n")
    return path


class HasAddress(Protocol):
    """What an address leads to: a server, or servers under Sentinels."""

    url: str


def url_of(server: HasAddress, role: str) -> str:
    """Return the REDIS_URL of a role."""
    return redis_users.redis_url(server.url, role, PASSWORDS[role])


def admin_of(server: Valkey) -> Redis:
    """Return a client that may do everything."""
    return Redis.from_url(server.url, username=ADMIN, password=ADMIN, decode_responses=True)


def refusals(server: Valkey) -> set[tuple[str, str, str]]:
    """Return what the server has refused: (user, reason, command, key or channel)."""
    with admin_of(server) as redis:
        return {(one["username"], one["reason"], one["object"]) for one in redis.acl_log()}
