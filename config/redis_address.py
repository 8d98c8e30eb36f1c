"""REDIS_URL: parsed into the one form that redis-py, kombu and Celery all take, and shown without its password."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from marshmallow import ValidationError

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_VERIFY = "ssl_cert_reqs"
# The names of redis-py, and those of Python's ssl module, which kombu and Celery take.
_LEVELS = {name: name for name in ("required", "optional", "none")}
_LEVELS |= {f"CERT_{name.upper()}": name for name in _LEVELS}


def parse(value: str) -> str:
    """Parse a Redis address: redis:// or rediss://, a host, at most a database number as path, TLS options as query.

    The result says how the server's certificate is verified. Celery does not start without that, and the libraries do
    not take the same words for it.
    """
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  reading it checks it
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as problem:
        raise ValidationError("") from problem
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.fragment or re.search(r"\s", value):
        raise ValidationError("")
    if not re.fullmatch(r"/?\d*", parts.path):
        raise ValidationError("the path must be the database number")
    if parts.scheme == "redis":
        if options:
            raise ValidationError("a query holds TLS options, which need rediss://")
        return value
    return urlunsplit(parts._replace(query=urlencode(_tls(options), quote_via=quote, safe="/")))


def _tls(options: list[tuple[str, str]]) -> dict[str, str]:
    """Return the TLS options, in one spelling."""
    given = dict(options)
    if unknown := sorted(given.keys() - {*_FILES, _VERIFY}):
        raise ValidationError(f"unknown option {unknown[0][:50]!r}; known are {', '.join((*_FILES, _VERIFY))}")
    if len(given) < len(options):
        raise ValidationError("an option is given twice")
    level = _LEVELS.get(given.get(_VERIFY, "required"))
    if level is None:
        raise ValidationError(f"{_VERIFY} must be required, optional or none")
    for name in _FILES:
        if name in given and not Path(given[name]).is_file():
            raise ValidationError(f"{name}: there is no such file")
    if ("ssl_certfile" in given) != ("ssl_keyfile" in given):
        raise ValidationError("ssl_certfile and ssl_keyfile are given both or neither")
    return {**given, _VERIFY: level}


def tls_options(url: str) -> dict[str, Any] | None:
    """Return the TLS options of a parsed address as Celery's `broker_use_ssl` takes them; None without TLS."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    options = dict(parse_qsl(parts.query))
    return {**options, _VERIFY: ssl.VerifyMode[f"CERT_{options[_VERIFY].upper()}"]}


def shown(url: str) -> str:
    """Return host, port and database of an address, for people: without user, password and options."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path
