"""Only the links that we made, for as long as they are good, for the file that they were made for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from harness.clock import Clock
from renderline.signed_urls.download_links import LONGEST, PATH, DownloadLinks, LinkChanged, LinkExpired, NotStored
from renderline.signed_urls.signature import signature
from renderline.signed_urls.webhook_urls import WebhookUrls

KEY = "k" * 32
RENDER = "5f0c" * 8
NOW = 1_800_000_000.0


def record(**changed: Any) -> dict[str, Any]:
    outputs = [{"stored_url": "file:///v/de.mp4"}, {"stored_url": None}]
    return {"id": RENDER, "stored_url": "file:///v/a.mp4", "outputs": outputs, **changed}


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def links(clock: Clock) -> DownloadLinks:
    return DownloadLinks(KEY, clock=clock)


@pytest.fixture
def signed(links: DownloadLinks) -> str:
    return links.make(record(), output=0, seconds=600).path.rpartition("/")[2]


def test_a_link_says_which_file_and_until_when_and_nothing_else(links: DownloadLinks) -> None:
    link = links.make(record(), seconds=600)
    assert link.expires == NOW + 600
    head, render_id, signed = link.path.rsplit("/", 2)
    assert (head, render_id) == (PATH, RENDER)
    file, expires, mac = signed.split(".")
    assert (file, expires, len(mac)) == ("video", str(link.expires), 64)
    assert quote(signed, safe="") == signed
    assert links.verify(RENDER, signed) is None


def test_it_is_good_until_it_expires(links: DownloadLinks, signed: str, clock: Clock) -> None:
    clock.now += 599
    assert links.verify(RENDER, signed) == 0
    clock.now += 1
    with pytest.raises(LinkExpired):
        links.verify(RENDER, signed)


def test_it_is_good_for_its_own_render_alone(links: DownloadLinks, signed: str) -> None:
    for other in ("a" * 32, RENDER.upper(), ""):
        with pytest.raises(LinkChanged):
            links.verify(other, signed)


def test_another_key_makes_it_worthless(signed: str, clock: Clock) -> None:
    with pytest.raises(LinkChanged):
        DownloadLinks("j" * 32, clock=clock).verify(RENDER, signed)


def test_every_changed_character_is_noticed(links: DownloadLinks, signed: str) -> None:
    for index, kept in enumerate(signed):
        for other in {"0", "1", "9", "a", "f", "A", ".", "-", kept.upper()} - {kept}:
            with pytest.raises(LinkChanged):
                links.verify(RENDER, signed[:index] + other + signed[index + 1 :])


@pytest.mark.parametrize("text", ["", ".", "..", "video", "1.2", "x.y.z", "\u0662.\u0661.", "\ud800", "é", "a" * 5000])
def test_nonsense_is_refused_quietly(links: DownloadLinks, text: str) -> None:
    with pytest.raises(LinkChanged):
        links.verify(RENDER, text)


def test_no_signature_of_another_purpose_is_one_of_a_link(links: DownloadLinks, clock: Clock) -> None:
    """A webhook's URL has the same parts: attempt, expiry, signature."""
    url = WebhookUrls("https://example.com", KEY, clock=clock).url(RENDER, attempt=1, seconds=600.0)
    with pytest.raises(LinkChanged):
        links.verify(RENDER, url.rpartition("/")[2])
    expires = str(int(NOW) + 600)
    for purpose in ("renderline.links.v1", "renderline.callbacks.v1"):
        with pytest.raises(LinkChanged):
            links.verify(RENDER, f"video.{expires}.{signature(KEY.encode(), purpose, RENDER, 'video', expires)}")


@pytest.mark.parametrize("seconds", [0, -1, LONGEST + 1])
def test_no_link_is_good_for_longer_than_a_week(links: DownloadLinks, seconds: int) -> None:
    with pytest.raises(ValueError, match="1 to 604800 seconds"):
        links.make(record(), seconds=seconds)


@pytest.mark.parametrize(
    ("changed", "output", "said"),
    [
        ({"stored_url": None, "outputs": []}, None, "a hook of type download stores it when the render is completed."),
        ({"stored_url": None}, None, "for one of several files give its number: they are 0 to 1"),
        ({}, 1, "The file is not stored"),
        ({}, 2, "no output 2: they are 0 to 1"),
        ({}, -1, "no output -1"),
        ({"outputs": []}, 0, "no output 0: it has none"),
    ],
)
def test_what_is_not_stored_has_no_link(
    links: DownloadLinks, changed: dict[str, Any], output: int | None, said: str
) -> None:
    with pytest.raises(NotStored, match=said):
        links.make(record(**changed), output=output)


def test_the_key_is_not_shown(links: DownloadLinks) -> None:
    assert KEY not in repr(links)
