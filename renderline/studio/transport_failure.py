"""Failures below HTTP: which exceptions they are, and their reason in words that hold nothing of what was sent."""

import http.client

import requests
import urllib3

from renderline.http.exchange import DeadlineExceeded
from renderline.studio.redaction import redact

TRANSPORT_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # header and length fields that do not parse
)


def reason_of(error: BaseException, outside: BaseException | None) -> str:
    """Return the first cause of a transport failure, without an address or anything that was sent.

    `outside` is an exception that the caller was handling already: Python chains it, but it is no cause.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause is not outside and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(link, DeadlineExceeded) for link in chain):
        return "the exchange took longer than its total time"
    if any(isinstance(link, TimeoutError) for link in chain):
        return "timed out"
    root = chain[-1]
    words = root.strerror if isinstance(root, OSError) and isinstance(root.strerror, str) else None
    return f"{type(root).__name__}: {redact(words, ())}" if words else type(root).__name__
