"""Follows a gateway's renders through its API, and delivers the end of each to a URL of this machine."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import requests

from renderline.hooks import HookFailed, HttpHook
from renderline.hooks.sample import sample
from renderline.renders import EVENTS
from renderline.tenants import Tenant, Tenants
from workers.cli.errors import CommandError, ExitCode
from workers.cli.hook_listener import Printer

_TIMEOUT: Final = 15.0
_READ_TIMEOUT: Final = 60.0
"""Seconds without a byte after which a stream is opened again; the gateway sends a comment every 15 s."""
_AGAIN: Final = 2.0
_REMEMBERED: Final = 10_000
_ENDS: Final = {state.value: event for state, event in EVENTS.items()}


class _OneSecret(Tenants):
    """Every tenant has the secrets of this machine's receiver."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def of(self, name: str) -> Tenant:
        return Tenant(name=name, hook_secrets=self._secrets)


class Follower:
    """Reads the stream of events of a gateway. A render whose end was delivered is not delivered again."""

    def __init__(self, gateway: str, key: str, forward: str | None, secrets: Sequence[str], printer: Printer) -> None:
        if not gateway.startswith(("http://", "https://")):
            raise CommandError("--url must be the http or https URL of a gateway", ExitCode.REFUSED)
        if forward is not None and not secrets:
            raise CommandError("give --secret: deliveries to --forward are signed", ExitCode.REFUSED)
        self.gateway = gateway.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"
        self._hook = {"type": "http", "url": forward} if forward else None
        self._sender = HttpHook(_OneSecret(tuple(secrets)), allow_private=True)
        self._printer = printer
        self._done: OrderedDict[tuple[str, int, str], None] = OrderedDict()
        self._position = ""

    def run(self) -> None:
        """Follow until the process is interrupted; raises CommandError if the gateway refuses."""
        while True:
            try:
                for name, data in self._events():
                    self._note(name, data)
            except requests.RequestException as error:
                self._printer.note(f"{self.gateway} was not reached: {type(error).__name__}; again in {_AGAIN:.0f} s")
            time.sleep(_AGAIN)

    def _events(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and data of each event, until the stream ends."""
        headers = {"Last-Event-ID": self._position} if self._position else {}
        url = f"{self.gateway}/v1/events"
        with self._session.get(
            url, headers=headers, stream=True, timeout=(_TIMEOUT, _READ_TIMEOUT), allow_redirects=False
        ) as answer:
            self._check(answer)
            name, data = "", ""
            for line in answer.iter_lines(chunk_size=1, decode_unicode=False):
                field, _, value = line.decode(errors="replace").partition(": ")
                if field == "id":
                    self._position = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif not field and data:
                    yield name, json.loads(data)
                    name, data = "", ""

    def _check(self, answer: requests.Response) -> None:
        if answer.status_code in (429, 503):
            raise requests.ConnectionError
        if answer.status_code != 200:
            raise CommandError(f"{self.gateway} answered {answer.status_code}; is the key good for reading?")

    def _note(self, name: str, data: Any) -> None:
        if name == "gap":
            self._printer.note("some events were missed: they are no longer kept")
        elif name == "change" and data["state"] in _ENDS:
            self._deliver(data["id"])

    def _deliver(self, render_id: str) -> None:
        url = f"{self.gateway}/v1/renders/{render_id}"
        answer = self._session.get(url, timeout=_TIMEOUT, allow_redirects=False)
        if answer.status_code == 404:
            return
        self._check(answer)
        record = answer.json()
        event = _ENDS.get(record["state"])
        known = (render_id, record["attempt"], event or "")
        if event is None or known in self._done:
            return
        self._done[known] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        webhook_id = f"msg_{render_id}_{record['attempt']}_local"
        shown = replace(sample(event, now=time.time(), record=record), webhook_id=webhook_id)
        self._printer.delivery(shown.body(), webhook_id=webhook_id, verified=None, answer=self._send(shown))

    def _send(self, delivery: Any) -> str:
        if self._hook is None:
            return "not forwarded"
        try:
            status = self._sender.deliver(self._hook, delivery)["status"]
        except HookFailed as failure:
            return str(failure)
        return f"answered {status}"
