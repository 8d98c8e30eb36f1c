"""A real worker process: its door, its refusals to start, and what may be seen of its work."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import uuid
from types import SimpleNamespace

import pytest
from celery import Celery
from redis import Redis

from harness import HOOK_SECRET, USER_KEY, HookEndpoint, Valkey, free_port, until
from harness.fork_server import forked_worker
from harness.forked_sandbox import ForkedSandbox
from renderline.contract import render_id_for_key, render_id_for_message

SECRET_WORDS = "Quarterly figures that nobody may read before Thursday"
ENDS = {"delivered", "undelivered", "failed", "expired", "canceled"}


def request(words=SECRET_WORDS, **more):
    avatar = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
    scene = {"script": words, "avatar": avatar, "background": {"color": "#12355b"}}
    return {"kind": "project", "name": "Welcome", "scenes": [scene], **more}


class Observer:
    """Watches everything visible while renders run: Celery's events, and the content of Redis."""

    def __init__(self, app, redis):
        self.app, self.redis = app, redis
        self.events, self.texts = [], {}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._listen, self._look)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        # A worker's heartbeat has come: from now on it hears everything.
        until(lambda: self.events, what="an event")
        return self

    def __exit__(self, *_):
        self._over.set()
        self._receiver.should_stop = True
        for thread in self._threads:
            thread.join(60)

    def _listen(self):
        with self.app.connection() as connection:
            self._receiver = self.app.events.Receiver(connection, handlers={"*": self.events.append})
            # In one go: between two captures, nobody receives what is published.
            self._receiver.capture(limit=None, timeout=None, wakeup=False)

    def _look(self):
        while not self._over.is_set():
            for key in self.redis.keys("*"):
                with contextlib.suppress(Exception):  # gone, or another type, between the two calls
                    self.texts.setdefault(key, set()).update(self._strings(key))

    def _strings(self, key):
        kind = self.redis.type(key)
        if kind == "hash":
            return [text for pair in self.redis.hgetall(key).items() for text in pair]
        if kind == "list":
            return self.redis.lrange(key, 0, -1)
        if kind == "set":
            return self.redis.smembers(key)
        if kind == "zset":
            return self.redis.zrange(key, 0, -1)
        if kind == "stream":
            return [json.dumps(entry) for entry in self.redis.xrange(key)]
        return [self.redis.get(key) or ""]

    def seen(self):
        """Return (place, text) of all but what has to hold a secret: requests, in quarantine too, bodies, the token."""
        for key, texts in self.texts.items():
            if key.startswith(("renderline:body:", "renderline:token:", "renderline:quarantine_requests")):
                continue
            for text in texts:
                yield from ((key, part) for part in self._parts(text))
        for event in self.events:
            yield f"event {event['type']}", json.dumps(event, default=str)

    @staticmethod
    def _parts(text):
        if '"task": "renderline.request"' in text:
            return
        yield text
        # Messages are JSON with their arguments in base64.
        for body in re.findall(r'"body": "([A-Za-z0-9+/=]+)"', text):
            yield base64.b64decode(body).decode()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A worker that has rendered three videos, and all that could be seen of it meanwhile."""
    directory = tmp_path_factory.mktemp("stack")
    with (
        Valkey(directory) as valkey,
        Redis.from_url(valkey.url, decode_responses=True) as redis,
        HookEndpoint() as hook_endpoint,
        contextlib.ExitStack() as processes,
    ):
        given = ("--app-id", "studio.acme", "--user-key", USER_KEY)
        sandbox = ForkedSandbox(directory / "sandbox.log", "--render-seconds", "0.3", *given)
        processes.callback(sandbox.stop)
        environ = {
            "REDIS_URL": valkey.url,
            "AISTUDIOS_BASE_URL": sandbox.url,
            "AISTUDIOS_APP_ID": "studio.acme",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (directory / "videos").as_uri(),
            "RENDERLINE_POLL_MIN": "0.1",
            "RENDERLINE_POLL_MAX": "0.5",
            "RENDERLINE_LOG_LEVEL": "DEBUG",
        }
        worker = forked_worker(directory / "worker.log", queues="requests,submit,poll,hooks", environ=environ)
        processes.callback(worker.kill)
        app = Celery("shop", broker=valkey.url, backend=valkey.url)
        app.conf.update(task_serializer="json", accept_content=["json"], broker_connection_retry_on_startup=True)
        observer = Observer(app, redis)
        yield SimpleNamespace(
            app=app, redis=redis, sandbox=sandbox, worker=worker, hook_endpoint=hook_endpoint, observer=observer
        )
        app.close()


def ask(stack, data, *, task_id=None, **kwargs):
    """Send a request as another service would, that has nothing of ours."""
    kwargs = {"request": data, **kwargs}
    return stack.app.send_task("renderline.request", kwargs=kwargs, queue="requests", task_id=task_id)


def state(stack, render_id):
    return stack.redis.hget(f"renderline:render:{render_id}", "state")


@pytest.fixture(scope="module")
def rendered(stack):
    """Send all requests of this module while the observer watches; returns their results."""
    stack.worker.wait_ready()
    hooks = [{"type": "download"}, {"type": "http", "url": stack.hook_endpoint.url}]
    message_id = str(uuid.uuid4())
    with stack.observer:
        results = {
            "keyed": ask(stack, request(hooks=hooks), key="order-A-17"),
            "again": ask(stack, request(hooks=hooks), key="order-A-17"),
            "twice": ask(stack, request(name="Twice [sandbox:500@draft]"), task_id=message_id),
        }
        ask(stack, request(name="Twice [sandbox:500@draft]"), task_id=message_id)
        results["refused"] = ask(stack, request(priority="urgent", secnes=[], words=[SECRET_WORDS]))
        results["conflict"] = ask(stack, request(name="Another"), key="order-A-17")
        results["raised"] = stack.app.send_task(
            "renderline.request", kwargs={"request": request(), "unknown": SECRET_WORDS}, queue="requests"
        )
        ids = {name: results[name].get(timeout=30) for name in ("keyed", "again", "twice")}
        until(lambda: all(state(stack, one) in ENDS for one in ids.values()), what="all renders ended")
        until(lambda: stack.redis.llen("requests") == 0 and not stack.redis.hgetall("unacked"))
    return SimpleNamespace(results=results, ids=ids, message_id=message_id)


def test_another_service_gets_the_render_id(stack, rendered):
    assert rendered.ids["keyed"] == render_id_for_key("order-A-17")
    assert state(stack, rendered.ids["keyed"]) == "delivered"
    assert stack.hook_endpoint.take()[0].keys() >= {"webhook-id", "webhook-signature"}


def test_the_same_key_is_the_same_render(stack, rendered):
    assert rendered.ids["again"] == rendered.ids["keyed"]
    assert len(stack.hook_endpoint.bodies) == 1


def test_the_same_message_twice_is_one_render(stack, rendered):
    assert rendered.ids["twice"] == render_id_for_message(rendered.message_id)
    projects = [one for one in stack.sandbox.projects() if rendered.ids["twice"] in one["name"]]
    assert [one["exports"] for one in projects] == [1]


def test_everything_was_paid_once_with_one_token(stack, rendered):
    stats = stack.sandbox.control("GET", "stats")
    assert (stats["projects"], stats["exports"], stats["tokens_issued"]) == (2, 2, 1)


def test_a_refusal_names_the_wrong_fields_to_the_one_who_asked(stack, rendered):
    with pytest.raises(Exception, match="priority: ") as refused:
        rendered.results["refused"].get(timeout=30)
    assert type(refused.value).__name__ == "RequestRefused"
    assert "secnes: unknown field; did you mean 'scenes'?" in str(refused.value)
    assert "scenes.0.script: " in str(refused.value)
    assert SECRET_WORDS not in str(refused.value) + str(rendered.results["refused"].traceback)


def test_a_key_for_another_request_is_refused(stack, rendered):
    with pytest.raises(Exception, match="same key"):
        rendered.results["conflict"].get(timeout=30)


def test_nothing_secret_is_seen_in_redis_or_events(stack, rendered):
    observer = stack.observer
    token = stack.redis.hget("renderline:token:default", "token")
    assert token
    kinds = {event["type"] for event in observer.events}
    assert {"task-received", "task-started", "task-succeeded", "task-failed", "task-retried"} <= kinds
    secrets = {"token": token, "user key": USER_KEY, "hook secret": HOOK_SECRET, "script": SECRET_WORDS[:20]}
    found = [(place, name, text[:300]) for place, text in observer.seen() for name, it in secrets.items() if it in text]
    assert found == []
    # The observer saw renders, and messages with their ids.
    texts = "".join(text for _, text in observer.seen())
    assert rendered.ids["keyed"] in texts
    assert any(key.startswith("renderline:render:") for key in observer.texts)


def test_nothing_secret_is_logged(stack, rendered):
    log = stack.worker.output()
    token = stack.redis.hget("renderline:token:default", "token")
    assert rendered.ids["keyed"] in log
    for secret in (token, token.split(".")[2], USER_KEY, HOOK_SECRET, SECRET_WORDS, SECRET_WORDS[:20]):
        assert secret not in log


# -- workers that cannot start


def refuses(start_worker, **environ):
    worker = start_worker(wait=False, **environ)
    until(lambda: worker.popen.poll() is not None, what="the worker to end")
    assert worker.popen.returncode not in (0, None)
    output = worker.output()
    assert "Traceback" not in output, output
    return output


def test_a_worker_with_bad_settings_names_them_all(start_worker):
    output = refuses(
        start_worker,
        REDIS_URL="http://127.0.0.1",
        AISTUDIOS_APP_ID="studio.acme",
        RENDERLINE_SUBMIT="twice",
        RENDERLINE_POLL_MIN="soon",
        RENDERLINE_HOOK_SECRET="too-short",
        RENDERLINE_RETENTOIN="5",
    )
    for name in (
        "REDIS_URL",
        "AISTUDIOS_USER_KEY",
        "RENDERLINE_SUBMIT",
        "RENDERLINE_POLL_MIN",
        "RENDERLINE_HOOK_SECRET",
        "RENDERLINE_RETENTOIN",
    ):
        assert name in output, output
    assert "too-short" not in output


def test_a_worker_without_redis_names_the_address(start_worker):
    port = free_port()
    output = refuses(
        start_worker,
        REDIS_URL=f"redis://:hidden-password@127.0.0.1:{port}/0",
        AISTUDIOS_APP_ID="studio.acme",
        AISTUDIOS_USER_KEY=USER_KEY,
    )
    (line,) = [line for line in output.splitlines() if "REDIS_URL" in line]
    assert f"127.0.0.1:{port}" in line
    assert "does not answer" in line
    assert "hidden-password" not in output
    assert USER_KEY not in output
