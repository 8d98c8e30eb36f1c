"""The vendor's calls for a render, and a hook endpoint, answered from a few numbers."""

from __future__ import annotations

import json
import random
import time
from collections import Counter

_ROOT = "/api/odin/v3"
_PROGRESS = f"{_ROOT}/editor/progress/"
_NOT_FOUND = 404, b'{"success":false,"error":{"code":40400,"msg":"no such call"}}'


class Vendor:
    """Emulates renders: a project is done between `least` and `most` seconds after its export.

    Progress is linear. An unknown project renders for a long time, so that any number of renders can be in flight at no
    cost.
    """

    def __init__(self, *, least: float, most: float, seed: int = 1) -> None:
        self._least, self._most = least, most
        self._chance = random.Random(seed)
        self._made = 0
        self._began = time.time()
        self._running: dict[str, tuple[float, float]] = {}
        self._counts: Counter[str] = Counter()
        self._hooks: list[tuple[float, str]] = []
        self._creates: list[tuple[float, str]] = []

    def handle(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer one call."""
        if path.startswith(_PROGRESS):
            self._counts["progress"] += 1
            return 200, self._progress(path[len(_PROGRESS) :])
        if path.startswith("/hook"):
            self._counts["hook"] += 1
            self._hooks.append((time.time(), str(json.loads(body)["data"]["metadata"]["order"])))
            return 204, b""
        if path.startswith("/_stub/"):
            return self._control(path[7:])
        return self._changing(method, path, body)

    def _changing(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method != "POST":
            return _NOT_FOUND
        if path == f"{_ROOT}/editor/project":
            self._counts["create"] += 1
            self._made += 1
            key = f"{self._made:024x}"
            project = json.loads(body)
            self._creates.append((time.time(), str(project.get("name"))))
            if project.get("isExport", True):
                self._start(key)
            return 200, b'{"success":true,"data":{"projectId":"%b"}}' % key.encode()
        if path == f"{_ROOT}/editor/project/export":
            self._counts["export"] += 1
            key = str(json.loads(body)["projectId"])
            self._start(key)
            return 200, b'{"success":true,"data":{"projectId":"%b"}}' % key.encode()
        if path == f"{_ROOT}/auth/token":
            self._counts["token"] += 1
            return 200, b'{"success":true,"data":{"token":"stub.token.0123456789"}}'
        return _NOT_FOUND

    def _start(self, key: str) -> None:
        self._running[key] = (time.time(), self._chance.uniform(self._least, self._most))

    def _progress(self, key: str) -> bytes:
        started, seconds = self._running.get(key, (0.0, 0.0))
        if not started:
            # Each poll sees a little more progress than the last.
            done = min(99.0, 10 + (time.time() - self._began) * 0.2)
            return b'{"success":true,"data":{"progress":%.4f,"state":"exporting"}}' % done
        share = (time.time() - started) / seconds if seconds else 1.0
        if share < 1:
            return b'{"success":true,"data":{"progress":%.2f,"state":"exporting"}}' % (share * 100)
        url = b"http://127.0.0.1/files/%b.mp4" % key.encode()
        return b'{"success":true,"data":{"progress":100,"state":"exported","downloadUrl":"%b"}}' % url

    def _control(self, path: str) -> tuple[int, bytes]:
        if path == "counts":
            return 200, json.dumps(self._counts).encode()
        if path == "hooks":
            return 200, json.dumps(self._hooks).encode()
        if path == "creates":
            return 200, json.dumps(self._creates).encode()
        if path == "reset":
            self._counts.clear()
            self._hooks.clear()
            self._creates.clear()
            return 200, b"{}"
        return _NOT_FOUND
