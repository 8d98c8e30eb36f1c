"""A large upload takes little memory: measured in a process of its own, on a file that exists only as a size."""

import json
import socket
import subprocess
import sys
import threading

from harness import ROOT

SIZE = 300 << 20

CHILD = """
import resource, sys
from renderline.studio import StudioV3, Upload

url, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Token:
    def current(self): return "token"
    def reject(self, token): raise AssertionError(token)

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

client = StudioV3(url, tokens=Token())
before = peak()
client.create_from_slides(Upload("deck.pptx", size, lambda: open(path, "rb")), name="Welcome")
print(before, peak())
"""


class Sink:
    """Answers one request after it has read its body to the end, keeping only the number of its bytes."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.length = self.received = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection, connection.makefile("rb") as stream:
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    self.length = int(line.split(b":")[1])
            while self.received < self.length and (piece := stream.read1(1 << 20)):
                self.received += len(piece)
            body = json.dumps({"success": True, "data": {"projectId": "p1"}}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    def close(self) -> None:
        self._server.close()
        self._thread.join(10)


def test_an_upload_of_300_mb_takes_a_few_megabytes(tmp_path):
    path = tmp_path / "deck.pptx"
    with path.open("wb") as file:
        file.truncate(SIZE)
    sink = Sink()
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, sink.url, str(path), str(SIZE)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        sink.close()
    before, after = map(int, done.stdout.split())
    assert sink.received == sink.length > SIZE
    assert after - before < 16, f"{before} MB before, {after} MB after an upload of {SIZE >> 20} MB"
