"""The main job end to end: real workers, real Valkey, the sandbox over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from redis import Redis
from standardwebhooks import Webhook

from harness import HOOK_SECRET, ROOT, until
from renderline.ledger import Ledger
from tests.acceptance.conftest import System

EXAMPLES = {
    "v3-seed-landscape": "project",
    "v3-two-scenes": "project",
    "v3-create-project-1.6": "project",
    "v3-simple-video": "simple_video",
    "v2-seed-minimal": "v2_project",
}


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    # The list shows drafts: those that nobody knows of are found by their names, and deleted or gone on with.
    return start_system("--render-seconds", "1.5", "--list", "all")


def take(system: System, wanted: set[str], *, seconds: float = 40.0) -> dict[str, dict[str, Any]]:
    """Return the verified deliveries of the wanted renders, by render id."""
    found: dict[str, dict[str, Any]] = {}
    while set(found) < wanted:
        headers, raw = system.hook_endpoint.take(seconds)
        body = Webhook(HOOK_SECRET).verify(raw, headers)
        assert body == json.loads(raw)
        if body["data"]["id"] in wanted:
            found[body["data"]["id"]] = {**body, "webhook-id": headers["webhook-id"]}
    return found


def stored(record: dict[str, Any]) -> bytes:
    return Path(unquote(urlsplit(record["stored_url"]).path)).read_bytes()


def test_requests_of_every_form_become_different_playable_files_and_signed_deliveries(system: System) -> None:
    requests = [
        {"kind": kind, "payload": json.loads((ROOT / f"examples/{name}.json").read_text())}
        for name, kind in EXAMPLES.items()
    ]
    requests = [{**request, "hooks": system.request()["hooks"]} for request in requests]
    requests += [system.request(f"Take {take}.", orientation="portrait", metadata={"take": take}) for take in range(3)]
    ids = [system.enqueue(request) for request in requests]

    deliveries = take(system, set(ids))

    assert len(deliveries) == len(requests)
    records = [deliveries[one]["data"] for one in ids]
    assert {deliveries[one]["type"] for one in ids} == {"render.completed"}
    assert {(record["state"], record["progress"], record["error"]) for record in records} == {("completed", 100, None)}
    assert [record["metadata"] for record in records[-3:]] == [{"take": 0}, {"take": 1}, {"take": 2}]
    files = [stored(record) for record in records]
    assert all(content[4:8] == b"ftyp" for content in files)
    assert len(set(files)) == len(files)
    assert all(project["exports"] == 1 for project in system.sandbox.projects())
    assert system.sandbox.calls("auth/token") == 1


def test_one_key_is_one_render_through_every_repetition(system: System) -> None:
    request = system.request("Once.", name="Keyed")
    pending = [system.send(request, key="order-A-17") for _ in range(20)]
    ids = {one.get(timeout=60) for one in pending}
    assert len(ids) == 1
    take(system, ids)
    assert len(system.projects_of(ids.pop())) == 1


def test_the_same_key_with_another_body_is_refused(system: System) -> None:
    system.enqueue(system.request("First.", hooks=[]), key="order-B-1")
    with pytest.raises(Exception, match="another request under the same key"):
        system.enqueue(system.request("Second.", hooks=[]), key="order-B-1")


def test_a_bad_request_comes_back_with_every_path_and_nothing_is_submitted(system: System) -> None:
    before = len(system.sandbox.projects())
    payload = json.loads((ROOT / "examples/v3-two-scenes.json").read_text())
    payload["scenes"][0]["clips"][1]["opacity"] = 0
    wrong = {"kind": "project", "payload": payload, "account": "elsewhere", "hooks": [{"type": "ftp"}]}
    with pytest.raises(Exception, match="must be between 1 and 100") as refusal:
        system.enqueue(wrong)
    lines = str(refusal.value)
    assert "payload.scenes.0.clips.1.opacity: must be between 1 and 100" in lines
    assert "account: " in lines
    assert "hooks.0.type: " in lines
    assert len(system.sandbox.projects()) == before


FAULTS = {
    # magic input: (final state, error code of the vendor)
    "slow=2": ("completed", None),
    "401": ("completed", None),
    "401@draft": ("completed", None),
    "429=1": ("completed", None),
    "429=date": ("completed", None),
    "429=none@draft": ("completed", None),
    "500@draft": ("completed", None),
    "500": ("completed", None),
    "malformed": ("completed", None),
    "malformed@draft": ("completed", None),
    "malformed@progress": ("completed", None),
    "drop": ("completed", None),
    "drop@draft": ("completed", None),
    "drop@progress": ("completed", None),
    "hang=7": ("completed", None),
    "hang=7@draft": ("completed", None),
    "late-url": ("completed", None),
    "drop@download": ("completed", None),
    "500@download": ("completed", None),
    "stuck": ("expired", "deadline"),
    "fail": ("failed", "50010"),
    "refuse": ("failed", "40002"),
    "refuse@export": ("failed", "40002"),
}


def test_every_fault_of_the_vendor_ends_well_and_pays_once(system: System) -> None:
    ids = {
        system.enqueue(system.request(f"Hello. [sandbox:{fault}]", name=fault, deadline=20)): fault for fault in FAULTS
    }
    deliveries = take(system, set(ids), seconds=60)

    seen = {ids[one]: deliveries[one]["data"] for one in ids}
    ends = {fault: (record["state"], (record["error"] or {}).get("code")) for fault, record in seen.items()}
    assert ends == FAULTS
    for one, fault in ids.items():
        projects = system.projects_of(one)
        left = [project for project in projects if not project["deleted"]]
        assert len(left) == (0 if fault in ("refuse", "refuse@export") else 1), fault
        exports = sum(project["exports"] for project in projects)
        assert exports == (0 if fault in ("refuse", "refuse@export") else 1), fault
    # A draft whose answer was dropped is found by its name, not made again.
    assert [len(system.projects_of(one)) for one, fault in ids.items() if fault == "drop@draft"] == [1]
    assert seen["fail"]["error"]["origin"] == "vendor"
    assert seen["stuck"]["error"]["origin"] == "renderline"
    assert seen["refuse@export"]["hooks"][0]["state"] == "skipped"


def test_a_failing_hook_is_retried_then_dead_lettered_and_the_others_still_run(system: System) -> None:
    gone = {"type": "http", "url": system.hook_endpoint.url}
    refused: list[str] = []

    def answer(body: dict[str, Any]) -> int:
        if body["data"]["metadata"].get("case") != "dead":
            return 204
        refused.append(body["data"]["id"])
        # 410 says that nobody will ever listen there again.
        return 410 if len(refused) == 1 else 204

    system.hook_endpoint.answer = answer
    render = system.enqueue(system.request(metadata={"case": "dead"}, hooks=[gone, system.request()["hooks"][1]]))
    first, second = system.hook_endpoint.take(), system.hook_endpoint.take()
    assert first[0]["webhook-id"] != second[0]["webhook-id"]
    ledger = Ledger(Redis.from_url(system.valkey.url, decode_responses=True))
    record = until(lambda: (found := ledger.record(render)) and found["state"] == "undelivered" and found)
    # They do not wait for each other: either may have been called first.
    (dead,) = [hook for hook in record["hooks"] if hook["state"] == "dead"]
    assert "410" in dead["error"]


def test_a_hook_that_fails_at_first_arrives_under_the_same_id(system: System) -> None:
    tries: list[str] = []

    def answer(body: dict[str, Any]) -> int:
        tries.append(body["data"]["id"])
        return 500 if len(tries) == 1 else 204

    system.hook_endpoint.answer = answer
    system.enqueue(system.request(hooks=[system.request()["hooks"][1]]))
    first, second = system.hook_endpoint.take(), system.hook_endpoint.take()
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert json.loads(second[1])["data"]["hooks"][0]["attempts"] == 2
