"""Headless Chromium: the installed one, driven by Playwright. A page notes what its console complains about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.samples import ROOT

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", ROOT / "var" / "screenshots"))
"""Where browser tests write what they saw."""

PHONE = {"width": 390, "height": 844}
# The first is the same browser without what draws windows: it needs half of the CPU time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")


def chromium_path() -> str | None:
    """Return the path of the installed Chromium, or None."""
    return next((path for path in map(shutil.which, _NAMES) if path), None)


def chromium() -> str:
    """Return the path of Chromium; without one the test is skipped by name, and fails if CI=true."""
    path = chromium_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed: apt-get install chromium-headless-shell")
        pytest.skip("needs Chromium: apt-get install chromium-headless-shell")
    return path


@contextmanager
def open_browser(path: str | None = None) -> Iterator[Browser]:
    """Open a headless browser."""
    # Root has no sandbox of its own, and a container's /dev/shm is small.
    options = ["--no-sandbox", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path or chromium(), args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """Open a page in a context of its own, in which paths are relative to `url`.

    On leaving, asserts that no script failed and that the content security policy refused nothing.
    """
    with browser.new_context(base_url=url, **options) as context:  # type: ignore[arg-type]
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if _is_complaint(line.text) else None)
        yield page
        assert not complaints, complaints


def _is_complaint(text: str) -> bool:
    return "Content Security Policy" in text or "Refused to" in text


def screenshot(page: Page, name: str, *, full: bool = False) -> Path:
    """Write a picture of the page to the folder of screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=full)
    return path
