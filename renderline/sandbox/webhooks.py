"""Webhooks to the caller's webhookUrl (v3: a POST with JSON) or webhook (v2: a GET with a query): never retried."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from renderline.sandbox.projects import Project
from renderline.sandbox.renders import COMPLETE, task_id
from renderline.sandbox.responses import dumps

TIMEOUT_SECONDS = 5.0
AT_ONCE = 100
RESERVED = ("example.com", "example.net", "example.org", ".example", ".invalid", ".test")
"""Reserved host endings (RFC 2606). The vendor's sample bodies use one; nothing is sent there."""


def result_url(url: str, project: Project, link: str | None) -> str:
    """The URL of a v2 webhook with the result appended to it, after what query it has (AI Studios v2 contract)."""
    result = {
        "ai_progress_update_loc": f"ai-video/{project.id}/",
        "videoUrl": link or "",
        "duration": f"{project.duration:.6f}",
    }
    address, hash_, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(result)}{hash_}{fragment}"


class Webhooks:
    """Sends webhooks in one of the modes `normal`, `none`, `duplicate`, `reordered`, `final-only`, `wrapped`."""

    def __init__(self, *, mode: str, link: Callable[[Project], str | None]) -> None:
        self._mode = mode
        self._link = link
        self._client: SimpleAsyncHTTPClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.clear()

    def clear(self) -> None:
        """Reset counts and webhooks kept for reordering."""
        self.sent = 0
        self.failed = 0
        self._kept: dict[str, list[dict[str, Any]]] = {}

    def on_mark(self, project: Project, progress: int) -> None:
        """Send what the mode says about a project that reached 0, 25, 50, 75 or 100."""
        url = project.webhook_url
        if not url or self._mode == "none" or (self._mode == "final-only" and progress < COMPLETE):
            return
        if project.api == "v2":
            if progress == COMPLETE:
                self._start(
                    result_url(url, project, self._link(project)), [None] * (2 if self._mode == "duplicate" else 1)
                )
            return
        body: dict[str, Any] = {"progress": progress, "backendTaskId": task_id(project)}
        if progress == COMPLETE:
            link = self._link(project)
            body |= {"credit": project.cost} if link is None else {"credit": project.cost, "download_url": link}
        if self._mode == "wrapped":
            body = {"success": True, "data": body}
        if self._mode == "reordered":
            self._kept.setdefault(project.id, []).append(body)
            bodies = self._kept.pop(project.id)[::-1] if progress == COMPLETE else []
        else:
            bodies = [body] * (2 if self._mode == "duplicate" else 1)
        if bodies:
            self._start(url, bodies)

    def _start(self, url: str, bodies: Sequence[dict[str, Any] | None]) -> None:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            self.failed += len(bodies)
            return
        if any(host == name.lstrip(".") or host.endswith("." + name.lstrip(".")) for name in RESERVED):
            return
        task = asyncio.get_running_loop().create_task(self._send(url, bodies))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, url: str, bodies: Sequence[dict[str, Any] | None]) -> None:
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=AT_ONCE)
        for body in bodies:
            request = HTTPRequest(
                url,
                method="GET" if body is None else "POST",
                headers=None if body is None else {"Content-Type": "application/json"},
                body=None if body is None else dumps(body),
                follow_redirects=False,
                connect_timeout=TIMEOUT_SECONDS,
                request_timeout=TIMEOUT_SECONDS,
            )
            try:
                answer = await self._client.fetch(request, raise_error=False)
            except Exception:
                # Nobody listens, or the URL is invalid: the vendor does not retry.
                self.failed += 1
                continue
            self.sent += 1
            self.failed += answer.code >= 400
