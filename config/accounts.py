"""The vendor accounts of a deployment: one from the environment, or several from a TOML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma

from config import parsers
from config.toml_tables import read_tables

BASE_URL = "https://app.aistudios.com"
V2_BASE_URL = "https://v2.aistudios.com"

_ALLOWED = {
    "name": "must be 1 to 64 lower-case letters, digits, - or _, beginning with a letter or digit",
    "app_id": "must be text",
    "user_key": "must be text",
    "v2_secret_key": "must be text",
    "base_url": "must be http(s)://host[:port] without a path",
    "v2_base_url": "must be http(s)://host[:port] without a path",
    "max_requests_per_second": "must be a number above 0",
    "max_concurrent_renders": "must be a whole number of at least 1",
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """One vendor account: credentials for the v3 API, the v2 API or both, base URLs and limits.

    A limit of None means no limit. Limits hold for the account across all workers.
    """

    name: str
    app_id: str | None = field(default=None, repr=False)
    user_key: str | None = field(default=None, repr=False)
    v2_secret_key: str | None = field(default=None, repr=False)
    base_url: str = BASE_URL
    v2_base_url: str = V2_BASE_URL
    max_requests_per_second: float | None = None
    max_concurrent_renders: int | None = None

    @property
    def has_v3(self) -> bool:
        """Return whether the account can call the v3 API."""
        return self.app_id is not None and self.user_key is not None

    @property
    def has_v2(self) -> bool:
        """Return whether the account can call the v2 API."""
        return self.v2_secret_key is not None

    def secrets(self) -> tuple[str, ...]:
        """Return the values of this account that must not appear in any log line."""
        return tuple(value for value in (self.user_key, self.v2_secret_key) if value)


class _AccountSchema(ma.Schema):
    """One [[account]] table. Unknown keys are refused: a misspelt limit would be no limit."""

    class Meta:
        unknown = ma.RAISE

    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"[a-z0-9][a-z0-9_-]{0,63}\Z"))
    app_id = ma.fields.String(validate=ma.validate.Length(min=1))
    user_key = ma.fields.String(validate=ma.validate.Length(min=1))
    v2_secret_key = ma.fields.String(validate=ma.validate.Length(min=1))
    base_url = ma.fields.String(validate=parsers.base_url)
    v2_base_url = ma.fields.String(validate=parsers.base_url)
    max_requests_per_second = ma.fields.Float(validate=ma.validate.Range(min=0, min_inclusive=False))
    max_concurrent_renders = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1))

    @ma.validates_schema(skip_on_field_errors=False)
    def _credentials(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("app_id" in data) != ("user_key" in data):
            missing = "user_key" if "app_id" in data else "app_id"
            raise ma.ValidationError("is missing: app_id and user_key belong together", missing)
        if "app_id" not in data and "v2_secret_key" not in data:
            raise ma.ValidationError("are missing: give app_id and user_key (v3), v2_secret_key (v2) or both", "keys")


def read_accounts(path: str, *, defaults: Mapping[str, Any]) -> tuple[Account, ...]:
    """Return the accounts of the TOML file at `path`; `defaults` fill in missing fields.

    Raises ValidationError with a message for every bad field, named by its path.
    """
    tables = read_tables(path, "account")
    problems = list(_problems(tables))
    if problems:
        raise ma.ValidationError(problems)
    return tuple(Account(**{**defaults, **_tidy(table)}) for table in tables)


def _tidy(table: Mapping[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = _AccountSchema().load(table)
    return {key: value.rstrip("/") if key.endswith("base_url") else value for key, value in loaded.items()}


def _problems(tables: list[dict[str, Any]]) -> Iterator[str]:
    names: set[str] = set()
    for place, table in enumerate(tables):
        for key, messages in _AccountSchema().validate(table).items():
            yield f"account.{place}.{key}: {_reason(key, messages, table)}"
        name = table.get("name")
        if isinstance(name, str) and name in names:
            yield f"account.{place}.name: {name!r} is taken by an account above"
        elif isinstance(name, str):
            names.add(name)


def _reason(key: str, messages: list[str], table: Mapping[str, Any]) -> str:
    if key not in _ALLOWED and key in table:
        return "no such field"
    if key in table:
        return _ALLOWED[key]
    return "is missing" if key == "name" else messages[0]
