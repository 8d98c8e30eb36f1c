"""Renders over HTTP from end to end: gateway, workers, Valkey and sandbox as processes, `curl` as the client."""

import json
import os
import re
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from redis import Redis

from harness import ROOT, until
from harness.gateway import ForkedGateway
from renderline import contract
from renderline.ledger import Ledger
from renderline.producer import RequestNotAccepted, enqueue_render, enqueue_renders

ENDED = {"delivered", "undelivered", "failed", "expired", "canceled"}


@pytest.fixture(scope="module")
def system(start_system):
    return start_system("--render-seconds", "1.5", workers=1)


@pytest.fixture(scope="module")
def gateway(system):
    process = ForkedGateway(system.directory / "gateway.log", **system.environ)
    yield process
    process.stop()
    assert "Traceback" not in process.output()


@pytest.fixture
def curl():
    found = shutil.which("curl")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("curl is missing")
        pytest.skip("curl is missing")
    return found


def ended(gateway, render_id):
    record = gateway.ask("GET", f"/v1/renders/{render_id}").json()
    return record if record["state"] in ENDED else None


def snippet():
    """Return the session that the documentation shows."""
    text = (ROOT / "docs/http-api.md").read_text()
    return re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]


def test_the_documented_curl_session_enqueues_and_follows_a_render(gateway, curl, tmp_path):
    environ = {**os.environ, "URL": gateway.url, "KEY": "any"}
    session = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", snippet()],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert session.returncode == 0, session.stdout + session.stderr
    headers = (tmp_path / "headers.txt").read_text()
    assert headers.startswith("HTTP/1.1 202 ")
    accepted, *stream, shown, listed = [line for line in session.stdout.splitlines() if line]
    one = json.loads(accepted)["id"]
    states = [json.loads(line.removeprefix("data: "))["state"] for line in stream if line.startswith("data: ")]
    assert states[-2:] == ["delivered", "delivered"]
    assert "rendering" in states
    record = json.loads(shown)
    assert (record["id"], record["state"], record["progress"]) == (one, "delivered", 100)
    assert [found["id"] for found in json.loads(listed)["renders"]] == [one]
    video = Path(unquote(urlsplit(record["stored_url"]).path))
    assert video.read_bytes()[4:8] == b"ftyp"


def test_fifty_twins_at_once_make_one_render_and_one_project(gateway, system):
    ready = threading.Barrier(50)
    request = system.request("Once.", name="Twins", hooks=[])

    def post(_):
        ready.wait()
        return gateway.submit(request, key="order-of-twins")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    (one,) = {answer.json()["id"] for answer in answers}
    record = until(lambda: ended(gateway, one), what="the render's end")
    assert record["state"] == "delivered"
    (project,) = system.projects_of(one)
    assert project["exports"] == 1


def test_one_key_is_one_render_through_both_doors(gateway, system):
    request = system.request("Both doors.", hooks=[])
    one = gateway.accept(request, key="both-doors")
    assert system.enqueue(request, key="both-doors") == one


def test_a_batch_is_rendered(gateway, system):
    items = [{"request": system.request(f"Take {take}.", hooks=[]), "key": f"batch-{take}"} for take in range(20)]
    answer = gateway.ask("POST", "/v1/renders/batch", {"requests": items, "all_or_nothing": True})
    assert answer.status_code == 202, answer.text
    ids = [result["id"] for result in answer.json()["results"]]
    records = [until(lambda one=one: ended(gateway, one), what="the batch") for one in ids]
    assert {record["state"] for record in records} == {"delivered"}
    assert all(len(system.projects_of(one)) == 1 for one in ids)


def test_a_canceled_render_is_no_longer_followed(gateway, system):
    one = gateway.accept(system.request("slow [sandbox:slow=4] cancel me", hooks=[]))
    until(lambda: gateway.ask("GET", f"/v1/renders/{one}").json()["state"] == "rendering", what="rendering")
    assert gateway.ask("POST", f"/v1/renders/{one}/cancel").json()["state"] == "canceled"
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        assert [event.data["state"] for event in stream] == ["canceled"]


def test_a_failed_render_is_tried_again(gateway, system):
    one = gateway.accept(system.request("[sandbox:fail]", hooks=[]))
    first = until(lambda: ended(gateway, one), what="the first attempt's end")
    assert (first["state"], first["error"]["origin"]) == ("failed", "vendor")
    assert gateway.ask("POST", f"/v1/renders/{one}/retry").status_code == 202
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        last = list(stream)[-1].data
    assert (last["state"], last["attempt"], len(last["history"])) == ("failed", 2, 1)


def test_one_request_id_goes_from_the_door_to_the_last_hook_and_the_timeline_tells_it_all(gateway, system):
    name = "call-of-the-shop-17"
    answer = gateway.ask("POST", "/v1/renders", system.request(), headers={"X-Request-ID": name})
    one = answer.json()["id"]
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == name
    record = until(lambda: ended(gateway, one))
    assert record["state"] == "delivered"
    while (delivery := system.hook_endpoint.take())[0].get("X-Request-ID") != name:
        assert one not in delivery[1].decode()
    workers = "".join((system.directory / f"worker-{number}.log").read_text() for number in range(1))
    logs = gateway.output() + workers
    moves = re.findall(rf"transition .*?request_id={name}.*? state=(\w+)", logs)
    assert sorted(moves) == sorted(["accepted", "submitting", "rendering", "completed", "delivered"])
    about = [line for line in logs.splitlines() if one in line and " answered " not in line]
    assert [line for line in about if name not in line] == []
    assert len([line for line in about if "hook delivered" in line]) == 2

    def noted():
        """Calls are noted a moment later."""
        entries = gateway.ask("GET", f"/v1/renders/{one}/timeline").json()["entries"]
        return entries if len([entry for entry in entries if entry["type"] == "hook"]) == 2 else None

    entries = until(noted)
    shown = [(entry["type"], entry["name"], entry["result"]) for entry in entries if "auth/token" not in entry["name"]]
    assert shown[:5] == [
        ("transition", "accepted", ""),
        ("transition", "submitting", ""),
        ("call", "POST /editor/project", "ok"),
        ("call", "POST /editor/project/export", "ok"),
        ("transition", "rendering", ""),
    ]
    assert shown[5][0] == "call"
    assert shown[6:] == [
        ("transition", "completed", ""),
        ("hook", "hook 0 download", "ok"),
        ("hook", "hook 1 http", "ok"),
        ("transition", "delivered", ""),
    ]
    assert {entry["status"] for entry in entries if entry["type"] == "call"} == {200}
    assert [entry["endpoint"] for entry in entries][-2] == system.hook_endpoint.url.removesuffix("/done")
    assert "Hello." not in json.dumps(entries)


def test_a_producer_may_name_the_call_and_otherwise_the_message_does(system):
    short = system.request(hooks=[], export=False)
    one = enqueue_render(system.app, short, wait=60, request_id="shop-18")
    two, three = enqueue_renders(system.app, [short, short], request_id="shop-19")
    message = system.send(short)
    four = message.get(timeout=60)
    kwargs = {"request": short, "request_id": "shop-20"}
    five = system.app.send_task(contract.REQUEST, kwargs=kwargs, queue="requests").get(timeout=60)
    with Redis.from_url(system.valkey.url, decode_responses=True) as client:
        ledger = Ledger(client)
        until(lambda: all(ledger.records([two, three])))
        ids = [record["request_id"] for record in ledger.records([one, two, three, four, five])]
    assert ids == ["shop-18", "shop-19", "shop-19", message.id, "shop-20"]
    with pytest.raises(RequestNotAccepted, match="request_id: must be"):
        enqueue_render(system.app, short, request_id="two words")
