"""The client for URLs that others chose: what it does not follow."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from renderline.http import host_and_port
from renderline.http.client import MAX_REDIRECTS, Client


class Redirecting:
    """An adapter whose answers all lead to `target`."""

    def __init__(self, target: str) -> None:
        self.target, self.sent = target, 0

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.sent += 1
        response = requests.Response()
        response.status_code, response.headers["Location"] = 302, self.target
        response.raw = _Raw()
        return response


class _Raw:
    def close(self) -> None:
        pass


def client(target: str) -> tuple[Client, Redirecting]:
    made, adapter = Client(user_agent="test", allow_private=True), Redirecting(target)
    made._guarded = {"http": adapter, "https": adapter}  # type: ignore[dict-item]
    return made, adapter


def get(one: Client, *, seconds: float = 60.0) -> None:
    one.get("http://x.test", headers={}, connect_timeout=1.0, read_timeout=1.0, end=time.monotonic() + seconds)


@pytest.mark.parametrize("target", ["ftp://x.test/v.mp4", "file:///etc/passwd"])
def test_a_redirect_to_another_scheme_is_not_followed(target: str) -> None:
    one, adapter = client(target)
    with pytest.raises(requests.exceptions.InvalidSchema):
        get(one)
    assert adapter.sent == 1


def test_redirects_end() -> None:
    one, adapter = client("http://x.test/again")
    with pytest.raises(requests.exceptions.TooManyRedirects):
        get(one)
    assert adapter.sent == MAX_REDIRECTS + 1


def test_redirects_end_with_the_time() -> None:
    one, adapter = client("http://x.test/again")
    with pytest.raises(requests.exceptions.ReadTimeout, match="redirects took too long"):
        get(one, seconds=-1.0)
    assert adapter.sent == 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://X.test:80/a?b", "x.test"),
        ("https://x.test:443", "x.test"),
        ("http://x.test:443", "x.test:443"),
        ("http://u:p@[::1]:80/", "[::1]"),
        ("http://x.test:8080", "x.test:8080"),
        ("", ""),
    ],
)
def test_one_host_has_one_name(url: str, shown: str) -> None:
    assert host_and_port(url) == shown
