"""Accounts are added while workers are replaced one after the other: old and new workers share the same queues."""

from __future__ import annotations

import json
from pathlib import Path

from harness import USER_KEY, until
from renderline.acceptance import Acceptor
from renderline.capabilities import KnownAccounts
from renderline.dispatcher import Dispatcher
from tasks.publisher import CeleryPublisher
from tests.acceptance.faults.crowd import AVATAR, Crowd, a_crowd


def accounts(crowd: Crowd, *names: str) -> dict[str, str]:
    """Return the settings of a worker that knows these accounts."""
    path = crowd.directory / f"{'-'.join(names)}.toml"
    tables = [
        {"name": name, "app_id": f"studioV3.{name}", "user_key": USER_KEY, "base_url": crowd.sandbox.url}
        for name in names
    ]
    lines = [
        "[[account]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.items()) for one in tables
    ]
    path.write_text("\n".join(lines))
    alone = {"AISTUDIOS_APP_ID": "", "AISTUDIOS_USER_KEY": "", "AISTUDIOS_BASE_URL": ""}
    return {"AISTUDIOS_ACCOUNTS": str(path), **alone}


def test_renders_of_an_account_that_half_of_the_workers_know_are_delivered(tmp_path: Path) -> None:
    with a_crowd(tmp_path, workers=0) as crowd:
        crowd.start(**accounts(crowd, "a"))
        crowd.start(**accounts(crowd, "a", "b"))
        until(lambda: "account:b" in crowd.ledger.capabilities(), what="the new worker tells what it serves")
        door = Acceptor(
            ledger=crowd.ledger,
            dispatcher=Dispatcher(CeleryPublisher(crowd.producer), crowd.ledger),
            accounts=KnownAccounts(crowd.ledger, ["a"]),
            hook_kinds={},
            deadline=600.0,
            max_bytes=1 << 20,
        )
        request = {"kind": "project", "account": "b", "scenes": [{"script": "Hello.", "avatar": AVATAR}]}
        ids = [door.accept(request, key=f"straight-{number}", message_id="m") for number in range(20)]
        ids += crowd.send((f"queued-{number}" for number in range(20)), account="b")
        crowd.wait_for(ids, seconds=120)
        assert set(crowd.states(ids).values()) == {"delivered"}
        assert crowd.sandbox.control("GET", "stats")["exports"] == len(ids)
