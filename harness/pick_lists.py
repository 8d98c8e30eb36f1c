"""A vendor whose pick lists the test chooses."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis

from harness.fake_vendor import Call, FakeVendor, success
from renderline.catalogue import PICK_LISTS, CatalogueStore

JONATHAN = {
    "id": "M000045058",
    "label": {"en": "Jonathan", "ko": "조나단"},
    "thumbnail": "https://cdn.example.com/j.png",
    "clothes": [{"id": "BG00002320", "label": {"en": "Navy suit"}}],
    "secret": "not kept",
}
RUBY = {"id": "M000004017", "label": {"en": "Ruby"}, "clothes": []}


class Lists:
    """The vendor's lists, by the path of their route."""

    def __init__(self, vendor: FakeVendor) -> None:
        self.vendor = vendor
        self.rows: dict[str, Any] = {
            "/model": {"models": [JONATHAN]},
            "/dropdown/workspaces": [{"workspaceId": "W1", "workspaceName": "Team"}],
        }
        vendor.override = self.answer

    def answer(self, call: Call) -> Any:
        """Answer the call of a list; a function in the place of the rows gives the answer."""
        rows = self.rows.get(call.name.partition("/api/odin/v3")[2] or call.name)
        if callable(rows):
            return rows(call)
        return None if rows is None else success(rows)

    def asked(self, ending: str = "/model") -> int:
        """Return how often a list was read."""
        return sum(count for name, count in self.vendor.calls.items() if name.endswith(ending))


def fill(redis: Redis, *, account: str = "default") -> None:
    """Keep every pick list of an account, as a worker would, with nothing in them."""
    lists = CatalogueStore(redis, clock=time.time)
    for name in PICK_LISTS:
        lists.write(account, name, [], at=time.time())
