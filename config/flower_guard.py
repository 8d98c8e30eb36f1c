"""What stands before each page of Flower: the login with its throttle, the refusal of changes, and security headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import math
from collections.abc import Sequence
from typing import Any

import flower.urls
from flower.views.auth import LoginHandler
from flower.views.monitor import Healthcheck
from flower.views.tasks import TasksDataTable
from tornado.web import RequestHandler, StaticFileHandler, URLSpec

from config.login_throttle import LoginThrottle

_log = logging.getLogger(__name__)

_READING = ("GET", "HEAD")

# The page of workers has this one script of its own. The number says whether it refreshes itself.
_INLINE = [f"\nvar autorefresh = {number};\n" for number in (0, 1)]
_SCRIPTS = " ".join(
    f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in _INLINE
)
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' {_SCRIPTS}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def install(logins: Sequence[str], *, proxies: int = 0) -> None:
    """Put the guard before every route of Flower in this process. Call it before Flower's application is built.

    `proxies` stand before Flower; wrong logins count for their callers.
    """
    throttle = LoginThrottle(proxies=proxies)
    known = [_digest(login.encode()) for login in logins]

    class Guard(RequestHandler):
        """Stands before a handler of Flower, in the order of its base classes."""

        def set_default_headers(self) -> None:
            super().set_default_headers()
            for name, value in _HEADERS.items():
                self.set_header(name, value)
            self.clear_header("Server")

        async def prepare(self) -> None:
            if isinstance(self, Healthcheck):
                return
            if self._is_logged_in() and self._is_reading():
                # Flower asks no second time: its own comparison fails with 500 if there is a letter beyond ASCII.
                self.current_user = True
                super().prepare()

        def _is_logged_in(self) -> bool:
            """Return whether the request has a right login; otherwise answer it."""
            given = _credentials(self.request.headers.get("Authorization", ""))
            if given is None:
                self._refuse(401, "A login is required.")
                return False
            forwarded = self.request.headers.get("X-Forwarded-For", "")
            address = throttle.address(self.request.remote_ip or "", forwarded)
            user = given.partition(b":")[0].decode(errors="replace")
            if wait := throttle.wait(address, user):
                self._refuse_for(wait)
                return False
            if _is_known(given, known):
                return True
            throttle.failed(address, user)
            if wait := throttle.wait(address, user):
                _log.warning("logins from %s are refused for %d s after wrong passwords", address, wait)
                self._refuse_for(wait)
            else:
                self._refuse(401, "The login is not valid.")
            return False

        def _is_reading(self) -> bool:
            """Return whether the request changes nothing; otherwise answer it."""
            if self.request.method in _READING or isinstance(self, TasksDataTable):
                return True
            self._refuse(403, "Flower is for reading only. Renders are changed with the command line or over HTTP.")
            return False

        def _refuse_for(self, seconds: float) -> None:
            self.set_header("Retry-After", str(math.ceil(seconds)))
            self._refuse(429, "Too many wrong passwords; wait for the seconds of Retry-After.")

        def _refuse(self, status: int, text: str) -> None:
            self.set_status(status)
            if status == 401:
                self.set_header("WWW-Authenticate", 'Basic realm="flower", charset="UTF-8"')
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(f"{text}\n")

    def guarded(handler: type[RequestHandler]) -> type[RequestHandler]:
        return type(handler.__name__, (Guard, handler), {})

    # /login serves other logins than ours, and is made by a factory that no guard stands before.
    routes = [spec for spec in map(_spec, flower.urls.handlers) if spec.handler_class is not LoginHandler]
    flower.urls.handlers[:] = [
        URLSpec(spec.regex.pattern, guarded(spec.handler_class), spec.kwargs, spec.name) for spec in routes
    ]
    # Tornado adds routes for static files by itself, before those of Flower.
    flower.urls.settings["static_handler_class"] = guarded(StaticFileHandler)


def _spec(route: Any) -> URLSpec:
    """Return Flower's route, a URLSpec or a tuple of pattern, handler and arguments, as a URLSpec."""
    return route if isinstance(route, URLSpec) else URLSpec(*route)


def _credentials(header: str) -> bytes | None:
    """Return `user:password` of a Basic Authorization header, or None."""
    kind, _, text = header.strip().partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_known(given: bytes, known: Sequence[bytes]) -> bool:
    """Return whether it is one of the logins. Each is compared in constant time, whatever its length."""
    found = False
    for one in known:
        found |= hmac.compare_digest(_digest(given), one)
    return found


def _digest(login: bytes) -> bytes:
    return hashlib.sha256(login).digest()
