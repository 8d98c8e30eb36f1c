"""Trying receivers: `renderline hooks listen` and `renderline hooks trigger`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from harness import HOOK_SECRET
from harness.command_result import CommandResult
from harness.gateway_app import gateway_app
from harness.hook_endpoint import HookEndpoint
from harness.ledger import LedgerDriver
from renderline.hooks.kind import FINAL_EVENTS
from workers.cli.hook_listener import Listener, Printer
from workers.cli.session import Session

OTHER = "whsec_YW5vdGhlci1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0="


class Shown(Printer):
    """Keeps what would be printed."""

    def __init__(self) -> None:
        super().__init__(Session())
        self.seen: list[tuple[Any, bool | None, str]] = []

    def delivery(self, event: Any, *, webhook_id: str, verified: bool | None, answer: str) -> None:
        self.seen.append((event, verified, answer))


@pytest.fixture
def listening() -> Iterator[Callable[..., tuple[Listener, Shown]]]:
    """Start a listener."""
    listeners: list[Listener] = []
    threads: list[threading.Thread] = []

    def start(secret: str, forward: str | None = None) -> tuple[Listener, Shown]:
        shown = Shown()
        listener = Listener(0, (secret,), forward, shown)
        threads.append(threading.Thread(target=listener.serve))
        threads[-1].start()
        listeners.append(listener)
        return listener, shown

    yield start
    for listener in listeners:
        listener.stop()
        listener.__exit__()
    for thread in threads:
        thread.join()


def test_a_delivery_writes_nothing_that_a_terminal_acts_on(capsys: pytest.CaptureFixture[str]) -> None:
    body = {"type": "render.failed", "data": {"id": "a\x1b[31m\nb", "name": "\u202ex"}}
    Printer(Session()).delivery(body, webhook_id="msg_\r1", verified=None, answer="answered 204")
    shown = capsys.readouterr().out
    assert "not checked" in shown
    assert not [letter for letter in shown if not letter.isprintable() and letter != "\n"]


Run = Callable[..., CommandResult]
Listening = Callable[..., tuple[Listener, Shown]]


@pytest.mark.parametrize("event", FINAL_EVENTS)
def test_a_sample_of_each_event_is_verified(run: Run, listening: Listening, event: str) -> None:
    listener, shown = listening(HOOK_SECRET)
    done = run("hooks", "trigger", event, "--to", listener.url, "--secret", HOOK_SECRET, "--json")
    assert (done.code, done.value["status"], done.value["error"]) == (0, 204, None)
    ((body, verified, answer),) = shown.seen
    assert (body["type"], body["data"]["state"], verified) == (event, event.removeprefix("render."), True)
    assert answer == "answered 204"


def test_a_listener_says_that_the_secret_is_another(run: Run, listening: Listening) -> None:
    listener, shown = listening(OTHER)
    run("hooks", "trigger", "render.failed", "--to", listener.url, RENDERLINE_HOOK_SECRET=HOOK_SECRET)
    assert [verified for _, verified, _ in shown.seen] == [False]


def test_a_forwarded_delivery_arrives_as_it_was_and_its_answer_comes_back(run: Run, listening: Listening) -> None:
    with HookEndpoint(lambda _: 503) as endpoint:
        listener, _ = listening(HOOK_SECRET, endpoint.url)
        done = run("hooks", "trigger", "render.completed", "--to", listener.url, "--secret", HOOK_SECRET)
        headers, body = endpoint.take()
    assert Webhook(HOOK_SECRET).verify(body, {name.lower(): one for name, one in headers.items()})
    assert done.code == 1
    assert "answered 503" in done.out


def test_the_record_of_a_render_can_be_sent(run: Run, redis: Redis, environ: dict[str, str]) -> None:
    LedgerDriver(redis).complete("0" * 31 + "1")
    with HookEndpoint() as endpoint:
        arguments = ("--to", endpoint.url, "--secret", HOOK_SECRET, "--render", "0" * 31 + "1")
        assert run("hooks", "trigger", "render.completed", *arguments).code == 0
        assert json.loads(endpoint.take()[1])["data"]["download_url"] == "https://v/1.mp4"
    assert run("hooks", "trigger", "render.completed", "--to", endpoint.url, "--render", "0" * 32).code == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "either --to or --endpoint"),
        (("--to", "ftp://x/", "--secret", HOOK_SECRET), "http or https"),
        (("--to", "http://127.0.0.1:9/", "--secret", "whsec_?"), "whsec_ and base64"),
        (("--to", "http://127.0.0.1:9/", "--secret", ""), "RENDERLINE_HOOK_SECRET"),
        (("--endpoint", "nowhere"), "unknown endpoint"),
    ],
)
def test_what_cannot_be_sent(run: Run, arguments: tuple[str, ...], says: str) -> None:
    done = run("hooks", "trigger", "render.failed", *arguments)
    assert done.code != 0
    assert says in done.err + done.out


def test_a_gateways_renders_are_delivered_to_this_machine(redis: Redis, environ: dict[str, str]) -> None:
    driver = LedgerDriver(redis)
    server = make_server("127.0.0.1", 0, gateway_app(redis, hook_kinds={}), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    with HookEndpoint() as endpoint:
        command = [sys.executable, "-m", "workers.cli", "hooks", "listen", "--json", "--secret", HOOK_SECRET]
        following = ["--url", f"http://127.0.0.1:{server.server_port}", "--key", "any", "--forward", endpoint.url]
        with subprocess.Popen([*command, *following], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as cli:
            try:
                assert cli.stdout is not None
                assert cli.stderr is not None
                assert "following" in cli.stderr.readline()
                # It follows from now on: whatever ends before its stream is open is not its business.
                for number in range(50):
                    driver.complete(f"{number:032x}", hooks=0)
                    if not endpoint.received.empty() or cli.poll() is not None:
                        break
                    threading.Event().wait(0.1)
                headers, body = endpoint.take(10)
                printed = json.loads(cli.stdout.readline())
            finally:
                cli.kill()
    server.shutdown()
    serving.join()
    server.server_close()
    event = Webhook(HOOK_SECRET).verify(body, {name.lower(): one for name, one in headers.items()})
    assert event["type"] == printed["event"] == "render.completed"
    assert headers["webhook-id"] == f"msg_{event['data']['id']}_1_local"
    assert printed["answer"] == "answered 204"
