"""The page of one render in Chromium: why it failed, retried with keys alone, its video played, kept up to date."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

from harness.browser import PHONE, screenshot
from harness.samples import ROOT
from tests.integration.board.test_board_browser import violations

FAILED_ONE, PLAYED, LIVE, UNSENT = "5".zfill(32), "e1" * 16, "e2" * 16, "e3" * 16


@pytest.fixture(scope="module")
def played(board):
    """A render whose video is stored."""
    board.accept(PLAYED, "Welcome on video", customer="317")
    folder = board.storage / "tenants/acme"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "renderline/sandbox/landscape.mp4", folder / "welcome.mp4")
    board.redis.hset(f"renderline:render:{PLAYED}", "stored_url", f"{folder.as_uri()}/welcome.mp4")
    return PLAYED


def test_a_failed_render_is_found_explained_and_retried_with_the_keyboard(board, logged_in):
    with logged_in() as page:
        page.goto(f"/renders/{FAILED_ONE}")
        assert "No credit" in page.inner_text(".why")
        expect(page.locator("main")).to_contain_text("50010")
        page.focus("summary:has-text('Retry')")
        page.keyboard.press("Enter")
        assert page.is_visible(".question:has-text('may cost credits again')")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("[role=status]")).to_have_text("The render starts anew.")
        expect(page.locator(".now .state")).to_have_text("accepted")
        assert board.ledger.record(FAILED_ONE)["attempt"] == 2


def test_the_video_plays_in_the_page_and_is_read_in_ranges(logged_in, played):
    with logged_in(("read",)) as page:
        asked = []
        page.on("response", lambda answer: asked.append(answer) if "/video" in answer.url else None)
        page.goto(f"/renders/{played}")
        page.wait_for_function("document.querySelector('video').readyState >= 2")
        assert page.evaluate("document.querySelector('video').duration") > 0
        page.evaluate(
            "(async () => { const one = document.querySelector('video'); one.muted = true; await one.play() })()"
        )
        page.wait_for_function("document.querySelector('video').currentTime > 0")
        assert {answer.status for answer in asked} == {206}
        assert all("range" in answer.request.headers for answer in asked)
        screenshot(page, "render")


def test_the_page_follows_its_render(board, logged_in):
    board.accept(LIVE, "Followed", customer="1")
    with logged_in() as page:
        with page.expect_response("**/board/renders/*/events"):
            page.goto(f"/renders/{LIVE}")
        expect(page.locator(".now .state")).to_have_text("accepted")
        page.focus("summary:has-text('Hold')")
        board.ledger.fail(LIVE, code="7001", message="no such voice", origin="vendor")
        expect(page.locator(".now .state")).to_have_text("failed")
        expect(page.locator(".why")).to_contain_text("no such voice")
        expect(page.locator("[data-live=timeline]")).to_contain_text("failed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_finds_its_way_on_a_phone_too(board, logged_in, played, scheme):
    with logged_in(("operator",), None, color_scheme=scheme, viewport=PHONE) as page:
        for path in (f"/renders/{played}", f"/renders/{FAILED_ONE}", "/accounts", "/accounts/default"):
            page.goto(path)
            for closed in page.locator("details:not([open]) > summary").all()[:1]:
                closed.click()
            assert violations(page) == []
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, path


def test_without_scripts_everything_works(board, logged_in):
    one = UNSENT
    board.accept(one, "No scripts", customer="2")
    with logged_in(java_script_enabled=False) as page:
        page.goto(f"/renders/{one}")
        page.click("summary:has-text('Cancel')")
        page.click("button:has-text('Yes, cancel it')")
        assert page.inner_text("[role=status]") == "The render is canceled."
        assert board.ledger.record(one)["state"] == "canceled"
