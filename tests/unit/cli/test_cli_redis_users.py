"""`renderline redis-users` writes an ACL file and the address of each role, for this user alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from config import redis_users
from workers.cli.program import cli


def run(*arguments: str, url: str = "redis://redis.internal:6380/0") -> Result:
    return CliRunner().invoke(cli, ["redis-users", *arguments], env={"REDIS_URL": url}, standalone_mode=False)


def test_the_passwords_of_the_addresses_are_those_of_the_file(tmp_path: Path) -> None:
    directory = tmp_path / "users"
    done = run(
        str(directory), "--hook-queue", "billing", url=f"rediss://:old@redis.internal:6380/3?ssl_ca_certs={__file__}"
    )
    assert done.exception is None, done
    rules = (directory / "users.acl").read_text().splitlines()
    assert [line.split()[:2] for line in rules] == [
        ["user", "default"],
        *(["user", f"renderline-{role}"] for role in redis_users.ROLES),
    ]
    for role in redis_users.ROLES:
        name, _, url = (directory / f"{role}.env").read_text().strip().partition("=")
        assert (directory / f"{role}.url").read_text() == f"{url}\n"
        parts = urlsplit(url)
        assert (name, parts.username, parts.hostname) == ("REDIS_URL", f"renderline-{role}", "redis.internal")
        assert url.endswith(f"@redis.internal:6380/3?ssl_ca_certs={__file__}&ssl_cert_reqs=required")
        (rule,) = [line for line in rules if line.startswith(f"user renderline-{role} ")]
        assert f"#{hashlib.sha256(str(parts.password).encode()).hexdigest()} " in rule
        assert len(str(parts.password)) >= 40
    whole = "\n".join(rules)
    assert "<" not in whole
    assert "# " not in whole
    assert "&/3.celery.pidbox" in whole
    assert "%W~billing %W~billing??[369]" in whole
    assert all(str(parts.password) not in done.output for parts in [urlsplit(url)])
    modes = {path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert (directory.stat().st_mode & 0o777, modes) == (0o700, {0o600})


def test_existing_files_stay(tmp_path: Path) -> None:
    (tmp_path / "worker.env").write_text("mine")
    done = run(str(tmp_path))
    assert re.search(r"holds worker\.env already", done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["worker.env"]


@pytest.mark.parametrize("queue", ["", "a b", "x) +@all (", "~*", "#"])
def test_a_queue_cannot_add_rules(tmp_path: Path, queue: str) -> None:
    done = run(str(tmp_path / "users"), "--hook-queue", queue)
    assert "the queue" in done.stderr
    assert not (tmp_path / "users").exists()
