"""Accounts are added while workers are replaced one after the other: old and new workers share the same queues."""

from __future__ import annotations

import json
from pathlib import Path

from harness import USER_KEY, until
from renderline.acceptance import Acceptor
from renderline.capabilities import KnownAccounts
from renderline.dispatcher import Dispatcher
from renderline.tenants import COMMAND_LINE
from tasks.publisher import CeleryPublisher
from tests.acceptance.faults.loaded_system import AVATAR, LoadedSystem, loaded_system


def accounts(system: LoadedSystem, *names: str) -> dict[str, str]:
    """Return the settings of a worker that knows these accounts."""
    path = system.directory / f"{'-'.join(names)}.toml"
    tables = [
        {"name": name, "app_id": f"studioV3.{name}", "user_key": USER_KEY, "base_url": system.sandbox.url}
        for name in names
    ]
    lines = [
        "[[account]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.items()) for one in tables
    ]
    path.write_text("\n".join(lines))
    alone = {"AISTUDIOS_APP_ID": "", "AISTUDIOS_USER_KEY": "", "AISTUDIOS_BASE_URL": ""}
    return {"AISTUDIOS_ACCOUNTS": str(path), **alone}


def test_renders_of_an_account_that_half_of_the_workers_know_are_delivered(tmp_path: Path) -> None:
    with loaded_system(tmp_path, workers=0) as system:
        system.start(**accounts(system, "a"))
        system.start(**accounts(system, "a", "b"))
        until(lambda: "account:b" in system.ledger.capabilities(), what="the new worker tells what it serves")
        door = Acceptor(
            ledger=system.ledger,
            dispatcher=Dispatcher(CeleryPublisher(system.producer), system.ledger),
            accounts=KnownAccounts(system.ledger, ["a"]),
            hook_kinds={},
            deadline=600.0,
            max_bytes=1 << 20,
        )
        request = {"kind": "project", "account": "b", "scenes": [{"script": "Hello.", "avatar": AVATAR}]}
        ids = [
            door.accept(request, key=f"straight-{number}", message_id="m", actor=COMMAND_LINE) for number in range(20)
        ]
        ids += system.send((f"queued-{number}" for number in range(20)), account="b")
        system.wait_for(ids, seconds=120)
        assert set(system.states(ids).values()) == {"delivered"}
        assert system.sandbox.control("GET", "stats")["exports"] == len(ids)
