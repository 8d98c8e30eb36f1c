"""Renders driven by the clock: started by an export, completed, failed or stuck by a list of due events."""

import hashlib
import heapq
import random
from collections.abc import Callable

from renderline.sandbox.charges import EXPORT, Charges
from renderline.sandbox.curves import CURVES, MIXED, Curve
from renderline.sandbox.magic import Tag
from renderline.sandbox.options import Options
from renderline.sandbox.projects import EXPORTED, EXPORTING, FAILED, Project
from renderline.sandbox.render import Render, apply_tags
from renderline.sandbox.responses import RENDER_FAILED

MARKS = (0, 25, 50, 75)
"""Progress at which a webhook is due; 100 is the completion."""

COMPLETE = 100
URL_READY = 101


def task_id(project: Project) -> str | None:
    """The backendTaskId of the latest render, None before the first; does not show the project id."""
    if not project.exports:
        return None
    return hashlib.blake2b(f"{project.id}/{project.exports}".encode(), digest_size=12).hexdigest()


class Renders:
    """Starts renders and processes due events.

    `on_mark(project, progress)` is called for the latest render of a project at 0, 25, 50, 75 and 100;
    `set_alarm(time)` gets the time at which `advance` must be called next.
    """

    def __init__(
        self,
        options: Options,
        *,
        rng: random.Random,
        on_mark: Callable[[Project, int], None],
        set_alarm: Callable[[float], None],
    ) -> None:
        self._options = options
        self._rng = rng
        self._on_mark = on_mark
        self._set_alarm = set_alarm
        self._curves = list(CURVES.values())
        self.charges = Charges()
        self.clear()

    def clear(self) -> None:
        """Forget all renders and figures."""
        self._due: list[tuple[float, int, int, Project, Render]] = []
        self._sequence = 0
        self.rendering_now = 0
        self.rendering_peak = 0
        self.credits = 0
        self.exports = 0
        self.charges.clear()

    def start(self, project: Project, *, now: float, tags: tuple[Tag, ...], call: str = "", sort: str = EXPORT) -> None:
        """Start a render of the project for a call. One that runs already goes on unseen and is charged too."""
        project.changing(now)
        project.exports += 1
        render = Render(project.exports, started=now, duration=self._duration(), curve=self._curve())
        ends_at = apply_tags(render, tags)
        project.render = render
        project.state = EXPORTING
        project.error = None
        project.progress = 0.0
        project.credit_subtracted = False
        project.exported_at = project.updated_at = now
        project.completed_at = None
        late = next((tag.seconds(max(1.0, render.duration / 2)) for tag in tags if tag.kind == "late-url"), 0.0)
        project.url_at = ends_at + late if late and ends_at else 0.0
        account = project.account
        account.version += 1
        account.rendering_now += 1
        account.rendering_peak = max(account.rendering_peak, account.rendering_now)
        self.exports += sort == EXPORT
        render.charge = (account.name, sort, call)
        self.charges.start(render.charge)
        self.rendering_now += 1
        self.rendering_peak = max(self.rendering_peak, self.rendering_now)
        if project.api == "v2":
            self._charge(project, render)
        if ends_at is not None:
            self._push(ends_at, COMPLETE, project, render)
        if project.webhook_url:
            self._push(now, MARKS[0], project, render)

    def advance(self, now: float) -> None:
        """Process every event that is due."""
        while self._due and self._due[0][0] <= now:
            at, _, event, project, render = heapq.heappop(self._due)
            current = project.exports == render.number
            if event == URL_READY:
                if current:
                    self._on_mark(project, COMPLETE)
            elif not render.over:
                if event == COMPLETE:
                    self._end(project, render, at=at)
                elif current:
                    self._mark(project, render, event)

    def complete(self, project: Project, *, now: float) -> bool:
        """Complete the project's render now, whatever its tags say; False if none runs."""
        render = project.render
        if render is None:
            return False
        render.fails = False
        project.url_at = 0.0
        self._end(project, render, at=now)
        return True

    def next_due(self) -> float | None:
        """When the next event is due."""
        return self._due[0][0] if self._due else None

    def _duration(self) -> float:
        spread = self._options.spread
        return self._options.render_seconds * (self._rng.uniform(1 - spread, 1 + spread) if spread else 1.0)

    def _curve(self) -> Curve:
        name = self._options.curve
        return self._rng.choice(self._curves) if name == MIXED else CURVES[name]

    def _end(self, project: Project, render: Render, *, at: float) -> None:
        render.over = True
        project.account.rendering_now -= 1
        self.rendering_now -= 1
        current = project.exports == render.number
        if not render.fails:
            self._charge(project, render)
        if not current:
            return
        project.changing(at)
        project.render = None
        project.completed_at = project.updated_at = at
        project.account.version += 1
        if render.fails:
            project.state = FAILED
            project.progress = render.cap
            project.error = (RENDER_FAILED, "the render failed")
            return
        project.state = EXPORTED
        project.progress = 100.0
        project.credit_subtracted = True
        if project.url_at > at:
            self._push(project.url_at, URL_READY, project, render)
        else:
            self._on_mark(project, COMPLETE)

    def _mark(self, project: Project, render: Render, mark: int) -> None:
        self._on_mark(project, mark)
        following = next((step for step in MARKS if step > mark and step <= render.cap), None)
        if following is not None:
            self._push(render.time_of(following), following, project, render)

    def _charge(self, project: Project, render: Render) -> None:
        if not render.charged:
            render.charged = True
            project.credits += project.cost
            project.account.credits += project.cost
            self.credits += project.cost
            self.charges.charge(render.charge, project.cost)

    def _push(self, at: float, event: int, project: Project, render: Render) -> None:
        self._sequence += 1
        heapq.heappush(self._due, (at, self._sequence, event, project, render))
        if self._due[0][0] == at:
            self._set_alarm(at)
