"""The handlers of Flower's pages about renders: for reading only, behind the guard of config/flower_guard.py."""

from __future__ import annotations

from typing import Any

from flower.views import BaseHandler
from tornado import web

from workers.flower import rows, tasks_seen
from workers.flower.reading import NotReadable, Reader


class _Page(BaseHandler):
    """A page about renders."""

    def initialize(self, reader: Reader, public_url: str | None) -> None:
        """Take what the installation gives."""
        self.reader, self.public_url = reader, public_url

    def show(self, template: str, **values: Any) -> None:
        """Answer with a template; what it was not given is empty."""
        self.render(template, **{"problem": "", **values})


class RenderList(_Page):
    """The list: a search, the number of renders in each state, a table."""

    @web.authenticated
    async def get(self) -> None:
        """Show a page of the list."""
        query, cursor = self.get_argument("q", "", escape=False), self.get_argument("cursor", "", escape=False)
        shown: dict[str, Any] = {"query": query, "labels": self.reader.labels, "counts": [], "rows": [], "more": None}
        try:
            page = await self.reader.page(query, cursor or None)
        except NotReadable as problem:
            self.set_status(problem.status)
            self.show("renders.html", **{**shown, "problem": str(problem)})
            return
        shown["rows"] = [
            rows.row(record, explained, self.reader.labels)
            for record, explained in zip(page.found.records, page.explained, strict=True)
        ]
        self.show("renders.html", **{**shown, "counts": page.counts, "more": page.found.cursor})


class RenderDetails(_Page):
    """One render: why it is as it is, its record, its timeline, and the tasks that Flower has seen of it."""

    @web.authenticated
    async def get(self, render_id: str) -> None:
        """Show the render."""
        try:
            page = await self.reader.render(render_id)
        except NotReadable as problem:
            self.set_status(problem.status)
            self.show("render.html", problem=str(problem), row=None)
            return
        state = self.application.events.state
        self.show(
            "render.html",
            row=rows.row(page.record, page.explained, self.reader.labels),
            commands=rows.commands(page.record),
            board_url=rows.board_url(self.public_url, render_id),
            timeline=page.timeline,
            tasks=tasks_seen.of_render(render_id, list(state.tasks.items())),
            kept=state.max_tasks_in_memory,
        )
