"""`renderline link`: the same links as the gateway makes, printed."""

from __future__ import annotations

import time

import pytest

from harness.ledger import LedgerDriver
from renderline.signed_urls.download_links import DownloadLinks, LinkExpired

SECRET = "the signing key of these tests, 32 and more"
ONE = "a" * 32


@pytest.fixture
def stored(redis):
    LedgerDriver(redis).complete(ONE)
    redis.hset(f"renderline:render:{ONE}", "stored_url", "file:///videos/a.mp4")


def test_a_link_is_printed_alone_and_leads_to_the_gateway(run, stored):
    done = run("link", ONE, "--expires", "30m", "--gateway", "https://example.com/", RENDERLINE_SECRET_KEY=SECRET)
    assert (done.code, done.err) == (0, "")
    head, _, signed = done.out.strip().rpartition("/")
    assert head == f"https://example.com/links/{ONE}"
    assert DownloadLinks(SECRET).verify(ONE, signed) is None
    with pytest.raises(LinkExpired):
        DownloadLinks(SECRET, clock=lambda: time.time() + 1801).verify(ONE, signed)
    public = {"RENDERLINE_PUBLIC_URL": "https://renders.example.com", "GATEWAY_URL": "http://127.0.0.1:1"}
    assert run("link", ONE, RENDERLINE_SECRET_KEY=SECRET, **public).out.startswith("https://renders.example.com/links/")
    here = run("link", ONE, "--json", RENDERLINE_SECRET_KEY=SECRET, GATEWAY_URL="http://127.0.0.1:1").value
    assert set(here) == {"id", "url", "expires_at"}
    assert here["url"].startswith("http://127.0.0.1:1/links/")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((ONE,), 2, "set RENDERLINE_PUBLIC_URL, or give --gateway"),
        ((ONE, "--gateway", "example.com"), 2, "http(s)://host[:port]"),
        ((ONE, "--expires", "8d", "--gateway", "http://x"), 2, "1 second to 7 days"),
        ((ONE, "--expires", "soon", "--gateway", "http://x"), 2, "such as 90s, 30m, 1h, 7d"),
        (("b" * 32, "--gateway", "http://x"), 5, "not found"),
        ((ONE, "--output", "3", "--gateway", "http://x"), 1, "no output 3"),
    ],
)
def test_what_cannot_be_linked_is_named(run, stored, arguments, code, said):
    done = run("link", *arguments, RENDERLINE_SECRET_KEY=SECRET)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_without_a_signing_key_the_setting_is_named(run, stored):
    done = run("link", ONE, "--gateway", "http://x")
    assert (done.code, "RENDERLINE_SECRET_KEY is unset" in done.err) == (2, True)
