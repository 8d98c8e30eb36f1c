"""Renders inside the running Flower, as an operator sees them in a browser and as a stranger gets them over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from playwright.sync_api import Browser, Page, expect
from redis import Redis

from harness import Flower, call, until
from harness.browser import chromium, open_browser, open_page, screenshot
from harness.ledger import LEASE, accept_render
from renderline import contract
from renderline.ledger import Ledger

LOGIN = ("ops", "flower-password-of-the-test")
COUNT = 500
FAILED, HOSTILE = f"{317:032x}", f"{400:032x}"
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
REASON = "vendor 50010 No credit is left"
TASK = "11111111-2222-3333-4444-555555555555"


def accept_all(ledger: Ledger) -> None:
    """Accept the renders, and let one fail at the vendor."""
    for number in range(COUNT):
        one = f"{number:032x}"
        name = MARKUP if one == HOSTILE else f"Customer {number}"
        accept_render(ledger, one, meta={"name": name, "hooks": [], "metadata": {"customer": str(number)}})
    claim = ledger.claim_submission(FAILED, lease=LEASE)
    assert claim
    assert ledger.fail(FAILED, fence=claim.fence, code="50010", message="No credit is left", origin="vendor")


def send_events(url: str) -> None:
    """Send what a worker sends of the failed render's submission, over the real broker."""
    with (
        Celery("events", broker=url, set_as_current=False) as app,
        app.events.default_dispatcher(hostname="worker@there") as events,
    ):
        about = {"uuid": TASK}
        events.send("task-received", name=contract.SUBMIT, args=f"('{FAILED}',)", kwargs="{}", **about)
        events.send("task-started", **about)
        events.send("task-failed", result=f"failed: {REASON}", exception=f"failed: {REASON}", **about)


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory, valkey: Any) -> Iterator[Flower]:
    """Return a Flower that was started before any worker, with its renders and a task of one of them."""
    with Redis.from_url(valkey.url, decode_responses=True) as redis:
        redis.flushall()
        accept_all(Ledger(redis))
        directory = tmp_path_factory.mktemp("flower")
        environ = {
            "REDIS_URL": valkey.url,
            "RENDERLINE_DATA_DIR": str(directory / "data"),
            "FLOWER_BASIC_AUTH": ":".join(LOGIN),
            "RENDERLINE_LABELS": "customer",
            "RENDERLINE_PUBLIC_URL": "https://gateway.example",
        }
        process = Flower(directory / "flower.log", environ)
        process.wait_ready()

        def seen() -> bool:
            # Flower may begin to listen in the middle of the events: then it knows the task, and not its arguments.
            send_events(valkey.url)
            task = call("GET", f"{process.url}/api/tasks", auth=LOGIN).json().get(TASK, {})
            return task.get("state") == "FAILURE" and FAILED in (task.get("args") or "")

        try:
            until(seen, what="the task in Flower")
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser(chromium()) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, flower: Flower) -> Iterator[Page]:
    login = {"username": LOGIN[0], "password": LOGIN[1]}
    with open_page(browser, flower.url, http_credentials=login) as page:
        page.set_default_timeout(20_000)
        page.goto("/")
        yield page


def test_one_failed_render_of_500_is_found_by_name_with_its_reason_its_task_and_back(page: Page) -> None:
    began = time.monotonic()
    page.get_by_role("link", name="Renders").click()
    page.get_by_role("searchbox").fill("customer 317")
    page.get_by_role("button", name="Search").click()
    rows = page.locator("#renders-table tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("failed")
    expect(rows).to_contain_text("No credit is left")
    screenshot(page, "flower-renders")

    page.get_by_role("link", name="Customer 317").click()
    expect(page.locator("#sentence")).to_contain_text("No credit is left")
    expect(page.locator("#commands")).to_contain_text(f"renderline retry {FAILED}")
    assert page.locator("#board").get_attribute("href") == f"https://gateway.example/renders/{FAILED}"
    expect(page.locator("#timeline")).to_contain_text("accepted")
    expect(page.locator("#record")).to_contain_text("317")

    screenshot(page, "flower-render", full=True)
    page.get_by_role("link", name=contract.SUBMIT).click()
    expect(page.locator("#task-page")).to_contain_text("FAILURE")
    expect(page.locator("#task-page")).to_contain_text(REASON)
    page.get_by_role("link", name=f"Render {FAILED}").click()
    expect(page).to_have_url(re.compile(f"/renders/{FAILED}$"))
    assert time.monotonic() - began < 60


def test_the_tab_is_on_flowers_own_pages_and_counts_lead_to_a_state(page: Page) -> None:
    for path in ("/workers", "/tasks", "/broker"):
        page.goto(path)
        expect(page.get_by_role("link", name="Renders")).to_be_visible()
    page.get_by_role("link", name="Renders").click()
    page.locator("[data-state=failed]").click()
    expect(page.locator("#renders-table tbody tr")).to_have_count(1)
    expect(page.locator("[data-state=accepted]")).to_have_text(f"accepted {COUNT - 1}")


def test_older_renders_are_one_page_further(page: Page) -> None:
    page.goto("/renders")
    newest = page.locator("#renders-table tbody tr").first.inner_text()
    page.get_by_role("link", name="Older renders").click()
    expect(page.locator("#renders-table tbody tr").first).not_to_have_text(newest)


def test_markup_in_a_name_is_text(page: Page) -> None:
    for path in (f"/renders?q=id:{HOSTILE}", f"/renders/{HOSTILE}"):
        page.goto(path)
        expect(page.get_by_text(MARKUP).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0


def test_all_queues_are_shown_before_any_worker_answers(page: Page) -> None:
    page.goto("/broker")
    for queue in contract.QUEUES:
        expect(page.locator(f"#queue-table tr#{queue}")).to_be_visible()


@pytest.mark.parametrize("path", ["/renders", f"/renders/{FAILED}", "/renders?q=x"])
def test_nothing_is_shown_without_a_login_and_nothing_is_changed(flower: Flower, path: str) -> None:
    assert call("GET", flower.url + path).status_code == 401
    answer = call("GET", flower.url + path, auth=LOGIN)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script>" not in answer.text
    assert {call(method, flower.url + path, auth=LOGIN).status_code for method in ("POST", "DELETE", "PUT")} == {403}


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/renders?q=state:broken", 400, "must be one of"),
        ("/renders?cursor=broken", 400, "not a cursor"),
        (f"/renders/{'0' * 31}z", 404, "no such render"),
        ("/renders/a.b", 404, ""),
    ],
)
def test_a_bad_search_and_an_unknown_render_are_explained(flower: Flower, path: str, status: int, text: str) -> None:
    answer = call("GET", flower.url + path, auth=LOGIN)
    assert answer.status_code == status
    assert text in answer.text
