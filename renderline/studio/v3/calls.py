"""What the calls of every subject of the v3 API share: transport, token, and how an answer is read."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from renderline.studio.credentials import TokenSource
from renderline.studio.endpoint import Endpoint
from renderline.studio.multipart import Form
from renderline.studio.response import LONGEST_WAIT
from renderline.studio.token_retry import TokenRetry
from renderline.studio.transport import CallGuard, Transport
from renderline.studio.values import Unreadable, first_text

T = TypeVar("T")

ROOT = "/api/odin/v3"


class V3Calls:
    """Makes calls of one account; the subjects derive from it."""

    def __init__(
        self,
        base_url: str,
        *,
        tokens: TokenSource,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        pool_size: int = 64,
        total_timeout: float = 60.0,
        guard: CallGuard | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """Raise ValueError for a base URL that is more or less than scheme and host."""
        self._transport = Transport(
            base_url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=pool_size,
            guard=guard,
            longest_wait=longest_wait,
        )
        self._calls = TokenRetry(self._transport, tokens)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.origin!r})"

    @property
    def total_timeout(self) -> float:
        """The most seconds that one exchange may take."""
        return self._transport.total_timeout

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def confirm_token(self) -> bool:
        """Ask the vendor whether the current token is good (AI Studios v3 contract, check a token)."""
        return self._calls.confirm()

    def _id(
        self,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        form: Form | None = None,
        field: str = "projectId",
    ) -> str:
        """Make a call that answers with an id; an answer without one is an unknown outcome."""
        return self._text(endpoint, self._calls.call(endpoint, path, body, form=form).get("data"), field)

    def _text(self, endpoint: Endpoint, data: Any, *names: str) -> str:
        """Return the text of one of these fields of an answer, which must have it."""
        found = first_text(data, *names)
        if found is None:
            raise endpoint.unseen(f"the vendor reports success but no {names[0]}", status=200)
        return found

    def _read(
        self, endpoint: Endpoint, path: str, reader: Callable[[Any], T], body: Mapping[str, Any] | None = None
    ) -> T:
        """Make a call and read its `data`."""
        return self._readable(endpoint, self._calls.call(endpoint, path, body), reader)

    def _readable(self, endpoint: Endpoint, answer: Mapping[str, Any], reader: Callable[[Any], T]) -> T:
        """Read `data` of an answer; one that is not understood is the endpoint's fault of an unknown outcome."""
        try:
            return reader(answer.get("data"))
        except Unreadable as unreadable:
            reason = str(unreadable)
        raise endpoint.unseen(reason, status=200)
