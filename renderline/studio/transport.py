"""Sends one request to the vendor. Only here do transport failures become typed faults."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import urllib3
from requests.models import PreparedRequest

from renderline.http.connection import SingleHostAdapter
from renderline.http.exchange import Exchange, running
from renderline.studio.endpoint import Endpoint, encode, origin_of
from renderline.studio.faults import StudioFault, TooLate, UploadUnreadable, VendorUnavailable
from renderline.studio.list_stream import read_list
from renderline.studio.multipart import Form, FormBody, SourceBroken
from renderline.studio.patience import allowed
from renderline.studio.redaction import private_texts
from renderline.studio.response import LONGEST_WAIT, Response, classify
from renderline.studio.transport_failure import TRANSPORT_FAILURES, reason_of

# A read may use a connection for as long as servers and address translators usually keep one. A call with a side
# effect may not: common servers close a connection after 2 to 5 idle seconds. A request that crosses that close on the
# wire has an unknown outcome.
READ_MAX_IDLE = 50.0
EFFECT_MAX_IDLE = 1.5


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One exchange that ended: `status` None without an answer, `fault` None for a success.

    `began` is the time of `time.monotonic`.
    """

    endpoint: Endpoint
    status: int | None
    fault: StudioFault | None
    began: float
    seconds: float


class CallGuard(Protocol):
    """Runs before and after every exchange of an account."""

    def before(self) -> None:
        """Wait until the exchange may be made; raises a `StudioFault` if it must not be made now."""

    def record(self, fault: StudioFault | None) -> None:
        """Record the outcome of an exchange: its fault, or None for a success."""

    def observe(self, exchanged: Exchanged) -> None:
        """Learn what an exchange was and how long it took."""


class Transport:
    """Keeps connections to one host and makes single exchanges over them; safe to share between threads.

    It uses a requests adapter without a `requests.Session`: cookies, redirects, proxies and netrc are all unwanted
    here, and a session takes a third of a call's CPU time.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        total_timeout: float,
        pool_size: int,
        guard: CallGuard | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.origin = origin_of(base_url)
        self.total_timeout = total_timeout
        self.effect_max_idle = EFFECT_MAX_IDLE
        self._guard, self._longest_wait = guard, longest_wait
        self._read_timeout = read_timeout
        self._timeouts = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._connect_timeout = connect_timeout
        self._adapter = SingleHostAdapter(pool_size)
        self._plain = {
            "User-Agent": "renderline",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
        }

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def call(
        self,
        endpoint: Endpoint,
        path: str,
        *,
        authorization: str | None = None,
        body: Mapping[str, Any] | None = None,
        form: Form | None = None,
        secrets: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """Make one exchange and return the envelope of its success; raise a StudioFault otherwise (see `classify`).

        `body` is sent as JSON, `form` as multipart with its files streamed. No fault shows `secrets` or the spoken text
        of either. An exchange takes at most `total_timeout` seconds, or as `patient` allows.
        """
        content = None if body is None else encode(endpoint, body)
        if self._guard:
            self._guard.before()
        began = time.monotonic()
        private = private_texts(dict(form.fields) if form else body)
        hidden = (text for source in (secrets, private, (authorization or "",)) for text in source)
        try:
            if form is None:
                response = self._send(endpoint, path, authorization, content)
            else:
                response = self._upload(endpoint, path, authorization, form)
            envelope = classify(endpoint, response, secrets=hidden, now=time.time(), longest_wait=self._longest_wait)
        except StudioFault as fault:
            self._ended(endpoint, fault.status, fault, began)
            raise
        self._ended(endpoint, response.status, None, began)
        return envelope

    def _ended(self, endpoint: Endpoint, status: int | None, fault: StudioFault | None, began: float) -> None:
        if self._guard:
            exchanged = Exchanged(endpoint, status, fault, began, time.monotonic() - began)
            self._guard.record(fault)
            self._guard.observe(exchanged)

    def _upload(self, endpoint: Endpoint, path: str, authorization: str | None, form: Form) -> Response:
        try:
            with form.opened() as body:
                return self._send(endpoint, path, authorization, body)
        except SourceBroken as broken:
            reason = str(broken)
        raise UploadUnreadable(f"not sent as a whole: {reason}", endpoint=str(endpoint))

    def _send(
        self, endpoint: Endpoint, path: str, authorization: str | None, content: bytes | FormBody | None
    ) -> Response:
        headers = self._plain.copy()
        if authorization is not None:
            headers["Authorization"] = authorization
        if isinstance(content, FormBody):
            headers["Content-Type"] = content.content_type
            headers["Content-Length"] = str(content.length)
        elif content is not None:
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(content))
        # Filled in by hand: PreparedRequest.prepare() parses and quotes a URL that is already in its final form.
        request = PreparedRequest()
        request.method = endpoint.method
        request.url = self.origin + path
        request.headers = headers  # type: ignore[assignment]  # a plain dict: every name is looked up as it is written here
        request.body = content  # type: ignore[assignment]  # urllib3 reads a body of any type piece by piece
        total = allowed(self.total_timeout) if endpoint.slow else self.total_timeout
        exchange = running.exchange = Exchange(
            total_timeout=total,
            read_timeout=total if endpoint.slow else self._read_timeout,
            max_idle=self.effect_max_idle if endpoint.effect else READ_MAX_IDLE,
            effect=endpoint.effect,
        )
        outside = sys.exception()
        try:
            return self._exchange(endpoint, request)
        except TRANSPORT_FAILURES as error:
            reason = reason_of(error, outside)
        # Raised outside the handler: requests' exceptions hold the request, and with it the token, as their context.
        self._lost(endpoint, exchange, reason, content if isinstance(content, FormBody) else None)

    def _exchange(self, endpoint: Endpoint, request: PreparedRequest) -> Response:
        timeouts: Any = self._timeouts
        if endpoint.slow:
            timeouts = urllib3.Timeout(connect=self._connect_timeout, read=running.exchange.read_timeout)
        response = self._adapter.send(request, stream=True, timeout=timeouts)
        raw = response.raw
        try:
            if endpoint.rows_of and 200 <= response.status_code < 300:
                return Response(response.status_code, response.headers, read_list(endpoint, raw))
            length = raw.length_remaining
            if length is not None and length > endpoint.max_bytes:
                raise endpoint.unseen("the answer is too large", status=response.status_code)
            content = raw.read(endpoint.max_bytes + 1, decode_content=True)
            if len(content) > endpoint.max_bytes:
                raise endpoint.unseen("the answer is too large", status=response.status_code)
        finally:
            raw.close()  # after a complete read the connection is back in the pool and this closes nothing
        return Response(response.status_code, response.headers, content)

    def _lost(self, endpoint: Endpoint, exchange: Exchange, reason: str, upload: FormBody | None) -> NoReturn:
        if exchange.sent and upload and not upload.exhausted:
            # Without its last piece the server has no request.
            kind = TooLate if exchange.too_late else VendorUnavailable
            raise kind(f"the upload broke off {upload} ({reason})", endpoint=str(endpoint))
        if exchange.too_late:
            raise TooLate("not sent: this worker was too slow to send it in time", endpoint=str(endpoint))
        if not exchange.sent:
            raise VendorUnavailable(f"no connection, nothing was sent ({reason})", endpoint=str(endpoint))
        raise endpoint.unseen(f"no readable answer ({reason})")
