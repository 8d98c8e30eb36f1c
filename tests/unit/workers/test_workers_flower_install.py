"""Our pages in Flower: left out by a setting, and with one warning where a release of Flower does not fit."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flower.urls
import pytest
from flower.views.broker import BrokerView
from tornado.web import URLSpec

from config.settings import Settings, load
from harness.ports import free_port
from workers.flower import reading, rows, tasks_seen
from workers.flower.install import install
from workers.flower.loader import PIECES, Loader
from workers.flower.queues import QueuePage
from workers.flower.reading import NotReadable, Reader

THEIRS = Path(flower.urls.settings["template_path"])
ONE, OTHER = "1" * 32, "2" * 32


def settings(**given: str) -> Settings:
    return load({"FLOWER_BASIC_AUTH": "ops:flower-password-of-the-test", **given}, role="flower")


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return Flower's routes, which are put back after the test."""
    monkeypatch.setattr(flower.urls, "handlers", list(flower.urls.handlers))
    monkeypatch.setattr(flower.urls, "settings", dict(flower.urls.settings))
    return flower.urls.handlers


def paths(routes: list[Any]) -> list[str]:
    return [route.regex.pattern if isinstance(route, URLSpec) else route[0] for route in routes]


def test_the_pages_come_before_flowers_last_route(routes: list[Any]) -> None:
    install(settings())
    assert paths(routes)[:2] == ["/renders$", "/renders/([A-Za-z0-9_-]{1,64})$"]
    assert paths(routes)[-1] == ".*$"


def test_one_setting_leaves_them_out_and_keeps_all_queues(routes: list[Any]) -> None:
    install(settings(RENDERLINE_FLOWER_RENDERS="false"))
    assert not [path for path in paths(routes) if "renders" in path]
    assert "template_loader" not in flower.urls.settings
    assert QueuePage in [getattr(route, "handler_class", None) for route in routes]


def without(name: str, folder: Path) -> Path:
    """Return a copy of Flower's templates in which one has no place for our piece."""
    copy = shutil.copytree(THEIRS, folder / "templates")
    (copy / name).write_text((THEIRS / name).read_text().replace(PIECES[name][0], "<!-- moved -->"))
    return copy


@pytest.mark.parametrize("name", PIECES)
def test_a_flower_with_other_templates_starts_without_them_and_says_so_once(
    routes: list[Any], name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flower.urls.settings["template_path"] = str(without(name, tmp_path))
    caplog.set_level("WARNING")
    install(settings())
    assert not [path for path in paths(routes) if "renders" in path]
    (warning,) = caplog.records
    assert f"its template {name} has no" in warning.getMessage()
    assert "RENDERLINE_FLOWER_RENDERS=false" in warning.getMessage()


def test_a_flower_without_a_name_that_we_use_starts_without_them(
    routes: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(flower.urls.settings, "template_path")
    caplog.set_level("WARNING")
    install(settings())
    assert not [path for path in paths(routes) if "renders" in path]
    assert "KeyError" in caplog.text


def test_a_template_that_is_not_ours_is_flowers() -> None:
    loader = Loader(THEIRS)
    assert loader.text("broker.html") == (THEIRS / "broker.html").read_text()
    assert "Renders" in loader.text("navbar.html")


def test_the_page_of_queues_lists_ours_beside_those_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrokerView, "get_active_queue_names", lambda _: ["billing", "hooks"])
    page = QueuePage.__new__(QueuePage)
    assert page.get_active_queue_names() == ["billing", "hooks", "poll", "requests", "submit"]


def test_a_redis_that_is_away_is_named_without_its_password() -> None:
    reader = Reader(settings(REDIS_URL=f"redis://me:secret-password@127.0.0.1:{free_port()}/0"))
    with pytest.raises(NotReadable, match=r"^Redis at .*127\.0\.0\.1.* does not answer") as caught:
        asyncio.run(reader.page("", None))
    assert "secret-password" not in str(caught.value)


def task(**fields: Any) -> Any:
    plain = {
        "name": "renderline.submit",
        "args": "()",
        "kwargs": "{}",
        "result": "",
        "state": "SUCCESS",
        "timestamp": 1.0,
    }
    return SimpleNamespace(**{**plain, **fields})


def test_a_render_has_the_tasks_that_name_it_the_newest_first() -> None:
    tasks = [
        ("a", task(args=f"('{ONE}',)")),
        ("b", task(args=f"('{OTHER}',)")),
        ("c", task(name="renderline.poll", result=f"polled 2: 1 completed ({ONE})", timestamp=3.0)),
        ("d", task(name=None, args=None, result=None, timestamp=None)),
    ]
    assert [one.uuid for one in tasks_seen.of_render(ONE, tasks)] == ["c", "a"]


@pytest.mark.parametrize(
    ("seen", "renders"),
    [
        (task(args=f"('{ONE}', 0)"), [ONE]),
        (task(name="renderline.request", result=f"accepted: {ONE}"), [ONE]),
        (task(name="renderline.poll", result=f"polled 3: 2 completed ({ONE}, {OTHER})"), [ONE, OTHER]),
        (task(name="billing.other", args=f"('{ONE}',)"), []),
        (task(args=f"('{ONE}a',)"), []),
    ],
)
def test_a_task_leads_to_its_renders(seen: Any, renders: list[str]) -> None:
    assert tasks_seen.renders_of(seen) == renders


def record(state: str, **fields: Any) -> dict[str, Any]:
    return {"id": "r1", "state": state, "hooks": [], **fields}


@pytest.mark.parametrize(
    ("render", "commands"),
    [
        (record("failed"), ["renderline retry r1"]),
        (record("expired"), ["renderline retry r1"]),
        (record("rendering"), ["renderline cancel r1"]),
        (record("accepted", held={"by": "ops"}), ["renderline release r1", "renderline cancel r1"]),
        (record("undelivered", hooks=[{"state": "dead"}, {"state": "delivered"}]), ["renderline replay r1"]),
        (record("delivered", hooks=[{"state": "delivered"}]), []),
        (
            record("unconfirmed"),
            ["renderline adopt r1 PROJECT", "renderline resubmit r1", "renderline fail r1 --reason TEXT"],
        ),
    ],
)
def test_the_commands_for_a_render_fit_its_state(render: dict[str, Any], commands: list[str]) -> None:
    assert rows.commands(render) == commands


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://gateway.example/", "https://gateway.example/renders/r1"),
        ("https://one.example/renderline", "https://one.example/renderline/renders/r1"),
        (None, None),
    ],
)
def test_the_link_to_the_board(url: str | None, link: str | None) -> None:
    assert rows.board_url(url, "r1") == link


def test_a_redis_that_does_not_answer_holds_up_neither_flower_nor_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ANSWER_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reader = Reader(settings(REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))

        async def turns_while_waiting() -> int:
            page, turns = asyncio.ensure_future(reader.page("", None)), 0
            while not page.done():
                turns += 1
                await asyncio.sleep(0.01)
            with pytest.raises(NotReadable, match="does not answer"):
                page.result()
            return turns

        assert asyncio.run(turns_while_waiting()) > 5
