"""A forgotten render leaves no content in Redis, storages and logs, and on demand none at the vendor."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis

from harness import until
from harness.documents import document
from harness.gateway import ForkedGateway
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Ledger, Statistics, Total
from tests.acceptance.command_line import CommandLine, CommandLineHere, reach
from tests.acceptance.conftest import System

WORDS = ("Zyxomma", "petiolatum", "quorndon", "Featherstonehaugh", "ORDER-8931", "yttrium")
"""Words of a script, name, metadata, header, path and file that occur nowhere else."""


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "0.6", workers=1, RENDERLINE_LABELS="customer")


@pytest.fixture
def renderline(system: System, tmp_path: Path) -> CommandLine:
    return CommandLineHere({**system.environ, "RENDERLINE_LABELS": "customer"}, tmp_path)


def contents(redis: Redis) -> Iterator[tuple[str, str]]:
    """Yield every key of every database type with its name and content as text."""
    for key in redis.scan_iter(count=1000):
        kind = redis.type(key).decode()
        content: Any = {
            "string": lambda key: redis.get(key),
            "hash": lambda key: redis.hgetall(key),
            "list": lambda key: redis.lrange(key, 0, -1),
            "set": lambda key: redis.smembers(key),
            "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
            "stream": lambda key: redis.xrange(key),
            # Gone meanwhile.
            "none": lambda key: "",
        }[kind](key)
        yield key.decode(errors="replace"), repr(content)


def found(system: System) -> list[str]:
    """Return where the words are: keys of Redis, and files of the run by name or content, logs included."""
    places = []
    with Redis.from_url(system.valkey.url) as redis:
        for key, content in contents(redis):
            if any(word.casefold() in (key + content).casefold() for word in WORDS):
                # The newest answer to each thread of a worker, in case it must be repeated.
                if key.startswith("renderline:answer:"):
                    assert 0 < redis.pttl(key) <= 60_000
                    continue
                places.append(key)
    for path in system.directory.rglob("*"):
        # The sandbox is the vendor: it knows what it got.
        if path.is_file() and path.name != "sandbox.log":
            content = path.read_bytes().decode(errors="replace")
            if any(word.casefold() in f"{path.name}\n{content}".casefold() for word in WORDS):
                places.append(str(path.relative_to(system.directory)))
    return sorted(places)


def counted(system: System) -> list[Total]:
    """Return how many renders there are by state, kind and account."""
    with Redis.from_url(system.valkey.url, decode_responses=True) as redis:
        return Statistics(Ledger(redis)).totals()


def deck(system: System) -> str:
    """Store a deck as an upload does; return what a request says."""
    content = document("pptx", "yttrium")
    sha = hashlib.sha256(content).hexdigest()
    folder = system.directory / "videos/uploads/tenants/default"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sha).write_bytes(content)
    return f"upload:{sha}/Featherstonehaugh.pptx"


def test_nothing_is_left_of_a_forgotten_render(system: System, renderline: CommandLine) -> None:
    hooks = [
        {"type": "download", "path": "Featherstonehaugh/{id}.mp4"},
        {"type": "http", "url": f"{system.hook_endpoint.url}?who=quorndon"},
        # Nobody listens: a dead letter with the address in its error.
        {"type": "http", "url": "http://127.0.0.1:9/quorndon", "attempts": 1},
    ]
    said = {"name": "Zyxomma for Featherstonehaugh", "metadata": {"order": "ORDER-8931", "customer": "quorndon"}}
    one = system.enqueue({**system.request("Zyxomma petiolatum.", **said), "hooks": hooks}, key="first")
    reach(system, one, "undelivered")
    two = system.enqueue({"kind": "slides", "file": deck(system), "hooks": [], **said}, key="second")
    reach(system, two, "delivered")
    assert found(system), "the search finds what is there"
    totals = counted(system)
    before = {one: system.record(one), two: system.record(two)}

    looked = renderline.json("forget", one, "--key", "second", "--vendor", "--dry-run")
    assert [step["forgotten"] for step in looked] == [None, None]
    assert any(thing.startswith("file ") for thing in looked[0]["left"])
    done = renderline.json("forget", one, "--key", "second", "--vendor")
    assert [(step["id"], step["left"]) for step in done] == [(one, []), (two, [])]
    until(lambda: all(project["deleted"] for project in system.projects_of(one) + system.projects_of(two)))

    # The label's value is in log lines: that is what RENDERLINE_LABELS is for.
    assert {place for place in found(system) if not place.endswith(".log")} == set()
    logs = "".join(path.read_text(errors="replace") for path in system.directory.glob("worker*.log"))
    assert [word for word in WORDS if word in logs] in ([], ["quorndon"])

    for render_id, record in before.items():
        kept = system.record(render_id)
        assert kept["forgotten"]
        for name in ("id", "kind", "state", "times", "credit", "account", "tenant", "attempt", "attempts"):
            assert kept[name] == record[name], name
        texts = (kept["name"], kept["metadata"], kept["hooks"], kept["stored_url"], kept["project_id"])
        assert texts == (None, {}, [], None, None)
    assert f"forgotten  {system.record(one)['forgotten']}" in re.sub(" {2,}", "  ", renderline("show", one).out)
    assert "would erase: nothing more" in renderline("forget", one, "--vendor", "--dry-run").out
    assert counted(system) == totals
    assert [entry["action"] for entry in renderline.json("audit-log")[:2]] == ["forget", "forget"]
    # The key stays spent: the same message again renders nothing.
    assert system.enqueue({**system.request("Zyxomma petiolatum.", **said), "hooks": hooks}, key="first") == one
    assert len(system.projects_of(one)) == 1


def test_over_http_and_what_may_not_be_forgotten(system: System, tmp_path: Path) -> None:
    system.sandbox.control("DELETE", "faults")
    gateway = ForkedGateway(tmp_path / "gateway.log", **system.environ, RENDERLINE_API_KEYS_REQUIRED="true")
    try:
        with Redis.from_url(system.valkey.url, decode_responses=True) as redis:
            keys = ApiKeys(redis)
            made = {
                "admin": keys.create("admin", ["admin"], tenant="default"),
                "submit": keys.create("submit", ["submit", "read"], tenant="default"),
                "foreign": keys.create("foreign", ["admin"], tenant="acme"),
            }

        def delete(one: str, who: str = "admin", query: str = "") -> requests.Response:
            headers = {"Authorization": f"Bearer {made[who]}"}
            return requests.delete(f"{gateway.url}/v1/renders/{one}{query}", headers=headers, timeout=30)

        one = system.enqueue(system.request("[sandbox:slow] petiolatum"))
        refused = delete(one)
        assert refused.status_code == 409
        assert "cancel it first" in refused.json()["detail"]
        reach(system, one, "delivered")
        assert delete(one, "submit").status_code == 403
        assert delete(one, "foreign").status_code == 404
        assert system.record(one)["forgotten"] is None
        assert delete(one, query="?vender=true").status_code == 422
        answer = delete(one)
        assert answer.status_code == 200, answer.text
        assert answer.json()["forgotten"] == system.record(one)["forgotten"]
        until(lambda: delete(one).json()["left"] == [])
        # Without `vendor` its project stays, and can be deleted later.
        (project,) = system.projects_of(one)
        assert not project["deleted"]
        assert delete(one, query="?vendor=true").json()["left"] == [f"project {project['id']}"]
        until(lambda: system.projects_of(one)[0]["deleted"])
        until(lambda: delete(one).json()["left"] == [])
        assert delete("f" * 32).status_code == 404
    finally:
        gateway.stop()
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()


def test_a_file_that_cannot_be_deleted_yet_is_deleted_later(system: System, renderline: CommandLine) -> None:
    one = system.enqueue(system.request("petiolatum"))
    stored = Path(reach(system, one, "delivered")["stored_url"].removeprefix("file://"))
    stored.unlink()
    # A folder in its place: to remove it as a file fails.
    stored.mkdir()
    with Redis.from_url(system.valkey.url, decode_responses=True) as redis:
        (step,) = renderline.json("forget", one, "--wait", "2", code=4)
        assert step["left"] == [f"file {stored.as_uri()}"]
        stored.rmdir()
        stored.write_bytes(b"the video")
        # As if the minute were over.
        redis.zadd("renderline:forgetting", {one: 0})
        until(lambda: not redis.exists(f"renderline:forgetting:{one}"))
        assert redis.zscore("renderline:forgetting", one) is None
    assert not stored.exists()
