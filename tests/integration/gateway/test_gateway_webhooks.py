"""The vendor's gateway over HTTP: what it takes, what it refuses, and that a refusal leaves no trace."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from harness import free_port
from harness.gateway_app import gateway_app
from harness.ledger import LEASE, LedgerDriver
from renderline.dispatcher import Dispatcher
from renderline.gateway.body_limits import LARGEST_WEBHOOK
from renderline.gateway.webhooks import WebhookHandler
from renderline.signed_urls.webhook_urls import WebhookUrls

KEY = "k" * 32
RENDER = "5f0c" * 8
INTERVAL = 60.0
DONE = {"progress": 100, "credit": 2, "backendTaskId": "t1", "download_url": "https://v.test/1.mp4"}


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_, **__):
        pass


class WebhookGateway:
    """A gateway that takes webhooks, over real HTTP."""

    def __init__(self, redis):
        self.driver = LedgerDriver(redis)
        self.redis = redis
        self.wakes = []
        self.broker_is_up = True
        port = free_port()
        self.urls = WebhookUrls(f"http://127.0.0.1:{port}", KEY)
        dispatcher = Dispatcher(self, self.driver.ledger)
        handler = WebhookHandler(self.urls, self.driver.operations, dispatcher, INTERVAL)
        app = gateway_app(redis, ledger=self.driver.ledger, webhooks=handler)
        self.server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
        self.session = requests.Session()

    def poll(self, wake):
        """Publish a run of a poll pump, as the broker's client does."""
        if not self.broker_is_up:
            raise ConnectionError("no broker")
        self.wakes.append(wake)

    def url(self, render_id=RENDER, *, attempt=1, seconds=600.0):
        return self.urls.url(render_id, attempt=attempt, seconds=seconds)

    def call(self, url, *, method="POST", **options):
        return self.session.request(method, url, timeout=30, **options)

    def submitted(self, *, confirmed=True, project_id="p1"):
        self.driver.accept(RENDER)
        claim = self.driver.claim(RENDER)
        self.driver.ledger.record_intent(claim, "create", lease=LEASE)
        self.driver.ledger.start(claim, confirmed=confirmed, project_id=project_id, poll_in=500.0)

    def record(self):
        return self.driver.record(RENDER)

    def field(self, name):
        return self.redis.hget(f"renderline:render:{RENDER}", name)

    def everything(self):
        """Return all that Redis holds, except the answers that are kept for a retried command."""
        keys = [key for key in self.redis.scan_iter("*") if not key.startswith("renderline:answer:")]
        return {key: self.redis.dump(key) for key in keys}


@pytest.fixture
def gateway(redis):
    gateway = WebhookGateway(redis)
    thread = threading.Thread(target=gateway.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield gateway
    gateway.session.close()
    gateway.server.shutdown()
    thread.join()
    gateway.server.server_close()


SENT = {
    "json": {"json": DONE},
    "wrapped": {"json": {"success": True, "data": DONE}},
    "without a content type": {"data": json.dumps(DONE)},
    "called text": {"data": json.dumps(DONE), "headers": {"Content-Type": "text/plain; charset=nonsense"}},
    "called a form": {"data": json.dumps(DONE), "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    "a form": {"data": DONE},
    "multipart in name only": {"data": json.dumps(DONE), "headers": {"Content-Type": "multipart/form-data"}},
    "in the query": {"params": DONE},
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_a_finished_render_is_recorded_and_polled(gateway, sent):
    gateway.submitted()
    answer = gateway.call(gateway.url(), **sent)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [(wake.account, wake.delay) for wake in gateway.wakes] == [("main", 0.0)]
    assert (gateway.record()["credit"], gateway.field("reported_url")) == (2, "https://v.test/1.mp4")
    assert gateway.record()["state"] == "rendering"


def test_a_running_render_is_recorded_and_not_polled(gateway):
    gateway.submitted()
    assert gateway.call(gateway.url(), json={"progress": 25, "backendTaskId": "t1"}).status_code == 204
    assert gateway.wakes == []
    assert gateway.record()["progress"] == 25


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_v2_calls_with_a_query_that_names_the_project(gateway, method):
    gateway.submitted(confirmed=False, project_id=None)
    payload_args = {
        "ai_progress_update_loc": "ai-video/-N4qJq7DwnR/",
        "videoUrl": "https://v.test/2.mp4",
        "duration": "3.27",
    }
    assert gateway.call(gateway.url(), method=method, params=payload_args).status_code == 204
    assert gateway.record()["state"] == "rendering"
    assert (gateway.record()["project_id"], gateway.field("reported_url")) == ("-N4qJq7DwnR", "https://v.test/2.mp4")
    assert len(gateway.wakes) == 1


def test_an_unreadable_webhook_counts_as_one(gateway):
    gateway.submitted(confirmed=False)
    assert (
        gateway.call(gateway.url(), data=b"\x00\xff{", headers={"Content-Type": "application/json"}).status_code == 204
    )
    assert gateway.record()["state"] == "rendering"
    assert len(gateway.wakes) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_without_fields_only_tests_the_url(gateway, method):
    gateway.submitted(confirmed=False)
    before = gateway.everything()
    assert gateway.call(gateway.url(), method=method).status_code == 204
    assert gateway.everything() == before


def refused(gateway):
    """Return calls that must be refused, all about a render that exists, but one."""
    url = gateway.url()
    past = WebhookUrls(gateway.urls.public_url, KEY, clock=lambda: time.time() - 200_000)
    other = WebhookUrls(gateway.urls.public_url, "j" * 32)
    return {
        "forged": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "cut": url[:-1],
        "made up": f"{url.rpartition('/')[0]}/1.9999999999.{'a' * 64}",
        "of another key": other.url(RENDER, attempt=1, seconds=600.0),
        "of another render": url.replace(RENDER, "a" * 32),
        "expired": past.url(RENDER, attempt=1, seconds=600.0),
        "unknown render": gateway.url("b" * 32),
        "no id at all": gateway.url("%2e%2e"),
        "earlier attempt": gateway.url(attempt=0),
        "later attempt": gateway.url(attempt=2),
        "nothing there": f"{gateway.urls.public_url}/webhooks/nowhere",
    }


@pytest.mark.parametrize("confirmed", [True, False], ids=["rendering", "unconfirmed"])
def test_every_refusal_is_the_same_and_changes_nothing(gateway, confirmed):
    gateway.submitted(confirmed=confirmed)
    before = gateway.everything()
    answers = {}
    for name, url in refused(gateway).items():
        for method, payload_args in (("POST", {"json": DONE}), ("GET", {"params": DONE})):
            answer = gateway.call(url, method=method, **payload_args)
            kept = {key: value for key, value in answer.headers.items() if key not in ("Date", "X-Request-ID")}
            answers[f"{name} {method}"] = (answer.status_code, answer.content, kept)
    assert {status for status, _, _ in answers.values()} == {404}
    for name, answer in answers.items():
        assert answer == answers["nothing there POST"], name
    assert gateway.everything() == before
    assert gateway.wakes == []


def test_a_webhook_about_an_ended_render_is_accepted(gateway):
    gateway.submitted()
    gateway.driver.operations.cancel(RENDER)
    assert gateway.call(gateway.url(), json=DONE).status_code == 204
    assert gateway.record()["state"] == "canceled"
    assert gateway.wakes == []


def test_too_large_a_body_is_refused_whatever_it_says_about_its_size(gateway):
    gateway.submitted()
    before = gateway.everything()
    large = json.dumps({**DONE, "padding": "x" * LARGEST_WEBHOOK}).encode()
    assert gateway.call(gateway.url(), data=large).status_code == 413
    assert gateway.call(refused(gateway)["forged"], data=b"{}" + b" " * 5000).status_code == 404
    # A body without a length is read no further than the limit either.
    place = urlsplit(gateway.url())
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    line.request("POST", place.path, body=iter([large[:1000], large[1000:]]), encode_chunked=True)
    with line.getresponse() as answer:
        assert answer.status == 413
    line.close()
    assert gateway.everything() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(gateway, method):
    gateway.submitted()
    before = gateway.everything()
    answer = gateway.call(gateway.url(), method=method, json=DONE)
    assert answer.status_code == 405
    assert gateway.everything() == before


def test_the_vendor_gets_204_though_the_broker_is_unavailable(gateway):
    gateway.submitted()
    gateway.broker_is_up = False
    assert gateway.call(gateway.url(), json=DONE).status_code == 204
    # It is recorded all the same: the sweep finds that the render is due.
    assert gateway.driver.score_in("due:main", RENDER) <= gateway.driver.clock.now
    assert float(gateway.field("webhook_done")) == gateway.driver.clock.now


def test_many_webhooks_at_once_wake_one_pump(gateway):
    gateway.submitted()
    ready = threading.Barrier(12)
    url, statuses = gateway.url(), []

    def call():
        ready.wait()
        statuses.append(requests.post(url, json=DONE, timeout=30).status_code)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [204] * 12
    assert len(gateway.wakes) == 1


def test_a_webhook_costs_one_script_and_no_poll(gateway):
    gateway.submitted()
    url = gateway.url()
    gateway.call(url, json={"progress": 1})
    before = gateway.redis.info("commandstats")
    for progress in range(2, 12):
        assert gateway.call(url, json={"progress": progress}).status_code == 204
    after = gateway.redis.info("commandstats")
    scripts = [stats["cmdstat_evalsha"]["calls"] for stats in (before, after)]
    assert scripts[1] - scripts[0] == 10
    assert gateway.wakes == []
