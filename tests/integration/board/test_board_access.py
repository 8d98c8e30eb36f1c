"""Who may do what on each route of the board: sessions, form tokens, tenants, scopes, headers."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest

from harness.gateway_app import gateway_app
from harness.ledger import accept_render
from renderline.gateway.api_keys import ApiKeys
from renderline.gateway.board.errors import FRAGMENT
from renderline.gateway.board.sessions import COOKIE, Sessions
from renderline.gateway.event_stream import EventStreams
from renderline.ledger import Ledger
from renderline.ledger.audit import Audit

THEIRS, UNKNOWN = "b" * 32, "0" * 32

OPEN = "needs no session and shows nothing of renders"
LISTS = "shows nothing of another tenant"
STREAM = "sends nothing of another tenant; a test in Chromium watches it"
FOREIGN = "answers a render of another tenant as one that does not exist"
OWNERS = "concerns all tenants or an account"
CHOSEN = "finds no render of another tenant"

EXPECTED = {
    ("GET", "/"): LISTS,
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("POST", "/logout"): OPEN,
    ("GET", "/board/static/<version>/<path:name>"): OPEN,
    ("GET", "/board/rows"): LISTS,
    ("GET", "/board/overview"): LISTS,
    ("GET", "/board/events"): STREAM,
    ("POST", "/board/bulk"): CHOSEN,
    ("GET", "/accounts"): LISTS,
    ("GET", "/accounts/<string:name>"): OWNERS,
    ("POST", "/board/accounts/<string:name>/<any(pause, resume):action>"): OWNERS,
    ("GET", "/renders/<render_id:render_id>"): FOREIGN,
    ("GET", "/renders/<render_id:render_id>/video"): FOREIGN,
    ("GET", "/board/renders/<render_id:render_id>/events"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/cancel"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/retry"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/hold"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/release"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/adopt"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/resubmit"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/fail"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/hooks/<int(max=99):index>/replay"): FOREIGN,
    ("POST", "/board/renders/<render_id:render_id>/hooks/<int(max=99):index>/discard"): FOREIGN,
}


@pytest.fixture
def keys(redis):
    return ApiKeys(redis)


@pytest.fixture
def app(redis, keys):
    accept_render(Ledger(redis), THEIRS, tenant="globex", account="default")
    return gateway_app(redis, authenticator=keys, streams=EventStreams(limit=4))


class Browser:
    """A browser with a session; `post` sends the form token of the page that it has."""

    def __init__(self, app, key=None):
        self.client = app.test_client()
        self.token = self._token()
        if key is not None:
            answer = self.client.post("/login", data={"form_token": self.token, "key": key})
            assert answer.status_code == 303, answer.text
            self.token = self._token()

    def _token(self):
        # Every page has the form token of the session in some form; without a session that is the login.
        page = self.client.get("/", headers={"Accept": "text/html"}, follow_redirects=True).text
        return re.search(r'name="form_token" value="(\w+)"', page)[1]

    def ask(self, method, path, **options):
        if method == "POST":
            options.setdefault("data", {"form_token": self.token})
        return self.client.open(path, method=method, **{"headers": {"Accept": "text/html"}, **options})


def routes(app):
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("board.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def path_of(rule, render_id=THEIRS):
    for pattern, value in (("render_id:render_id", render_id), ("string:name", "default"), ("int.*?:index", "0")):
        rule = re.sub(f"<{pattern}>", value, rule)
    return re.sub("<any.*?>", "pause", rule).replace("<version>", "x").replace("<path:name>", "board.css")


def test_every_route_has_an_expectation(app):
    assert routes(app) == set(EXPECTED)


def test_without_a_session_there_is_the_login_and_nothing_else(app):
    for method, rule in sorted(routes(app)):
        if EXPECTED[method, rule] == OPEN:
            continue
        browser = Browser(app)
        answer = browser.ask(method, path_of(rule))
        assert answer.status_code == 303, (method, rule, answer.status_code)
        assert answer.location.startswith("/login"), rule
        part = browser.ask(method, path_of(rule), headers={FRAGMENT: "1"})
        assert part.status_code == 401, rule


def test_a_form_without_its_token_is_refused(app, keys, redis):
    browser, other = (Browser(app, keys.create("k", ["operator"])) for _ in range(2))
    for method, rule in sorted(routes(app)):
        if method == "POST":
            for data in ({}, {"form_token": ""}, {"form_token": other.token}, {"form_token": "é"}):
                answer = browser.ask(method, path_of(rule), data=data)
                assert answer.status_code == 403, (rule, data)
                assert "not from this session" in answer.text
    assert (
        Ledger(browser.client.application.extensions["renderline"].ledger.redis).record(THEIRS)["state"] == "accepted"
    )


@pytest.mark.parametrize("scope", ["read", "admin"])
def test_a_key_reaches_nothing_of_another_tenant(app, keys, redis, scope):
    browser = Browser(app, keys.create("k", [scope], tenant="acme"))
    before = redis.hgetall(f"renderline:render:{THEIRS}")
    for method, rule in sorted(routes(app)):
        expected = EXPECTED[method, rule]
        if expected == FOREIGN:
            foreign, unknown = (browser.ask(method, path_of(rule, one)) for one in (THEIRS, UNKNOWN))
            assert foreign.status_code == unknown.status_code in (403, 404), (rule, foreign.status_code)
            assert foreign.text.replace(THEIRS, UNKNOWN) == unknown.text, rule
        elif expected == LISTS:
            shown = browser.ask(method, path_of(rule))
            assert shown.status_code == 200, rule
            assert THEIRS not in shown.text
            assert "globex" not in shown.text
    data = {"form_token": browser.token, "action": "cancel", "confirmed": "yes"}
    assert "Render not found" in browser.ask("POST", "/board/bulk", data={**data, "id": THEIRS}).text or scope == "read"
    assert THEIRS not in browser.ask("POST", "/board/bulk", data={**data, "scope": "all"}).text
    assert redis.hgetall(f"renderline:render:{THEIRS}") == before


def test_a_key_that_may_read_changes_nothing(app, keys, redis):
    accept_render(Ledger(redis), "a" * 32, tenant="acme", account="default")
    browser = Browser(app, keys.create("k", ["read"], tenant="acme"))
    for method, rule in sorted(routes(app)):
        if method == "POST" and EXPECTED[method, rule] in (FOREIGN, OWNERS):
            assert browser.ask(method, path_of(rule, "a" * 32)).status_code == 403, rule
    for action in ("retry", "cancel", "hold", "release", "replay"):
        data = {"form_token": browser.token, "action": action, "id": "a" * 32, "confirmed": "yes"}
        assert browser.ask("POST", "/board/bulk", data=data).status_code == 403
    assert Ledger(redis).record("a" * 32)["state"] == "accepted"
    assert 'name="action"' not in browser.ask("GET", "/").text


def test_what_is_no_id_is_neither_operated_on_nor_audited(app, keys, redis):
    browser = Browser(app, keys.create("k", ["admin"], tenant="acme"))
    data = {"form_token": browser.token, "action": "cancel", "confirmed": "yes"}
    for one in ("x" * 100_000, "A" * 32, "a" * 33, "a\x00", f"{UNKNOWN}\n", "٣" * 32):
        assert browser.ask("POST", "/board/bulk", data={**data, "id": one}).status_code == 422
    assert not redis.exists("renderline:audit@acme")
    assert "Render not found" in browser.ask("POST", "/board/bulk", data={**data, "id": ["x" * 99, UNKNOWN]}).text
    assert [entry.target for entry in Audit(redis).entries(tenant="acme")] == [f"render {UNKNOWN}"]


def test_a_revoked_key_ends_its_session(app, keys):
    key = keys.create("k", ["read"])
    browser = Browser(app, key)
    assert browser.ask("GET", "/").status_code == 200
    keys.revoke(key.split("_")[1])
    assert browser.ask("GET", "/").status_code == 303


def test_a_session_cannot_be_made_up(app, keys, redis):
    key_id = keys.create("k", ["operator"]).split("_")[1]
    client = app.test_client()
    forged = Sessions(redis, prefix="other:")
    text = forged.text(forged.begin(key_id))
    for cookie in (text, key_id, f"{text[:-2]}xx", '{"k":1}', "x" * 3000):
        client.set_cookie(COOKIE, cookie)
        assert client.get("/", headers={"Accept": "text/html"}).status_code == 303


def test_the_cookie_holds_no_key_and_a_login_renews_it(app, keys):
    key = keys.create("k", ["read"])
    browser = Browser(app)
    before = browser.client.get_cookie(COOKIE).value
    answer = browser.ask("POST", "/login", data={"form_token": browser.token, "key": key})
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert not cookie["secure"]
    assert key.split("_", 2)[2] not in answer.headers["Set-Cookie"]
    assert cookie.value != before
    # The token of the form of before the login is worth nothing after it.
    assert browser.ask("POST", "/logout").status_code == 403
    assert "Secure" in app.test_client().get("/login", base_url="https://localhost").headers["Set-Cookie"]


def test_every_page_allows_nothing_from_elsewhere(app, keys):
    browser = Browser(app, keys.create("k", ["operator"]))
    for path in ("/", "/login", "/board/rows", "/?q=held:maybe", "/board/overview"):
        policy = browser.ask("GET", path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:1", "/\n/evil", ""]
)
def test_a_login_leads_to_no_other_site(app, keys, target):
    browser = Browser(app)
    data = {"form_token": browser.token, "key": keys.create("k", ["read"]), "next": target}
    assert browser.ask("POST", "/login", data=data).location == "/"


def test_a_key_that_may_not_read_and_a_wrong_one_get_no_session(app, keys):
    browser = Browser(app)
    for key, status in ((keys.create("k", ["submit"]), 403), ("rl_000000000000_" + "A" * 43, 401), ("", 401)):
        assert browser.ask("POST", "/login", data={"form_token": browser.token, "key": key}).status_code == status
    assert browser.ask("GET", "/").status_code == 303


def test_guesses_of_keys_are_slowed_down(redis, keys):
    class Throttle:
        def __init__(self):
            self.wrong = []

        def address(self, remote, forwarded):
            return remote

        def wait(self, address, user):
            return 30.0 if len(self.wrong) >= 3 else 0.0

        def failed(self, address, user):
            self.wrong.append(address)

    throttle = Throttle()
    browser = Browser(gateway_app(redis, authenticator=keys, login_throttle=throttle))
    data = {"form_token": browser.token, "key": "rl_000000000000_" + "A" * 43}
    assert [browser.ask("POST", "/login", data=data).status_code for _ in range(4)] == [401, 401, 401, 429]
    right = browser.ask("POST", "/login", data={**data, "key": keys.create("k", ["read"])})
    assert right.status_code == 429
    assert right.headers["Retry-After"] == "30"


def test_without_api_keys_there_is_no_login_but_a_form_token(redis):
    app = gateway_app(redis)
    browser = Browser(app)
    assert browser.ask("GET", "/").status_code == 200
    assert browser.ask("GET", "/login").location == "/"
    assert browser.ask("POST", "/board/bulk", data={"action": "cancel", "id": THEIRS}).status_code == 403
    assert browser.ask("POST", "/board/bulk", data={"form_token": browser.token}).status_code == 422


def test_a_link_from_another_site_finds_the_session(app, keys):
    """The browser sends no cookie then; the page has itself asked for once more, and that is its own site."""
    browser = Browser(app, keys.create("k", ["read"]))
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Cookie": ""}
    client = app.test_client()
    assert 'http-equiv="refresh"' in client.get("/?q=x", headers=headers).text
    assert browser.ask("GET", "/?q=x").status_code == 200


def test_a_program_learns_where_the_api_is(app):
    answer = app.test_client().get("/", headers={"Accept": "application/json"})
    assert answer.get_json()["renders"] == "/v1/renders"
