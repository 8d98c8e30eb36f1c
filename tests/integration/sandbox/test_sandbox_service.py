"""Files, callbacks, the control API, and the process itself."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller, SandboxClient, running

from harness import ROOT, until


def finished(caller: Caller, **fields: Any) -> str:
    made = caller.create(export=True, **fields)
    caller.emulator.control("POST", "complete", {"id": made})
    return str(caller.progress(made)["downloadUrl"])


def test_file_without_token_with_ranges(caller: Caller) -> None:
    url = finished(caller)
    whole = requests.get(url, timeout=30)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "video/mp4")
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    head = requests.head(url, timeout=30)
    assert (head.headers["Content-Length"], head.content) == (whole.headers["Content-Length"], b"")
    part = requests.get(url, headers={"Range": "bytes=4-7"}, timeout=30)
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(whole.content)}"
    assert requests.get(url, headers={"Range": "bytes=9999999-"}, timeout=30).status_code == 416
    assert requests.get(finished(caller), timeout=30).content != whole.content


def test_no_file_before_completion_or_after_deletion(caller: Caller) -> None:
    made = caller.create(export=True)
    assert caller.emulator.call("GET", f"/files/{made}.mp4").status_code == 404
    caller.emulator.control("POST", "complete", {"id": made})
    assert caller.emulator.call("GET", f"/files/{made}.mp4").status_code == 200
    caller.data("DELETE", "/editor/project", {"ids": [made]})
    assert caller.emulator.call("GET", f"/files/{made}.mp4").status_code == 404


def test_dropped_download_sends_half(caller: Caller) -> None:
    url = finished(caller, script="[sandbox:drop@download]")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=30)
    assert requests.get(url, timeout=30).status_code == 200


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize(("orientation", "size"), [("landscape", (640, 360)), ("portrait", (360, 640))])
def test_file_plays(caller: Caller, tmp_path: Path, orientation: str, size: tuple[int, int]) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(requests.get(finished(caller, orientation=orientation), timeout=30).content)
    probe = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(file)]
    done = subprocess.run(probe, capture_output=True, check=True, text=True)
    (stream,) = json.loads(done.stdout)["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", *size)
    assert stream["nb_read_frames"] == "72"
    assert done.stderr == ""


class Receiver(ThreadingHTTPServer):
    """Keeps the JSON bodies it is sent, and refuses each with a 500 to show that nothing is repeated."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(json.loads(body))
        self.send_response(500)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


MODES = {
    "normal": [0, 25, 50, 75, 100],
    "none": [],
    "final-only": [100],
    "duplicate": [0, 0, 25, 25, 50, 50, 75, 75, 100, 100],
    "reordered": [100, 75, 50, 25, 0],
    "wrapped": [0, 25, 50, 75, 100],
}


@pytest.mark.parametrize("mode", MODES)
def test_webhooks(receiver: Receiver, mode: str) -> None:
    with running("--render-seconds", "0.2", "--webhooks", mode) as emulator:
        caller = Caller(emulator)
        made = caller.create(export=True, webhookUrl=receiver.url)
        until(lambda: caller.progress(made)["progress"] == 100)
        # The receiver refuses them all.
        until(lambda: emulator.control("GET", "stats")["webhooks_failed"] == len(MODES[mode]))
        stats = emulator.control("GET", "stats")
        task = caller.data("GET", f"/editor/project/{made}")["project"]["backendTaskId"]
    assert stats["webhooks_sent"] == len(MODES[mode])
    bodies = [body["data"] for body in receiver.bodies] if mode == "wrapped" else receiver.bodies
    order = sorted if mode in ("normal", "wrapped", "duplicate") else list
    assert order(body["progress"] for body in bodies) == MODES[mode]
    for body in bodies:
        assert body["backendTaskId"] == task
        final = body["progress"] == 100
        assert set(body) == {"progress", "backendTaskId"} | ({"credit", "download_url"} if final else set())
        assert not final or (body["credit"], body["download_url"][-8:]) == (1, f"{made[-4:]}.mp4")


def test_webhook_url_of_the_export_and_none_to_reserved_names(receiver: Receiver) -> None:
    with running("--render-seconds", "0.1", "--webhooks", "final-only") as emulator:
        caller = Caller(emulator)
        caller.create(export=True, webhookUrl="https://hooks.example.com/x")
        draft = caller.create(export=False)
        caller.data("POST", "/editor/project/export", {"projectId": draft, "webhookUrl": receiver.url})
        until(lambda: emulator.control("GET", "stats")["webhooks_failed"])
        assert emulator.control("GET", "stats")["webhooks_failed"] == 1
        assert len(receiver.bodies) == 1


def test_counts_projects_stats_and_reset(emulator: SandboxClient, caller: Caller) -> None:
    made = caller.create(export=True, name="First")
    caller.progress(made)
    caller.progress(made)
    assert emulator.control("GET", "counts") == {
        f"GET {V3}/editor/progress/{{key}}": 2,
        f"POST {V3}/auth/token": 1,
        f"POST {V3}/editor/project": 1,
    }
    (shown,) = emulator.control("GET", "projects")
    assert shown == {
        "id": made,
        "name": "First",
        "api": "v3",
        "account": "app",
        "origin": f"POST {V3}/editor/project",
        "generation": None,
        "language": None,
        "state": "exporting",
        "progress": shown["progress"],
        "draft": False,
        "exports": 1,
        "credits": 0,
        "webhook_url": None,
        "created_at": shown["created_at"],
        "exported_at": shown["created_at"],
        "completed_at": None,
        "deleted": False,
    }
    assert emulator.control("GET", "projects?name=Fir") == [{**shown, "progress": pytest.approx(0, abs=5)}]
    assert emulator.control("GET", "projects?state=draft") == []
    stats = emulator.control("GET", "stats")
    assert (stats["rendering_now"], stats["rendering_peak"], stats["tokens_issued"], stats["credits"]) == (1, 1, 1, 0)
    assert stats["accounts"]["app"]["rendering_now"] == 1
    assert emulator.call("POST", "/_sandbox/complete", json={"id": "none"}).status_code == 404
    draft = caller.create(export=False)
    assert emulator.call("POST", "/_sandbox/complete", json={"id": draft}).status_code == 409
    emulator.control("POST", "reset")
    assert emulator.control("GET", "counts") == {}
    assert emulator.control("GET", "projects") == []
    assert caller.call("GET", "/auth").status_code == 200


def test_keep_alive(emulator: SandboxClient, caller: Caller) -> None:
    with socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1])), timeout=30) as line:
        for _ in range(3):
            request = f"GET {V3}/auth HTTP/1.1\r\nHost: x\r\nAuthorization: {caller.token}\r\n\r\n"
            line.sendall(request.encode())
            assert b'"isAuthenticated":true' in line.recv(65536)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(number: int) -> None:
    with running() as emulator:
        caller = Caller(emulator)
        caller.create(export=True)
        emulator.process.send_signal(number)
        assert emulator.process.wait(60) == 0


def test_a_taken_port_is_said_in_one_line(emulator: SandboxClient) -> None:
    port = emulator.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "renderline.sandbox", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.startswith(f"sandbox: cannot listen on 127.0.0.1:{port}: ")
    assert done.stderr.count("\n") == 1


def test_latency_and_public_url() -> None:
    with running("--latency", "0.1", "--public-url", "http://cdn.test/", "--lenient") as emulator:
        answer = emulator.call("POST", f"{V3}/auth/token", json={"appId": "a", "userKey": "k"})
        assert answer.elapsed.total_seconds() >= 0.1
        caller = Caller(emulator)
        made = caller.data("POST", "/editor/project", {"scenes": [{}]})["projectId"]
        emulator.control("POST", "complete", {"id": made})
        assert caller.progress(made)["downloadUrl"] == f"http://cdn.test/files/{made}.mp4"
