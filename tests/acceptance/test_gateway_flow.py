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

from harness import ROOT, until
from harness.gateway import GatewayProcess

ENDED = {"delivered", "undelivered", "failed", "expired", "canceled"}


@pytest.fixture(scope="module")
def system(start_system):
    return start_system("--render-seconds", "1.5")


@pytest.fixture(scope="module")
def gateway(system):
    process = GatewayProcess(system.directory / "gateway.log", **system.environ)
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
