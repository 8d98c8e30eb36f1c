"""The board as people see it, in Chromium: login, search, live rows, one operation on many, phone, screen reader."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.browser import PHONE, open_page, screenshot

ROWS = "table.renders tbody tr"


def violations(page):
    """Return what axe finds: each rule with the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_a_key_opens_the_board_and_a_wrong_one_does_not(board, browser):
    key = board.keys.create("ops", ["read"], tenant="acme")
    with open_page(browser, board.gateway.url) as page:
        page.goto("/?q=state%3Afailed")
        page.fill("#key", f"{key[:-4]}AAAA")
        page.keyboard.press("Enter")
        assert page.inner_text("[role=alert]") == "The API key is not valid."
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_selector("#rows")
        # Back where the visitor wanted to go.
        assert page.input_value("#q") == "state:failed"
        (cookie,) = page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert key.split("_", 2)[2] not in cookie["value"]
        page.click("text=Log out")
        page.wait_for_selector("#key")
        page.goto("/")
        assert page.is_visible("#key")


def test_a_search_finds_one_of_500_and_tells_what_is_wrong_with_another(logged_in):
    with logged_in() as page:
        assert page.locator(ROWS).count() == 50
        page.fill("#q", "customer:317")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=customer*")
        assert page.locator(ROWS).count() == 1
        assert "Welcome 317" in page.inner_text(ROWS)
        page.fill("#q", "held:maybe")
        page.keyboard.press("Enter")
        assert "must be yes or no" in page.inner_text("[role=alert]")
        assert page.input_value("#q") == "held:maybe"


def test_filters_are_links_and_pages_follow_each_other(logged_in):
    with logged_in() as page:
        page.click(".chip >> text=failed")
        page.wait_for_url("**state*failed*")
        assert page.locator(ROWS).count() == 7
        assert "50010" in page.inner_text(ROWS) or "No credit" in page.inner_text(ROWS)
        page.click(".chip.on")
        page.wait_for_url(lambda url: "failed" not in url)
        first = page.inner_text(f"{ROWS} >> nth=0")
        page.click("text=Older")
        page.wait_for_url("**cursor=*")
        assert page.inner_text(f"{ROWS} >> nth=0") != first


def test_changes_appear_while_focus_and_choices_stay(board, logged_in):
    with logged_in(("operator",), None) as page:
        page.check(f"{ROWS} >> nth=2 >> input[name=id]")
        page.focus(f"{ROWS} >> nth=2 >> .name a")
        focused = page.inner_text(":focus")
        board.accept("f" * 32, "Fresh <b>one</b>")
        page.wait_for_selector(f"#r-{'f' * 32} >> text=Fresh <b>one</b>")
        board.ledger.fail("f" * 32, code="50010", message="No credit", origin="vendor")
        page.wait_for_selector(f"#r-{'f' * 32} .state-failed")
        page.wait_for_selector(f"#r-{'f' * 32} .why >> text=No credit")
        assert page.inner_text(":focus") == focused
        assert page.inner_text("#chosen") == "1 chosen"


def test_the_sentence_never_names_another_progress_than_the_bar(logged_in):
    with logged_in() as page:
        said = page.evaluate(
            """async () => {
              const { apply } = await import(document.querySelector("script[src]").src.replace("board.js", "rows.js"));
              const row = document.querySelector("#rows tbody tr");
              const why = row.querySelector(".why");
              why.textContent = "The vendor is at 48 %; renders of this kind usually take 8 s.";
              apply(document.getElementById("rows"), [[row.id.slice(2), "rendering", 76.4]], true);
              return [why.textContent, row.querySelector(".percent").textContent];
            }"""
        )
    assert said == ["The vendor is at 76 %; renders of this kind usually take 8 s.", "76 %"]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_many_renders_are_retried_after_a_question(board, logged_in, javascript):
    for number in (490, 491):
        board.ledger.fail(f"{number:032x}", code="7001", message="No such voice", origin="vendor")
    with logged_in(java_script_enabled=javascript) as page:
        page.goto("/?q=code%3A7001")
        assert page.locator(ROWS).count() == 2
        page.check("input[name=scope][value=all]")
        page.click("text=Retry…")
        assert page.inner_text("h1") == "Retry 2 renders?"
        assert board.ledger.record(f"{490:032x}")["state"] == "failed"
        page.click("text=Yes, retry 2")
        assert page.inner_text("h1") == "Retry 2 renders: done"
    states = {board.ledger.record(f"{number:032x}")["state"] for number in (490, 491)}
    assert states == {"accepted"}


def test_chosen_renders_that_changed_meanwhile_are_refused_with_the_reason(board, logged_in):
    with logged_in() as page:
        page.goto("/?q=id%3A" + f"{480:032x}")
        page.check(f"{ROWS} >> input[name=id]")
        page.click("text=Cancel…")
        board.ledger.fail(f"{480:032x}", code="7001", message="No such voice", origin="vendor")
        page.click("text=Yes, cancel 1")
        assert "1 refused" in page.inner_text("h1")
        assert "The render is failed" in page.inner_text(".refused")


def test_a_tenant_sees_its_own_renders_and_figures_alone(board, logged_in):
    with logged_in(("admin",), "globex") as page:
        assert page.locator(ROWS).count() == 1
        assert "acme" not in page.content()
        board.accept("e" * 32, "Another of acme")
        board.accept("d" * 32, "Own", tenant="globex")
        page.wait_for_selector(f"#r-{'d' * 32}")
        assert page.locator(f"#r-{'e' * 32}").count() == 0


def test_foreign_text_is_inert(board, logged_in):
    name = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\x1b[31m"
    board.accept("c" * 32, name, customer="'\"><svg onload=alert(1)>")
    with logged_in() as page:
        page.goto("/?q=id%3A" + "c" * 32)
        shown = page.inner_text(f"#r-{'c' * 32} .name")
        assert shown.startswith("<img src=x onerror=")
        assert "\u202e" not in shown
        assert "\x1b" not in shown
        assert page.locator("#rows img, #rows script, #rows svg").count() == 0
        assert "owned" not in page.title()
        board.ledger.fail("c" * 32, code="<b>", message="</td><script>1</script>", origin="vendor")
        page.wait_for_selector(".state-failed >> nth=-1")


def in_both_schemes(page, name):
    """Yield what axe finds in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        screenshot(page, f"board-{name}-{scheme}")
        yield from violations(page)


def test_axe_finds_nothing_in_light_and_dark(board, browser, logged_in):
    with open_page(browser, board.gateway.url) as page:
        page.goto("/login")
        assert list(in_both_schemes(page, "login")) == []
    with logged_in(("operator",), None) as page:
        page.goto("/?q=state%3Afailed")
        page.wait_for_selector("#live:not([hidden])")
        assert list(in_both_schemes(page, "list")) == []
        page.check("input[name=scope][value=all]")
        page.click("text=Retry…")
        assert list(in_both_schemes(page, "question")) == []


def test_a_phone_scrolls_in_one_direction_only(logged_in):
    with logged_in(("operator",), None, viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "board-list-phone")
        page.goto("/?q=state%3Afailed")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_revoked_key_ends_the_session(board, logged_in):
    with logged_in(("read",), "acme") as page:
        (key,) = [one for one in board.keys.list() if one.scopes == ("read",) and one.name == "tests"]
        board.keys.revoke(key.key_id)
        # The open page notices by itself: its stream ends, and its next question is not answered.
        page.wait_for_selector("#key")
