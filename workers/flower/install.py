"""Installs our pages in Flower, before Flower builds its application.

Flower has no interface for pages of others. Its routes and settings are module variables that its application is built
from, and its `--conf` file is executed before that: config/flower.py calls this through the Celery application, and
puts the guard before our routes as before all others. If anything that is needed here is not there, as in another
release, Flower starts without these pages and says so in one line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from config.settings import Settings

_log = logging.getLogger(__name__)

_RENDER = r"/renders/([A-Za-z0-9_-]{1,64})"
_UNFIT = (ImportError, AttributeError, LookupError, TypeError, ValueError, OSError, SyntaxError)


def install(settings: Settings) -> None:
    """Add our pages to Flower in this process, with one warning for each part that this release of Flower does not fit.

    With RENDERLINE_FLOWER_RENDERS=false only the page of queues is changed.
    """
    _try(_queues, "the page of all queues", "")
    if settings.flower_renders:
        _try(lambda: _renders(settings), "the pages of renders", ", or set RENDERLINE_FLOWER_RENDERS=false")


def _try(part: Callable[[], None], what: str, otherwise: str) -> None:
    try:
        part()
    except _UNFIT as error:
        _log.warning(
            "Flower %s starts without %s, which it does not fit (%s: %s); install the versions of requirements.txt%s",
            metadata.version("flower"),
            what,
            type(error).__name__,
            error,
            otherwise,
        )


def _queues() -> None:
    # Here and below, so that a name that is missing in Flower is one of the errors above.
    import flower.urls
    from tornado.web import URLSpec

    from workers.flower.queues import REPLACED

    def replaced(route: Any) -> URLSpec:
        spec = route if isinstance(route, URLSpec) else URLSpec(*route)
        handler = REPLACED.get(spec.handler_class, spec.handler_class)
        return URLSpec(spec.regex.pattern, handler, spec.kwargs, spec.name)

    flower.urls.handlers[:] = [replaced(route) for route in flower.urls.handlers]


def _renders(settings: Settings) -> None:
    import flower.urls
    from tornado.web import URLSpec

    from workers.flower.loader import Loader
    from workers.flower.reading import Reader
    from workers.flower.tasks_seen import renders_of
    from workers.flower.views import RenderDetails, RenderList

    loader = Loader(Path(flower.urls.settings["template_path"]))
    loader.namespace["renders_of"] = renders_of
    # Compiled now, not when a page is asked for.
    for name in ("navbar.html", "task.html", "renders.html", "render.html", "renders_of_task.html"):
        loader.load(name)
    values = {"reader": Reader(settings), "public_url": settings.public_url}
    # Before Flower's last route, which takes every path.
    flower.urls.handlers[:0] = [
        URLSpec("/renders", RenderList, values, name="renders"),
        URLSpec(_RENDER, RenderDetails, values, name="render"),
    ]
    flower.urls.settings["template_loader"] = loader
