"""Whether a page is there: asked of a real server, within a time, and never of a private address by mistake."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from renderline.http import PageCheck

Answer = tuple[int, dict[str, str]]


class Site(ThreadingHTTPServer):
    """A web site: a status and headers for each method and path."""

    daemon_threads = True

    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.answers, self.asked = answers, list[str]()
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Any = self.server
        site.asked.append(f"{self.command} {self.path}")
        if self.path == "/silent":
            site.released.wait(20)
        status, headers = site.answers.get(f"{self.command} {self.path}", site.answers.get(self.path, (404, {})))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def start(**answers: Any) -> Site:
        one = Site({name.replace("__", " /").replace("at_", "/"): answer for name, answer in answers.items()})
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        made.append(one)
        return one

    yield start
    for one in made:
        one.released.set()
        one.shutdown()
        one.server_close()


def check(url: str, *, allow_private: bool = True, seconds: float = 5.0) -> tuple[str, str]:
    return tuple(PageCheck(user_agent="test", allow_private=allow_private, seconds=seconds)(url))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("head", "get", "found", "asked"),
    [
        (200, 200, ("there", ""), 1),
        (204, 200, ("there", ""), 1),
        # a server without HEAD
        (404, 200, ("there", ""), 2),
        (410, 410, ("gone", "it answers 410"), 2),
        (404, 404, ("gone", "it answers 404"), 2),
        (404, 503, ("unclear", "it answers 503"), 2),
        # these the vendor may see with other eyes
        (405, 200, ("there", ""), 2),
        (401, 401, ("unclear", "it answers 401"), 2),
        (403, 403, ("unclear", "it answers 403"), 2),
        (403, 404, ("gone", "it answers 404"), 2),
        (500, 502, ("unclear", "it answers 502"), 2),
    ],
)
def test_only_a_definite_answer_says_that_a_page_is_gone(
    site: Any, head: int, get: int, found: tuple[str, str], asked: int
) -> None:
    one = site(HEAD__page=(head, {}), GET__page=(get, {}))
    assert check(f"{one.url}/page") == found
    assert len(one.asked) == asked


def test_redirects_are_followed_to_their_end(site: Any) -> None:
    one = site(at_old=(301, {"Location": "/new"}), at_new=(200, {}), at_lost=(302, {"Location": "/nowhere"}))
    assert check(f"{one.url}/old") == ("there", "")
    assert check(f"{one.url}/lost") == ("gone", "it answers 404")


def test_a_silent_server_costs_the_time_that_was_given(site: Any) -> None:
    one = site()
    began = time.monotonic()
    assert check(f"{one.url}/silent", seconds=0.6) == ("unclear", "it did not answer in time")
    assert time.monotonic() - began < 3.0


def test_what_cannot_be_reached_from_here_is_unclear() -> None:
    assert check("http://127.0.0.1:9/") == ("unclear", "the connection was refused")
    assert check("https://no-such-host.invalid/")[0] == "unclear"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/page", "http://localhost:{port}/page", "http://[::1]/"])
def test_a_private_address_is_not_called(site: Any, url: str) -> None:
    one = site(at_page=(200, {}))
    status, why = check(url.format(port=one.server_port), allow_private=False)
    assert (status, one.asked) == ("gone", [])
    assert "private address" in why


def test_a_name_with_a_private_address_tells_nothing(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = site(at_page=(200, {}))
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        named_inside = host == "intranet.example.com" and not named.get("flags")
        return real("127.0.0.1" if named_inside else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    found = check(f"http://intranet.example.com:{one.server_port}/page", allow_private=False)
    assert found == ("unclear", "no public address was found for its name")
    assert one.asked == []
