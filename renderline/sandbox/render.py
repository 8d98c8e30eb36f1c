"""One started render and its progress over time."""

from renderline.sandbox.curves import Curve, share_when
from renderline.sandbox.magic import Tag


class Render:
    """One started render: what is known from its start on."""

    __slots__ = ("cap", "charge", "charged", "curve", "duration", "fails", "number", "over", "started")

    def __init__(self, number: int, *, started: float, duration: float, curve: Curve) -> None:
        self.number = number
        self.started = started
        self.duration = duration
        self.curve = curve
        self.cap = 99.99
        self.fails = False
        self.charged = False
        self.charge = ("", "", "")
        """Under what it is counted (charges.Key)."""
        self.over = False

    def progress_at(self, now: float) -> float:
        """Progress from 0 to below 100 at a time."""
        share = (now - self.started) / self.duration if self.duration > 0 else 1.0
        return round(min(self.curve(min(max(share, 0.0), 1.0)) * 100, self.cap), 2)

    def time_of(self, progress: float) -> float:
        """The time at which the curve reaches a progress."""
        return self.started + self.duration * share_when(self.curve, progress / 100)


def apply_tags(render: Render, tags: tuple[Tag, ...]) -> float | None:
    """Let the tags change the render; returns when it ends, None for never."""
    for tag in tags:
        if tag.kind == "slow":
            render.duration *= tag.number(3.0)
    ends_at: float | None = render.started + render.duration
    for tag in tags:
        if tag.kind == "stuck":
            render.cap = tag.number(42.0)
            return None
        if tag.kind == "fail":
            render.fails = True
            render.cap = tag.number(60.0)
            ends_at = render.time_of(render.cap)
    return ends_at
