"""Links to finished files: plain ones, or signed ones that expire."""

import hashlib
import hmac
import secrets

from renderline.sandbox.options import Options
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import LINK_EXPIRED, Refusal

EXPIRES = "Expires"
SIGNATURE = "Signature"


class Links:
    """Makes and checks links. With `--link-seconds` each answer holds a fresh one that works so long."""

    def __init__(self, options: Options) -> None:
        self._seconds = options.link_seconds
        self._public_url = options.public_url
        self._secret = secrets.token_bytes(32)

    @property
    def expire(self) -> bool:
        """Whether links expire."""
        return self._seconds is not None

    def url(self, project: Project, now: float, *, host: str = "") -> str | None:
        """The link to the finished file; `""` while it is late, None before completion.

        `host` is for a project that no call has made: it has not seen under which name this sandbox is reached.
        """
        url = project.download_url(now)
        if not url:
            return url
        if url.startswith("/"):
            url = f"{self._public_url or f'http://{host}'}{url}"
        if self._seconds is None:
            return url
        expires = f"{now + self._seconds:.3f}"
        return f"{url}?{EXPIRES}={expires}&{SIGNATURE}={self._signature(project.id, expires)}"

    def check(self, project: Project, query: dict[str, str], now: float) -> None:
        """Raise Refusal (403) for a link that is not signed, or has expired."""
        if self._seconds is None:
            return
        expires, signature = query.get(EXPIRES, ""), query.get(SIGNATURE, "")
        if not hmac.compare_digest(signature.encode(), self._signature(project.id, expires).encode()):
            raise Refusal(LINK_EXPIRED, "the link is not signed")
        if float(expires) < now:
            raise Refusal(LINK_EXPIRED, "the link has expired")

    def _signature(self, project_id: str, expires: str) -> str:
        return hmac.new(self._secret, f"{project_id}/{expires}".encode(), hashlib.sha256).hexdigest()[:32]
