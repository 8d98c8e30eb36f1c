"""The style and the scripts of the board, under a path that changes with them, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from flask import Response, send_from_directory, url_for

from renderline.gateway.board.blueprint import blp

_FOLDER: Final = Path(__file__).parent / "static"
_YEAR: Final = 365 * 86400
VERSION: Final = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_FOLDER.iterdir()))).hexdigest()[:12]


@blp.get("/board/static/<version>/<path:name>")
def asset(version: str, name: str) -> Response:
    """Send a style or a script. Whatever the version, it is the present one."""
    response = send_from_directory(_FOLDER, name, max_age=_YEAR if version == VERSION else 0)
    if version == VERSION:
        response.cache_control.immutable = True
    return response


def asset_url(name: str) -> str:
    """Return the address of a style or a script."""
    return url_for("board.asset", version=VERSION, name=name)
