"""Flower behind its login, over HTTP and from several addresses: guesses are throttled, and nothing is changed."""

import base64
import errno
import hashlib
import http.client
import itertools
import re

import flower.urls
import pytest
from tornado.web import URLSpec

from config.login_throttle import PER_ADDRESS, PER_USER, WINDOW
from harness import Flower
from renderline import contract

LOGIN, UNUSUAL = "ops:flower-password-of-the-test", "dev:pässwörd-of-the-test"
ADDRESSES = (f"127.0.{block}.{number}" for block, number in itertools.product(range(1, 255), range(1, 255)))
ROUTES = [route.regex.pattern if isinstance(route, URLSpec) else route[0] for route in flower.urls.handlers]
PATHS = [re.sub(r"\(.*\)|\.\*", "any", pattern).rstrip("$").replace("/?", "") for pattern in ROUTES]


@pytest.fixture(scope="module")
def server(tmp_path_factory, valkey):
    directory = tmp_path_factory.mktemp("flower")
    environ = {"RENDERLINE_DATA_DIR": str(directory), "FLOWER_BASIC_AUTH": f"{LOGIN},{UNUSUAL}"}
    process = Flower(directory / "flower.log", {"REDIS_URL": valkey.url, **environ})
    process.wait_ready()
    yield process
    process.kill()


@pytest.fixture
def ask(server):
    """Ask Flower from an address of this machine; every test has addresses of its own."""

    def ask(path, login=None, *, method="GET", address="127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30, source_address=(address, 0))
        headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
        try:
            connection.request(method, path, headers=headers)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                pytest.skip("this machine has one loopback address; Linux has many")
            raise
        answer = connection.getresponse()
        answer.text = answer.read().decode(errors="replace")
        connection.close()
        return answer

    return ask


def test_an_address_that_guesses_is_refused_unseen_and_no_other_one(ask, server):
    here, elsewhere = next(ADDRESSES), next(ADDRESSES)
    guesses = [ask("/workers", f"ops:guess-{number}", address=here).status for number in range(PER_ADDRESS + 1)]
    assert guesses == [401] * (PER_ADDRESS - 1) + [429] * 2
    refused = ask("/workers", LOGIN, address=here)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW
    assert ask("/workers", LOGIN, address=elsewhere).status == 200
    assert server.output().count(f"logins from {here} are refused for ") == 1
    assert "guess-" not in server.output()


def test_guesses_from_many_addresses_leave_each_one_guess_and_the_owner_his_login(ask):
    spent = [ask("/workers", "guest:x", address=next(ADDRESSES)).status for _ in range(PER_USER)]
    assert set(spent[:-1]) == {401}
    assert ask("/workers", "guest:x", address=next(ADDRESSES)).status == 429
    assert ask("/workers", LOGIN, address=next(ADDRESSES)).status == 200


def test_requests_without_a_login_are_no_guesses(ask):
    here = next(ADDRESSES)
    for _ in range(PER_ADDRESS * 2):
        answer = ask("/workers", address=here)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert ask("/workers", LOGIN, address=here).status == 200


@pytest.mark.parametrize("path", [*PATHS, "/metrics", "/static/js/flower.js", "/favicon.ico", "/robots.txt"])
def test_every_route_but_the_health_check_asks_for_a_login(ask, path):
    assert ask(path).status == (200 if path == "/healthcheck" else 401)


@pytest.mark.parametrize(
    "path",
    ["/", "/metrics", "/workers", "/tasks", "/broker", "/static/js/flower.js", "/api/tasks", "/api/workers"],
)
def test_the_login_alone_opens_it(ask, path):
    assert ask(path).status == 401
    assert ask(path, "ops:wrong", address=next(ADDRESSES)).status == 401
    assert ask(path, LOGIN).status == 200


@pytest.mark.parametrize("path", sorted({path for path in PATHS if path != "/healthcheck"} - {"/tasks/datatable"}))
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_changed_through_it(ask, path, method):
    answer = ask(path, LOGIN, method=method)
    assert answer.status == 403
    assert "reading only" in answer.text or path.startswith("/static/")


def test_no_worker_and_no_task_is_changed_through_it(ask):
    changes = [
        f"worker/{what}/w1" for what in ("shutdown", "pool/restart", "pool/grow", "pool/shrink", "pool/autoscale")
    ]
    changes += ["worker/queue/add-consumer/w1", "worker/queue/cancel-consumer/w1"]
    changes += [f"task/{what}/{contract.SUBMIT}" for what in ("apply", "async-apply", "send-task")]
    changes += [f"task/{what}/t1" for what in ("revoke", "abort", "timeout", "rate-limit")]
    answers = {change: ask(f"/api/{change}", LOGIN, method="POST").status for change in changes}
    assert answers == dict.fromkeys(changes, 403)


def test_letters_beyond_ascii_are_a_login_like_any_other(ask):
    assert ask("/workers", UNUSUAL).status == 200
    assert ask("/workers", "öps:wröng", address=next(ADDRESSES)).status == 401


@pytest.mark.parametrize(
    "path", ["/workers", "/tasks", "/broker", "/metrics", "/healthcheck", "/missing", "/api/tasks"]
)
def test_pages_are_framed_by_nobody_and_run_no_script_of_others(ask, path):
    answer = ask(path, LOGIN)
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'sha256-" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", answer.text, flags=re.DOTALL)
    assert bool(inline) == (path == "/workers")
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy, repr(script)
    assert not re.search(r"\bon[a-z]+=\"", answer.text)
