"""REDIS_URL: parsed into one form, read as parts for each library, and shown without its passwords.

The forms are redis:// and rediss:// (a server, without and with TLS), unix:// (its socket) and sentinel:// (Sentinels
that know which server is the primary). Celery's own spellings of the last two are accepted too.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from marshmallow import ValidationError

from config import parsers

SENTINEL_PORT: Final = 26379

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_VERIFY = "ssl_cert_reqs"
_TLS = (*_FILES, _VERIFY)
# The names of redis-py, and those of Python's ssl module, which kombu and Celery take.
_LEVELS = {name: name for name in ("required", "optional", "none")}
_LEVELS |= {f"CERT_{name.upper()}": name for name in _LEVELS}
_OF_SOCKETS = ("db", "virtual_host", "username", "password")
_OF_SENTINELS = ("master_name", "sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class Address:
    """The parts of a parsed address. Either `hosts` or `socket` says where; `master_name` makes the hosts Sentinels."""

    hosts: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    master_name: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = None
    """The TLS options as redis-py and Celery's `broker_use_ssl` take them, of servers and Sentinels; None without."""

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches what is named: a socket, or loopback addresses."""
        return bool(self.socket) or all(parsers.is_loopback_host(host) for host, _ in self.hosts)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the passwords, as they are and as an address spells them."""
        found = [one for one in (self.password, self.sentinel_password) if one]
        return tuple(dict.fromkeys(spelled for one in found for spelled in (one, quote(one, safe=""))))


class Shown(str):
    """An address as people see it, which carries its parts.

    Workers show their Celery options to all who ask for them, so these hold addresses in this form.
    """

    address: Address

    def __new__(cls, url: str) -> Self:
        made = super().__new__(cls, shown(url))
        made.address = read(url)
        return made


def parse(value: str) -> str:
    """Return an address in the one form that the rest of Renderline reads; raises ValidationError if it is none.

    With TLS the result says how the server's certificate is verified. Celery does not start without that, and the
    libraries do not take the same words for it.
    """
    try:
        return _parsed(value)
    except ValidationError:
        raise
    except ValueError as problem:
        raise ValidationError("") from problem


def _parsed(value: str) -> str:
    if re.search(r"\s", value):
        raise ValidationError("")
    if value.startswith("sentinel://"):
        return _sentinels(value)
    parts = urlsplit(value)
    if parts.fragment:
        raise ValidationError("")
    if parts.scheme in ("unix", "redis+socket"):
        return _socket(parts)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValidationError("")
    parts.port  # noqa: B018  reading it checks it
    _database(parts.path)
    options = _query(parts.query)
    if parts.scheme == "redis":
        if options:
            raise ValidationError("a query holds TLS options, which need rediss://")
        return value
    _known(options, _TLS)
    return urlunsplit(parts._replace(query=_written(_tls(options))))


def _socket(parts: SplitResult) -> str:
    options = _query(parts.query)
    _known(options, _OF_SOCKETS)
    if parts.hostname or not parts.path.strip("/"):
        raise ValidationError("a socket is named by its absolute path, after three slashes: unix:///run/redis.sock")
    database = _database(options.get("db", options.get("virtual_host", "")))
    username = _unquoted(parts.username) or options.get("username")
    password = _unquoted(parts.password) or options.get("password")
    return f"unix://{_login(username, password)}{parts.path}?db={database}"


def _sentinels(value: str) -> str:
    """Return an address of Sentinels; Celery's spelling repeats the scheme for each, after a semicolon."""
    hosts: list[str] = []
    logins: set[str] = set()
    databases: set[int] = set()
    options: dict[str, str] = {}
    for chunk in value.split(";"):
        parts = _split(chunk)
        if parts.scheme != "sentinel" or parts.fragment:
            raise ValidationError("")
        login, at, names = parts.netloc.rpartition("@")
        hosts += [_host(name) for name in names.split(",")]
        logins |= {login} if at else set()
        databases |= {_database(parts.path)} if parts.path.strip("/") else set()
        options |= _query(parts.query)
    if len(logins) > 1 or len(databases) > 1:
        raise ValidationError("user, password and database are given once, or are the same for each Sentinel")
    _known(options, (*_OF_SENTINELS, *_TLS))
    if not options.get("master_name"):
        raise ValidationError("master_name is missing: what the Sentinels monitor, as in ?master_name=mymaster")
    if options.get("sentinel_username") and not options.get("sentinel_password"):
        raise ValidationError("sentinel_username needs sentinel_password")
    if options.keys() & {*_TLS}:
        options |= _tls({name: options[name] for name in options.keys() & {*_TLS}})
    login = f"{logins.pop()}@" if logins else ""
    database = databases.pop() if databases else 0
    return f"sentinel://{login}{','.join(hosts)}/{database}?{_written(options)}"


def _split(url: str) -> SplitResult:
    """Split a URL like `urlsplit`, which in some versions of Python refuses an IPv6 address among several hosts."""
    scheme, _, rest = url.partition("://")
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    netloc, slash, path = rest.partition("/")
    return SplitResult(scheme.lower(), netloc, slash + path, query, fragment)


def _host(name: str) -> str:
    parts = urlsplit(f"//{name}")
    if not parts.hostname or parts.path or parts.query:
        raise ValidationError("Sentinels are listed as host:port, with commas between them")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or SENTINEL_PORT}"


def _database(text: str) -> int:
    if not re.fullmatch(r"/?\d*", text):
        raise ValidationError("the path must be the database number")
    return int(text.strip("/") or 0)


def _query(text: str) -> dict[str, str]:
    options = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    if len(dict(options)) < len(options):
        raise ValidationError("an option is given twice")
    return dict(options)


def _written(options: Mapping[str, str]) -> str:
    return urlencode(options, quote_via=quote, safe="/")


def _known(options: Iterable[str], known: tuple[str, ...]) -> None:
    if unknown := sorted({*options} - {*known}):
        raise ValidationError(f"unknown option {unknown[0][:50]!r}; known are {', '.join(known)}")


def _tls(given: Mapping[str, str]) -> dict[str, str]:
    """Return the TLS options, in one spelling."""
    level = _LEVELS.get(given.get(_VERIFY, "required"))
    if level is None:
        raise ValidationError(f"{_VERIFY} must be required, optional or none")
    for name in _FILES:
        if name in given and not Path(given[name]).is_file():
            raise ValidationError(f"{name}: there is no such file")
    if ("ssl_certfile" in given) != ("ssl_keyfile" in given):
        raise ValidationError("ssl_certfile and ssl_keyfile are given both or neither")
    return {**given, _VERIFY: level}


def read(url: str) -> Address:
    """Return the parts of a parsed address."""
    parts = _split(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    login, _, names = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    user, secret = _unquoted(username), _unquoted(password)
    if parts.scheme == "unix":
        database = int(options.get("db", 0))
        return Address(socket=unquote(parts.path), database=database, username=user, password=secret)
    default = SENTINEL_PORT if parts.scheme == "sentinel" else 6379
    hosts = [urlsplit(f"//{name}") for name in names.split(",")]
    return Address(
        hosts=tuple((host.hostname or "", host.port or default) for host in hosts),
        database=_database(parts.path),
        username=user,
        password=secret,
        master_name=options.get("master_name"),
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        tls=_tls_read(options) if parts.scheme == "rediss" or _VERIFY in options else None,
    )


def _tls_read(options: Mapping[str, str]) -> dict[str, Any]:
    files = {name: options[name] for name in _FILES if name in options}
    return {**files, _VERIFY: ssl.VerifyMode[f"CERT_{options[_VERIFY].upper()}"]}


def celery_url(url: str) -> str:
    """Return a parsed address as Celery spells it: whole for a server; without passwords for a socket and Sentinels."""
    address = read(url)
    if address.socket:
        return f"redis+socket://{quote(address.socket)}?virtual_host={address.database}"
    if address.master_name:
        # One of them: kombu takes them as servers between which it changes. All are in the transport options.
        host, port = address.hosts[0]
        return f"sentinel://{f'[{host}]' if ':' in host else host}:{port}/{address.database}"
    return url


def shown(url: str) -> str:
    """Return where an address leads, for people: without users, passwords and TLS options."""
    address = read(url)
    if address.socket:
        return f"{address.socket}, database {address.database}"
    if address.master_name:
        sentinels = ", ".join(f"{host}:{port}" for host, port in address.hosts)
        return f"{address.master_name}/{address.database} (Sentinels {sentinels})"
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path


def _login(username: str | None, password: str | None) -> str:
    text = quote(username or "", safe="") + (f":{quote(password, safe='')}" if password else "")
    return f"{text}@" if text else ""


def _unquoted(text: str | None) -> str | None:
    return unquote(text) if text else None
