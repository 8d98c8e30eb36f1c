"""The words for what a project is doing: the sandbox's own, or the one word that the vendor's prose knows."""

from renderline.sandbox.options import Options
from renderline.sandbox.projects import EXPORTED, Project

COMPLETE = "Complete"


def shown_state(options: Options, project: Project, now: float) -> str | None:
    """The state of a project in an answer; None for no word at all."""
    if options.words == "normal":
        return project.state_at(now)
    return COMPLETE if project.state == EXPORTED else None
