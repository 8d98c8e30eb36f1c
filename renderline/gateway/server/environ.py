"""The WSGI environment of a request. A header can set none of its variables but `HTTP_*`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine

DISCONNECTED: Final = "renderline.disconnected"
"""The variable that holds a function: whether the client has disconnected."""

STREAMED: Final = "renderline.streamed"
"""The variable that the application sets where its answer is to be sent as it comes, in a thread of its own."""

# Which of two the application or a proxy believes is anybody's guess.
_ONCE: Final = ("Host", "Content-Length", "Transfer-Encoding", "Authorization", "Origin")


def wsgi_environ(
    start: RequestStartLine,
    headers: HTTPHeaders,
    *,
    scheme: str,
    server: tuple[str, int],
    remote: str,
    disconnected: Callable[[], bool],
) -> dict[str, Any]:
    """Return the environment of a request without its body; raises HTTPInputError for a request that is ambiguous."""
    for name in _ONCE:
        if len(headers.get_list(name)) > 1:
            raise HTTPInputError(f"{name} is given more than once")
    if start.version == "HTTP/1.1" and "Host" not in headers:
        raise HTTPInputError("Host is missing")
    path, _, query = _origin_form(start.path).partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": start.method,
        # With a value from outside, a proxy that filters paths would see another path than the application.
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin1")).decode("latin1"),
        "QUERY_STRING": query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": start.version,
        "REMOTE_ADDR": remote,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        DISCONNECTED: disconnected,
    }
    for name, value in headers.items():
        # `Content_Length` would become the same variable as `Content-Length`.
        if "_" in name:
            continue
        variable = name.replace("-", "_").upper()
        environ[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"] = value
    return environ


def _origin_form(target: str) -> str:
    """Return the path and query of a request's target, which may be a whole URL."""
    if target.startswith("/"):
        return target
    _, separator, rest = target.partition("://")
    return f"/{rest.partition('/')[2]}" if separator else "/"
