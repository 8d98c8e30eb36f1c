"""Accepting a render request: validated, recorded, and only then announced. Every door comes through here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis import RedisError

from renderline.contract import render_id_for_key, render_id_for_message
from renderline.hooks import HookKind
from renderline.ledger import Ledger
from renderline.requests import RenderRequest, load_request
from renderline.sweeping import Dispatcher

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Acceptor:
    """Turns request objects into recorded renders. `deadline` (seconds) is the default of a render's own."""

    ledger: Ledger
    dispatcher: Dispatcher
    accounts: Collection[str]
    hook_kinds: Mapping[str, HookKind]
    deadline: float
    max_bytes: int

    def accept(self, data: Any, *, key: str | None, message_id: str) -> str:
        """Record a request once and return its render id.

        With a `key` the same key always gives the same render; without one, the same `message_id` does. Raises
        `RequestRefused` naming every wrong field, or `KeyConflict` if the key stands for another request.
        """
        request = load_request(data, accounts=self.accounts, hook_kinds=self.hook_kinds, max_bytes=self.max_bytes)
        render_id = render_id_for_key(key) if key is not None else render_id_for_message(message_id)
        new = self.ledger.accept(
            render_id,
            kind=request.kind,
            account=request.account,
            priority=request.priority,
            deadline=request.deadline or self.deadline,
            meta={"name": request.name, "hooks": list(request.hooks), "metadata": request.metadata},
            body=request.to_json(),
            fingerprint=request.fingerprint(),
        )
        log.info("accepted" if new else "accepted before", render_id=render_id, kind=request.kind)
        self._announce(render_id, request)
        return render_id

    def _announce(self, render_id: str, request: RenderRequest) -> None:
        try:
            self.dispatcher.submit(render_id, request.priority)
        except (OSError, RedisError) as error:
            # It is recorded, so it is accepted: the sweep will send the message.
            log.warning("submission not announced, left to the sweep", render_id=render_id, why=str(error))
