"""Parsers for the text of environment variables. Each returns a value, or raises ValidationError."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import fsspec
import limits
import marshmallow as ma
from marshmallow import ValidationError, validate
from packaging.version import InvalidVersion, Version

from config import secret_strength

_LOOPBACK = ("127.0.0.1", "localhost")


def text(value: str) -> str:
    """Parse any text."""
    return value


def _by_field(field: ma.fields.Field[Any]) -> Callable[[str], Any]:
    def parse(value: str) -> Any:
        try:
            return field.deserialize(value)
        except ValidationError:
            # The variable's `allowed` is clearer than the field's message.
            raise ValidationError("") from None

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """Parse one of the words `allowed`, in upper or lower case."""

    def parse(value: str) -> str:
        for word in allowed:
            if value.lower() == word.lower():
                return word
        raise ValidationError("")

    return parse


def seconds(*, least: float = 0.0, most: float | None = None) -> Callable[[str], float]:
    """Parse a finite number of seconds above 0, at least `least`, at most `most`."""
    return number(least=least, most=most)


def number(*, least: float = 0.0, most: float | None = None) -> Callable[[str], float]:
    """Parse a finite number above 0, at least `least`, at most `most`."""
    above_zero = validate.Range(min=least, max=most, min_inclusive=least > 0)
    return _by_field(ma.fields.Float(validate=above_zero))


def count(*, least: int = 1, most: int | None = None) -> Callable[[str], int]:
    """Parse a whole number between `least` and `most`."""
    return _by_field(ma.fields.Integer(validate=validate.Range(min=least, max=most)))


boolean = _by_field(ma.fields.Boolean())


def never_or_seconds(value: str) -> float | None:
    """Parse `never` as None, anything else as seconds above 0."""
    return None if value.lower() == "never" else seconds()(value)


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_MOST_WAITS = 50


def waits(value: str) -> tuple[float, ...]:
    """Parse up to 50 waits with commas between them, each in seconds or with a unit (s, m, h, d), at most 7 days."""
    found = [re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd]?)", one.strip()) for one in value.split(",")]
    if len(found) > _MOST_WAITS:
        raise ValidationError(f"it holds {len(found)}")
    times = tuple(float(one[1]) * _UNITS[one[2]] for one in found if one)
    if len(times) < len(found) or not all(0 < one <= 7 * 86_400 for one in times):
        raise ValidationError("")
    return times


def _split(value: str, schemes: tuple[str, ...]) -> Any:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  reading it checks it
    except ValueError as problem:
        raise ValidationError("") from problem
    if parts.scheme not in schemes or not parts.hostname or parts.fragment or re.search(r"\s", value):
        raise ValidationError("")
    return parts


def base_url(value: str) -> str:
    """Parse an HTTP address without path or query; the result has no slash at its end."""
    parts = _split(value, ("http", "https"))
    if parts.path not in ("", "/") or parts.query or parts.username:
        raise ValidationError("the client adds the path")
    return value.rstrip("/")


def public_url(value: str) -> str:
    """Parse the HTTP address of the gateway, with or without a path; the result has no slash at its end."""
    parts = _split(value, ("http", "https"))
    if parts.query or parts.username:
        raise ValidationError("")
    return value.rstrip("/")


def endpoint_url(value: str) -> str:
    """Parse the HTTP address of an endpoint."""
    if _split(value, ("http", "https")).username:
        raise ValidationError("")
    return value


def names(value: str) -> tuple[str, ...]:
    """Parse names of tenants with commas between them."""
    found = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name) for name in found):
        raise ValidationError("")
    return found


def labels(value: str) -> tuple[str, ...]:
    """Parse up to three names of metadata with commas between them."""
    found = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not all(re.fullmatch(r"[^\W-][\w.-]{0,39}", name) for name in found):
        raise ValidationError("a name has letters, digits, _, - and dots, at most 40")
    if len(found) > 3:
        raise ValidationError(f"it holds {len(found)}")
    return found


def long_secret(value: str) -> str:
    """Parse a secret of at least 32 characters."""
    if len(value) < 32:
        raise ValidationError(f"it has {len(value)}")
    return value


def redis_password(value: str) -> str:
    """Parse a password that can stand in a URL and in Redis' configuration, and is not easily guessed."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        raise ValidationError("it has other characters")
    if reason := secret_strength.of_redis_password(value):
        raise ValidationError(reason)
    return value


def hook_secret(value: str) -> str:
    """Parse a Standard Webhooks secret: whsec_ and the base64 of 24 to 64 bytes."""
    if not value.startswith("whsec_"):
        raise ValidationError("it does not begin with whsec_")
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error as problem:
        raise ValidationError("the part after whsec_ is not base64") from problem
    if not 24 <= len(key) <= 64:
        raise ValidationError(f"it holds {len(key)} bytes")
    return value


def hook_secrets(value: str) -> tuple[str, ...]:
    """Parse one Standard Webhooks secret, or two with a comma or space between; both sign while they are rotated."""
    found = tuple(hook_secret(one) for one in re.split(r"[,\s]+", value.strip(", ")))
    if len(found) > 2:
        raise ValidationError(f"it holds {len(found)} secrets")
    return found


def celery_hooks(value: str) -> tuple[str, ...]:
    """Parse patterns task@queue with commas between."""
    found = tuple(one.strip() for one in value.split(",") if one.strip())
    if not all(re.fullmatch(r"[^@\s]+@[^@\s]+", one) for one in found):
        raise ValidationError("")
    return found


def storage_url(value: str) -> str:
    """Parse the storage of downloads: a URL that fsspec can open; a file: URL needs an absolute path."""
    scheme, sign, rest = value.partition("://")
    if not sign or not rest:
        raise ValidationError(f"did you mean file://{value}?" if value.startswith("/") else "")
    if scheme == "file" and not rest.startswith("/"):
        raise ValidationError("file: needs an absolute path, with three slashes")
    try:
        fsspec.get_filesystem_class(scheme)
    except ValueError:
        raise ValidationError(f"unknown kind of storage: {scheme}") from None
    except ImportError as missing:
        why = f"{missing}: make s3, or in the image --build-arg EXTRAS=s3" if scheme in ("s3", "s3a") else str(missing)
        raise ValidationError(why) from None
    return value.rstrip("/")


def version(value: str) -> str:
    """Parse the version of a program, such as 0.2.0."""
    try:
        return str(Version(value))
    except InvalidVersion:
        raise ValidationError("no version") from None


def bind_address(value: str) -> str:
    """Parse host:port, a port between 1 and 65535."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValidationError("")
    return value


def rate(value: str) -> str:
    """Parse one or more rates, such as 10/second;600/minute."""
    try:
        rates = limits.parse_many(value)
    except ValueError:
        raise ValidationError("") from None
    if not all(one.amount for one in rates):
        raise ValidationError("none of them may be 0")
    return value


def logins(value: str) -> str:
    """Parse user:password, or several of them separated by commas."""
    for login in value.split(","):
        user, _, password = login.partition(":")
        if not user or not password:
            raise ValidationError("")
    return value


def is_loopback(url: str) -> bool:
    """Return whether the URL leads to this machine's IPv4 loopback interface."""
    return urlsplit(url).hostname in _LOOPBACK


def is_loopback_host(host: str) -> bool:
    """Return whether a server that listens at this address is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
