"""The tenants of a deployment, from a TOML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import marshmallow as ma

from config import parsers
from config.toml_tables import read_tables
from config.variable import Environment, Variable

_NAME: Final = r"[a-z0-9][a-z0-9_-]{0,63}\Z"
_NAME_RULE: Final = "must be 1 to 64 lower-case letters, digits, - or _, beginning with a letter or digit"
_TEXTS: Final = "must be a list of texts"
_COUNT: Final = "must be a whole number of at least 1"
_SECRETS: Final = "must be a list of one or two secrets: whsec_ and the base64 of 24 to 64 random bytes"

_ALLOWED: Final = {
    "name": _NAME_RULE,
    "accounts": "must be a list of account names",
    "celery_hooks": "must be a list of patterns task@queue, such as billing.*@billing",
    "hook_secrets": _SECRETS,
    "hook_hosts": "must be a list of host patterns, such as *.example.com",
    "allow_hook_urls": "must be true or false",
    "max_in_flight": _COUNT,
    "max_per_day": _COUNT,
    "projects": _TEXTS,
    "templates": _TEXTS,
    "url": "must be http(s)://host[:port][/path]",
    "secrets": _SECRETS,
    "endpoint": "must be [[tenant.endpoint]] tables",
}

FILE: Final = Variable(
    name="RENDERLINE_TENANTS", read=parsers.text, allowed="the path of a TOML file with [[tenant]] tables"
)

Table = Mapping[str, Any]
"""One tenant: its fields as `renderline.tenants.Tenant` has them; `endpoints` holds url and secrets by name."""


def _texts(*, least: int = 0, most: int | None = None, each: Any = None) -> ma.fields.List:
    inner = ma.fields.String(validate=[ma.validate.Length(min=1), *([each] if each else [])])
    return ma.fields.List(inner, validate=ma.validate.Length(min=least, max=most))


class _Strict(ma.Schema):
    """Unknown keys are refused: a misspelt limit would be no limit."""

    class Meta:
        unknown = ma.RAISE

    name = ma.fields.String(required=True, validate=ma.validate.Regexp(_NAME))


class _EndpointSchema(_Strict):
    url = ma.fields.String(required=True, validate=parsers.endpoint_url)
    secrets = _texts(least=1, most=2, each=parsers.hook_secret)


class _TenantSchema(_Strict):
    accounts = _texts(each=ma.validate.Regexp(_NAME))
    celery_hooks = _texts(each=ma.validate.Regexp(r"[^@]+@[^@]+\Z"))
    hook_secrets = _texts(least=1, most=2, each=parsers.hook_secret)
    hook_hosts = _texts(each=ma.validate.Regexp(r"(\*|(\*\.)?[^/:@\s*]+)\Z"))
    allow_hook_urls = ma.fields.Boolean(truthy={True}, falsy={False})
    max_in_flight = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1))
    max_per_day = ma.fields.Integer(strict=True, validate=ma.validate.Range(min=1))
    projects = _texts()
    templates = _texts()
    # Their fields are checked one by one.
    endpoint = ma.fields.List(ma.fields.Dict())


def tenants_of(env: Environment) -> tuple[Table, ...]:
    """Return the tenants of the file, none without a file; problems are added to `env`."""
    path = env.value(FILE)
    if not path:
        return ()
    try:
        return read_tenants(path)
    except ma.ValidationError as problem:
        if len(problem.messages) == 1 and "tenant." not in problem.messages[0]:
            env.problems.append(FILE.problem(path, problem.messages))
        else:
            env.problems += [f"{FILE.name}: {path}: {line}; correct the file" for line in problem.messages]
        return ()


def read_tenants(path: str) -> tuple[Table, ...]:
    """Return the tenants of the TOML file at `path`.

    Raises ValidationError with a message for every bad field, named by its path; no message shows a secret.
    """
    tables = read_tables(path, "tenant")
    problems = list(_problems(_TenantSchema(), tables, "tenant"))
    if problems:
        raise ma.ValidationError(problems)
    return tuple(_tidy(table) for table in tables)


def secrets_of(tables: tuple[Table, ...]) -> Iterator[str]:
    """Yield every secret of these tenants."""
    for table in tables:
        yield from table.get("hook_secrets", ())
        for endpoint in table.get("endpoints", {}).values():
            yield from endpoint.get("secrets", ())


def _tidy(table: Table) -> Table:
    loaded: dict[str, Any] = _TenantSchema().load(table)
    endpoints = {one["name"]: {key: one[key] for key in one if key != "name"} for one in loaded.pop("endpoint", [])}
    return {**_tuples(loaded), "endpoints": {name: _tuples(one) for name, one in endpoints.items()}}


def _tuples(values: Table) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _problems(schema: ma.Schema, tables: list[dict[str, Any]], below: str) -> Iterator[str]:
    """Yield what is wrong with these tables, a line for each bad field."""
    names: set[str] = set()
    for place, table in enumerate(tables):
        path = f"{below}.{place}"
        wrong = schema.validate(table)
        for key in wrong:
            yield f"{path}.{key}: {_reason(schema, str(key), table)}"
        name = table.get("name")
        if isinstance(name, str) and name in names:
            yield f"{path}.name: {name!r} is taken by one above"
        elif isinstance(name, str):
            names.add(name)
        if "endpoint" in schema.fields and "endpoint" not in wrong:
            yield from _problems(_EndpointSchema(), table.get("endpoint", []), f"{path}.endpoint")


def _reason(schema: ma.Schema, key: str, table: Table) -> str:
    if key not in schema.fields:
        return "no such field"
    return _ALLOWED[key] if key in table else "is missing"
