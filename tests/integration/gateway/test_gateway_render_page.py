"""The page of one render, of an account, and their forms: what is offered, done and refused; foreign text is inert."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from harness import a_request
from harness.ledger import LedgerDriver
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import AccountLimits

ONE, OTHER = "a" * 32, "b" * 32
MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m'


@pytest.fixture(scope="module")
def gateway_options() -> dict[str, Any]:
    return {"RENDERLINE_API_KEYS_REQUIRED": "true"}


class Visitor:
    """A browser without scripts: keeps its cookie, and sends the form token of the page that it saw last."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.http = url, requests.Session()
        self.http.trust_env = False
        self.page("/login")
        assert self.post("/login", key=key).status_code == 200

    def page(self, path: str, **options: Any) -> requests.Response:
        answer = self.http.get(f"{self.url}{path}", timeout=20, **options)
        token = re.search(r'name="form_token" value="([^"]+)"', answer.text)
        self.token = token[1] if token else ""
        return answer

    def post(self, path: str, **fields: str) -> requests.Response:
        return self.http.post(f"{self.url}{path}", data={"form_token": self.token, **fields}, timeout=20)


@pytest.fixture
def visit(gateway, redis):
    """Log in with a new key of these scopes."""
    visitors = []

    def new(*scopes: str, tenant: str | None = "default") -> Visitor:
        visitors.append(Visitor(gateway.url, ApiKeys(redis).create("visitor", list(scopes), tenant=tenant)))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.http.close()


def offered(answer: requests.Response) -> set[str]:
    return {path.rpartition("/")[2] for path in re.findall(r'action="(/board/[^"]+)"', answer.text)}


def accepted(gateway, redis, **fields: Any) -> str:
    key = ApiKeys(redis).create("sender", ["submit"], tenant="default")
    answer = gateway.ask("POST", "/v1/renders", a_request(**fields), headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_failed_render_says_why_and_is_retried_from_its_page(visit, driver):
    driver.accept(ONE)
    driver.claim(ONE)
    driver.ledger.fail(ONE, code="7001", message="no such voice", origin="vendor")
    visitor = visit("submit", "read")
    shown = visitor.page(f"/renders/{ONE}")
    assert shown.status_code == 200
    assert "no such voice" in shown.text
    assert offered(shown) == {"retry"}
    done = visitor.post(f"/board/renders/{ONE}/retry")
    assert "The render starts anew." in done.text
    assert driver.state(ONE) == "accepted"
    again = visitor.post(f"/board/renders/{ONE}/retry")
    assert again.status_code == 409
    assert "only a failed or expired one can be retried" in again.text
    assert "Attempt 1: failed" in again.text


def test_an_unconfirmed_render_is_settled(visit, driver):
    driver.accept(ONE)
    driver.start(ONE, confirmed=False)
    visitor = visit("admin")
    assert offered(visitor.page(f"/renders/{ONE}")) == {"adopt", "resubmit", "fail", "cancel"}
    missing = visitor.post(f"/board/renders/{ONE}/adopt", project_id="")
    assert missing.status_code == 422
    assert driver.state(ONE) == "unconfirmed"
    assert "has failed" in visitor.post(f"/board/renders/{ONE}/fail", message="looked for it there").text
    assert driver.record(ONE)["error"]["message"] == "looked for it there"


def test_a_dead_hook_is_replayed_or_discarded(visit, driver):
    driver.complete(ONE, hooks=2)
    for index in (0, 1):
        claim = driver.ledger.claim_hook(ONE, index, lease=20.0)
        driver.ledger.record_hook(ONE, index, claim, outcome="dead", error="410 Gone")
    visitor = visit("admin")
    assert visitor.page(f"/renders/{ONE}").text.count("dead letter") >= 2
    assert "discarded" in visitor.post(f"/board/renders/{ONE}/hooks/0/discard").text
    assert "delivered again" in visitor.post(f"/board/renders/{ONE}/hooks/1/replay").text
    assert driver.state(ONE) == "completed"
    assert visitor.post(f"/board/renders/{ONE}/hooks/7/replay").status_code == 404


def test_a_render_is_held_released_and_canceled(visit, driver):
    driver.accept(ONE)
    visitor = visit("admin")
    assert offered(visitor.page(f"/renders/{ONE}")) == {"hold", "cancel"}
    held = visitor.post(f"/board/renders/{ONE}/hold", reason="wait for legal")
    assert "wait for legal" in held.text
    assert offered(held) == {"release", "cancel"}
    assert offered(visitor.post(f"/board/renders/{ONE}/release")) == {"hold", "cancel"}
    assert offered(visitor.post(f"/board/renders/{ONE}/cancel")) == set()
    assert driver.state(ONE) == "canceled"


ACTIONS = ("cancel", "retry", "hold", "release", "adopt", "resubmit", "fail", "hooks/0/replay", "hooks/0/discard")


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_key_that_may_only_read_sees_no_button_and_changes_nothing(visit, driver, redis, confirmed):
    driver.accept(ONE, hooks=1)
    driver.start(ONE, confirmed=confirmed)
    before = redis.hgetall(f"renderline:render:{ONE}")
    visitor = visit("read")
    shown = visitor.page(f"/renders/{ONE}")
    assert offered(shown) == set()
    assert "scenes" not in shown.text, "scripts need the scope submit"
    for action in ACTIONS:
        assert visitor.post(f"/board/renders/{ONE}/{action}", project_id="p").status_code == 403, action
    for action in ("pause", "resume"):
        assert visitor.post(f"/board/accounts/default/{action}").status_code == 403
    assert redis.hgetall(f"renderline:render:{ONE}") == before
    assert not redis.smembers("renderline:paused")


def test_another_tenants_render_is_answered_as_none(visit, driver, redis):
    driver.accept(ONE, tenant="globex", hooks=1)
    before = redis.hgetall(f"renderline:render:{ONE}")
    visitor = visit("admin", tenant="acme")
    for path in ("/renders/{}", "/renders/{}/video", "/board/renders/{}/events"):
        foreign, unknown = (visitor.page(path.format(one)) for one in (ONE, OTHER))
        assert foreign.status_code == 404, path
        assert _without_token(foreign.text) == _without_token(unknown.text)
    visitor.page("/")
    for action in ACTIONS:
        foreign, unknown = (visitor.post(f"/board/renders/{one}/{action}", project_id="p") for one in (ONE, OTHER))
        assert foreign.status_code == 404, action
        assert _without_token(foreign.text) == _without_token(unknown.text)
    assert redis.hgetall(f"renderline:render:{ONE}") == before


def _without_token(text: str) -> str:
    return re.sub(r'value="[^"]+"', "", text)


def test_a_form_of_another_site_does_nothing(visit, driver):
    driver.accept(ONE)
    visitor = visit("admin")
    for token in ("", "0" * 64):
        visitor.token = token
        assert visitor.post(f"/board/renders/{ONE}/cancel").status_code == 403
        assert visitor.post("/board/accounts/default/pause").status_code == 403
    assert driver.state(ONE) == "accepted"


def test_foreign_text_is_inert(visit, driver, redis, gateway):
    one = accepted(gateway, redis, script=MARKUP, name=MARKUP[:60].replace("\x1b", ""), metadata={"order": MARKUP[:-5]})
    fields = f"renderline:render:{one}"
    history = [
        {
            "attempt": 1,
            "state": "failed",
            "error": {"code": MARKUP, "message": MARKUP, "origin": "vendor"},
            "project_id": MARKUP,
            "progress": 0,
            "credit": None,
            "attempts": 1,
            "polls": 1,
            "times": {},
            "hooks": [{"type": MARKUP, "state": MARKUP, "attempts": 1, "error": MARKUP, "at": None}],
        }
    ]
    redis.set(f"renderline:history:{one}", json.dumps(history))
    redis.hset(
        fields,
        mapping={
            "project_id": MARKUP,
            "stored_url": f"file:///{MARKUP}",
            "download_url": "javascript:alert(1)",
            "error_code": MARKUP,
            "error_message": MARKUP,
            "error_origin": "vendor",
            "note": MARKUP,
            "warnings": json.dumps([MARKUP]),
        },
    )
    shown = visit("admin").page(f"/renders/{one}")
    assert shown.status_code == 200
    assert "&lt;script&gt;alert(1)" in shown.text
    for active in ("<script>alert", "<img src=x", "javascript:", "\u202e", "\x1b"):
        assert active not in shown.text, active
    outputs = [{"language": MARKUP, "download_url": "javascript:alert(1)", "state": "failed", "error": MARKUP}]
    redis.hset(fields, "outputs", json.dumps(outputs))
    shown = visit("admin").page(f"/renders/{one}")
    assert shown.status_code == 200
    assert not [active for active in ("<script>alert", "<img src=x", "javascript:") if active in shown.text]


def test_the_owner_sees_the_request_and_metadata_link_to_a_search(visit, redis, gateway):
    one = accepted(gateway, redis, script="Hello, Ada.", metadata={"customer": "317 B", "list": [1]})
    shown = visit("submit", "read").page(f"/renders/{one}").text
    assert "Hello, Ada." in shown
    assert 'href="/?q=customer:%22317+B%22"' in shown
    assert "Hello, Ada." not in visit("read").page(f"/renders/{one}").text


def test_an_account_shows_what_holds_it_back_and_is_paused_and_resumed(visit, driver, redis):
    driver.accept(ONE, account="default")
    driver.start(ONE)
    AccountLimits(driver.ledger).set_slots({"default": 1})
    AccountLimits(driver.ledger).hold("default", reason=MARKUP, seconds=60)
    visitor = visit("admin")
    assert 'href="/accounts/default"' in visitor.page("/accounts").text
    shown = visitor.page("/accounts/default")
    assert "1 taken of 1" in shown.text
    assert "1 rendering renders of kind project" in shown.text
    assert f"/renders/{ONE}" in shown.text
    assert "<script>alert" not in shown.text
    assert "The account is paused" in visitor.post("/board/accounts/default/pause").text
    assert redis.smembers("renderline:paused") == {"default"}
    assert "The account goes on" in visitor.post("/board/accounts/default/resume").text
    assert not redis.smembers("renderline:paused")
    assert visitor.page("/accounts/unknown").status_code == 404


def test_a_tenant_among_several_sees_nothing_of_an_account(visit, driver):
    driver.accept(ONE, account="default", tenant="globex")
    driver.start(ONE)
    visitor = visit("admin", tenant="acme")
    shown = visitor.page("/accounts/default")
    assert shown.status_code == 403
    assert "every tenant" in shown.text
    assert ONE not in shown.text
    assert visitor.post("/board/accounts/default/pause").status_code == 403


@pytest.fixture
def driver(redis) -> LedgerDriver:
    return LedgerDriver(redis)
