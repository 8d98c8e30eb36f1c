"""The vendor's door over HTTP: what it takes, what it refuses, and that a refusal leaves no trace."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from harness.ledger import LEASE, LedgerDriver
from renderline.dispatcher import Dispatcher
from renderline.gateway import problem
from renderline.gateway.webhooks import LARGEST_BODY, Receiver, blueprint
from renderline.webhook_urls import WebhookUrls

KEY = "k" * 32
RENDER = "5f0c" * 8
NET = 60.0
DONE = {"progress": 100, "credit": 2, "backendTaskId": "t1", "download_url": "https://v.test/1.mp4"}


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_, **__):
        pass


class Door:
    """A gateway that has only the vendor's routes, over real HTTP."""

    def __init__(self, redis):
        self.driver = LedgerDriver(redis)
        self.redis = redis
        self.wakes = []
        self.broker_is_up = True
        app = Flask("door", static_folder=None)
        problem.install(app)
        self.server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        self.callbacks = WebhookUrls(f"http://127.0.0.1:{self.server.port}", KEY)
        dispatcher = Dispatcher(self, self.driver.ledger)
        app.register_blueprint(blueprint(Receiver(self.callbacks, self.driver.operations, dispatcher, net=NET)))
        self.session = requests.Session()

    def poll(self, wake):
        """Publish a run of a poll pump, as the broker's client does."""
        if not self.broker_is_up:
            raise ConnectionError("no broker")
        self.wakes.append(wake)

    def url(self, render_id=RENDER, *, attempt=1, seconds=600.0):
        return self.callbacks.url(render_id, attempt=attempt, seconds=seconds)

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
        """Return all that Redis holds, but for the answers that callers were given of late."""
        keys = [key for key in self.redis.scan_iter("*") if not key.startswith("renderline:answer:")]
        return {key: self.redis.dump(key) for key in keys}


@pytest.fixture
def door(redis):
    door = Door(redis)
    thread = threading.Thread(target=door.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield door
    door.session.close()
    door.server.shutdown()
    thread.join()
    door.server.server_close()


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
def test_a_finished_render_is_noted_and_looked_at(door, sent):
    door.submitted()
    answer = door.call(door.url(), **sent)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [(wake.account, wake.delay) for wake in door.wakes] == [("main", 0.0)]
    assert (door.record()["credit"], door.field("reported_url")) == (2, "https://v.test/1.mp4")
    assert door.record()["state"] == "rendering"


def test_a_render_under_way_is_noted_and_not_looked_at(door):
    door.submitted()
    assert door.call(door.url(), json={"progress": 25, "backendTaskId": "t1"}).status_code == 204
    assert door.wakes == []
    assert door.record()["progress"] == 25


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_v2_calls_with_a_query_that_names_the_project(door, method):
    door.submitted(confirmed=False, project_id=None)
    told = {"ai_progress_update_loc": "ai-video/-N4qJq7DwnR/", "videoUrl": "https://v.test/2.mp4", "duration": "3.27"}
    assert door.call(door.url(), method=method, params=told).status_code == 204
    assert door.record()["state"] == "rendering"
    assert (door.record()["project_id"], door.field("reported_url")) == ("-N4qJq7DwnR", "https://v.test/2.mp4")
    assert len(door.wakes) == 1


def test_a_call_in_no_known_form_is_one_all_the_same(door):
    door.submitted(confirmed=False)
    assert door.call(door.url(), data=b"\x00\xff{", headers={"Content-Type": "application/json"}).status_code == 204
    assert door.record()["state"] == "rendering"
    assert len(door.wakes) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_somebody_who_only_tries_the_address_proves_nothing(door, method):
    door.submitted(confirmed=False)
    before = door.everything()
    assert door.call(door.url(), method=method).status_code == 204
    assert door.everything() == before


def refused(door):
    """Return calls that must be refused, all about a render that exists, but one."""
    url = door.url()
    past = WebhookUrls(door.callbacks.public_url, KEY, clock=lambda: time.time() - 200_000)
    other = WebhookUrls(door.callbacks.public_url, "j" * 32)
    return {
        "forged": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "cut": url[:-1],
        "made up": f"{url.rpartition('/')[0]}/1.9999999999.{'a' * 64}",
        "of another key": other.url(RENDER, attempt=1, seconds=600.0),
        "of another render": url.replace(RENDER, "a" * 32),
        "expired": past.url(RENDER, attempt=1, seconds=600.0),
        "unknown render": door.url("b" * 32),
        "no id at all": door.url("%2e%2e"),
        "earlier attempt": door.url(attempt=0),
        "later attempt": door.url(attempt=2),
        "nothing there": f"{door.callbacks.public_url}/webhooks/nowhere",
    }


@pytest.mark.parametrize("confirmed", [True, False], ids=["rendering", "unconfirmed"])
def test_every_refusal_is_the_same_and_changes_nothing(door, confirmed):
    door.submitted(confirmed=confirmed)
    before = door.everything()
    answers = {}
    for name, url in refused(door).items():
        for method, told in (("POST", {"json": DONE}), ("GET", {"params": DONE})):
            answer = door.call(url, method=method, **told)
            kept = {key: value for key, value in answer.headers.items() if key != "Date"}
            answers[f"{name} {method}"] = (answer.status_code, answer.content, kept)
    assert {status for status, _, _ in answers.values()} == {404}
    for name, answer in answers.items():
        assert answer == answers["nothing there POST"], name
    assert door.everything() == before
    assert door.wakes == []


def test_a_call_about_a_render_that_is_over_is_fine(door):
    door.submitted()
    door.driver.operations.cancel(RENDER)
    assert door.call(door.url(), json=DONE).status_code == 204
    assert door.record()["state"] == "canceled"
    assert door.wakes == []


def test_too_large_a_body_is_refused_whatever_it_says_about_its_size(door):
    door.submitted()
    before = door.everything()
    large = json.dumps({**DONE, "padding": "x" * LARGEST_BODY}).encode()
    assert door.call(door.url(), data=large).status_code == 413
    assert door.call(refused(door)["forged"], data=b"{}" + b" " * 5000).status_code == 404
    # Who does not name the size at all is read no further than the limit either.
    place = urlsplit(door.url())
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    line.request("POST", place.path, body=iter([large[:1000], large[1000:]]), encode_chunked=True)
    assert line.getresponse().status == 413
    line.close()
    assert door.everything() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(door, method):
    door.submitted()
    before = door.everything()
    answer = door.call(door.url(), method=method, json=DONE)
    assert answer.status_code == 405
    assert door.everything() == before


def test_a_broker_that_is_away_is_not_the_vendors_concern(door):
    door.submitted()
    door.broker_is_up = False
    assert door.call(door.url(), json=DONE).status_code == 204
    # Recorded all the same: whoever sweeps finds that it is due.
    assert door.driver.score_in("due:main", RENDER) <= door.driver.clock.now
    assert door.field("webhook_done") == "1"


def test_many_calls_at_once_have_it_looked_at_once(door):
    door.submitted()
    ready = threading.Barrier(12)
    url, statuses = door.url(), []

    def call():
        ready.wait()
        statuses.append(requests.post(url, json=DONE, timeout=30).status_code)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [204] * 12
    assert len(door.wakes) == 1


def test_a_call_costs_one_script_and_no_look(door):
    door.submitted()
    url = door.url()
    door.call(url, json={"progress": 1})
    before = door.redis.info("commandstats")
    for progress in range(2, 12):
        assert door.call(url, json={"progress": progress}).status_code == 204
    after = door.redis.info("commandstats")
    scripts = [stats["cmdstat_evalsha"]["calls"] for stats in (before, after)]
    assert scripts[1] - scripts[0] == 10
    assert door.wakes == []
