"""The generation of a project from a topic, a page, a script or documents: progress by the clock."""

from renderline.sandbox.curves import linear
from renderline.sandbox.magic import Tag
from renderline.sandbox.render import Render, apply_tags
from renderline.sandbox.responses import RENDER_FAILED

WORDS = ((0.0, "ready"), (5.0, "script"), (35.0, "media"), (70.0, "composing"))
"""State words on the way, invented; the end is `finish` (AI Studios v3 contract, automation progress)."""

FINISH = "finish"
FAILED = "failed"


class Generation:
    """One generation, from its start to `finish`, a failure, or standing still."""

    __slots__ = ("_ends_at", "_render")

    def __init__(self, *, started: float, duration: float, tags: tuple[Tag, ...]) -> None:
        self._render = Render(1, started=started, duration=duration, curve=linear)
        self._ends_at = apply_tags(self._render, tags)

    def over(self, now: float) -> bool:
        """Whether it finished or failed."""
        return self._ends_at is not None and now >= self._ends_at

    def finished(self, now: float) -> bool:
        """Whether the project can be used."""
        return self.over(now) and not self._render.fails

    def finish(self, now: float) -> None:
        """Finish at once, whatever the tags say."""
        self._render.fails = False
        self._ends_at = now

    def progress_at(self, now: float) -> float:
        """Progress from 0 to 100."""
        return 100.0 if self.finished(now) else self._render.progress_at(now)

    def state_at(self, now: float) -> str:
        """The state word of a moment."""
        if self.over(now):
            return FAILED if self._render.fails else FINISH
        progress = self.progress_at(now)
        return next(word for start, word in reversed(WORDS) if progress >= start)

    def error_at(self, now: float) -> tuple[int, str] | None:
        """Code and message of a failure."""
        failed = self.over(now) and self._render.fails
        return (RENDER_FAILED, "the generation failed") if failed else None
