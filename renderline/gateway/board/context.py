"""What the pages of the board are made from, built once for each application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Flask, current_app

from renderline.explanation import Explainer
from renderline.gateway.board.feed import Feed
from renderline.gateway.board.kept import Kept
from renderline.gateway.board.overview import Overview, Overviews
from renderline.search import Search

_EXTENSION: Final = "renderline-board"


@dataclass(frozen=True)
class BoardContext:
    """The parts that the list and its figures need."""

    search: Search
    explainer: Explainer
    overviews: Overviews
    feed: Feed
    kept_overviews: Kept[Overview]
    kept_rows: Kept[str]

    def install(self, app: Flask) -> None:
        """Make this the board's context of the application."""
        app.extensions[_EXTENSION] = self


def board() -> BoardContext:
    """Return the board's context of the application that serves the present request."""
    found: BoardContext = current_app.extensions[_EXTENSION]
    return found
