"""Only the URLs that we made, for as long as they are good, for the render and attempt that they were made for."""

import hmac
from urllib.parse import quote

import pytest

from harness.clock import Clock
from renderline.signed_urls.webhook_urls import GRACE, WebhookUrls

KEY = "k" * 32
RENDER = "5f0c" * 8
NOW = 1_800_000_000.0


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def urls(clock):
    return WebhookUrls("https://example.com/renders", KEY, clock=clock)


@pytest.fixture
def signature(urls):
    return urls.url(RENDER, attempt=2, seconds=600.0).rpartition("/")[2]


def test_the_url_has_the_form_that_the_gateway_serves(urls):
    url = urls.url(RENDER, attempt=1, seconds=600.0)
    head, render_id, signature = url.rsplit("/", 2)
    assert (head, render_id) == ("https://example.com/renders/webhooks/aistudios", RENDER)
    assert quote(signature, safe="") == signature
    assert len(url) < 250


def test_a_public_url_with_a_slash_at_its_end_makes_no_double_one(clock):
    url = WebhookUrls("https://example.com/", KEY, clock=clock).url(RENDER, attempt=1, seconds=1.0)
    assert url.startswith(f"https://example.com/webhooks/aistudios/{RENDER}/")


def test_a_genuine_signature_names_its_attempt(urls, signature):
    assert urls.verify(RENDER, signature) == (2, 1)


def test_it_expires_a_day_after_the_deadline(urls, signature, clock):
    clock.now += 600.0 + GRACE - 1
    assert urls.verify(RENDER, signature) == (2, 1)
    clock.now += 1
    assert urls.verify(RENDER, signature) is None


def test_it_is_good_for_its_own_render_alone(urls, signature):
    assert urls.verify("a" * 32, signature) is None
    assert urls.verify(RENDER.upper(), signature) is None
    assert urls.verify("", signature) is None


def test_another_key_makes_it_worthless(signature, clock):
    assert WebhookUrls("https://example.com", "j" * 32, clock=clock).verify(RENDER, signature) is None


def test_every_changed_character_is_noticed(urls, signature):
    for index, kept in enumerate(signature):
        for other in {"0", "1", "9", "a", "f", "A", ".", "-", kept.upper()} - {kept}:
            changed = signature[:index] + other + signature[index + 1 :]
            assert urls.verify(RENDER, changed) is None, changed


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "1", "1.2", "x.y.z", "\u0662.\u0661.", "1.1e9.", "\ud800", "é", "a" * 5000]
)
def test_nonsense_is_refused_quietly(urls, signature, text):
    assert urls.verify(RENDER, text) is None
    assert urls.verify(text, signature) is None
    assert text == "" or urls.verify(RENDER, signature + text) is None


def test_the_parts_cannot_be_shifted(urls, signature):
    """Moving characters from one part to its neighbour gives another message, not the same one."""
    attempt, expires, mac = signature.split(".")
    assert urls.verify(f"{RENDER}\n{attempt}", f"{expires}..{mac}") is None
    assert urls.verify(RENDER, f"{attempt}{expires[0]}.{expires[1:]}.{mac}") is None
    assert urls.verify(RENDER, f"{attempt}\n{expires}..{mac}") is None


def test_a_later_draft_has_an_url_of_its_own(urls):
    first, second = (urls.url(RENDER, attempt=2, draft=draft, seconds=600.0) for draft in (1, 2))
    assert urls.verify(RENDER, first.rpartition("/")[2]) == (2, 1)
    assert urls.verify(RENDER, second.rpartition("/")[2]) == (2, 2)
    signed, expires, mac = second.rpartition("/")[2].split(".")
    assert urls.verify(RENDER, f"2.{expires}.{mac}") is None
    assert urls.verify(RENDER, f"{signed}1.{expires}.{mac}") is None


def test_an_url_made_before_drafts_had_numbers_is_about_the_first(urls):
    expires = str(int(NOW + 600.0 + GRACE))
    message = "\n".join(("renderline.callbacks.v1", RENDER, "3", expires))
    mac = hmac.digest(KEY.encode(), message.encode(), "sha256").hex()
    assert urls.verify(RENDER, f"3.{expires}.{mac}") == (3, 1)


def test_the_key_is_not_shown(urls):
    assert KEY not in repr(urls)
