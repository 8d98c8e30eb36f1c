"""The environment variables of vendor accounts: one account in the environment itself, or a file with several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from config import parsers
from config.accounts import BASE_URL, V2_BASE_URL, Account, read_accounts
from config.variable import Environment, Variable

_BASE = "http(s)://host[:port] without a path"

_ACCOUNT = {
    "app_id": Variable(name="AISTUDIOS_APP_ID", read=parsers.text, allowed="the app id of the account", secret=True),
    "user_key": Variable(name="AISTUDIOS_USER_KEY", read=parsers.text, allowed="the user key", secret=True),
    "v2_secret_key": Variable(
        name="AISTUDIOS_V2_SECRET_KEY", read=parsers.text, allowed="the v2 secret key", secret=True
    ),
}
_ACCOUNT_DEFAULTS = {
    "base_url": Variable(name="AISTUDIOS_BASE_URL", read=parsers.base_url, allowed=_BASE, default=BASE_URL),
    "v2_base_url": Variable(name="AISTUDIOS_V2_BASE_URL", read=parsers.base_url, allowed=_BASE, default=V2_BASE_URL),
    "max_requests_per_second": Variable(
        name="RENDERLINE_MAX_REQUESTS_PER_SECOND", read=parsers.number(), allowed="a number above 0"
    ),
    "max_concurrent_renders": Variable(
        name="RENDERLINE_MAX_CONCURRENT_RENDERS", read=parsers.count(), allowed="a whole number of at least 1"
    ),
}
_ACCOUNTS_FILE = Variable(
    name="AISTUDIOS_ACCOUNTS", read=parsers.text, allowed="the path of a TOML file with [[account]] tables"
)

ACCOUNT_VARIABLES = (*_ACCOUNT.values(), *_ACCOUNT_DEFAULTS.values(), _ACCOUNTS_FILE)


def names_account(env: Environment) -> bool:
    """Return whether the environment has a credential or the file, valid or not."""
    return any(wanted.name in env.given for wanted in (_ACCOUNTS_FILE, *_ACCOUNT.values()))


def accounts_of(env: Environment) -> tuple[Account, ...]:
    """Return the accounts of the file, or the one account of the environment, or none; problems are added to `env`."""
    defaults: dict[str, Any] = {key: env.value(wanted) for key, wanted in _ACCOUNT_DEFAULTS.items()}
    given = {key: env.value(wanted) for key, wanted in _ACCOUNT.items() if wanted.name in env.given}
    path = env.value(_ACCOUNTS_FILE)
    if path:
        for key in given:
            env.problems.append(
                f"{_ACCOUNT[key].name}: must not be set beside AISTUDIOS_ACCOUNTS; move it into the file or unset one"
            )
        return _read_file(env, path, defaults)
    if ("app_id" in given) != ("user_key" in given):
        there, missing = ("app_id", "user_key") if "app_id" in given else ("user_key", "app_id")
        env.problems.append(
            f"{_ACCOUNT[missing].name} is missing: {_ACCOUNT[there].name} needs it; set both or neither"
        )
    return (Account(name="default", **given, **defaults),) if given else ()


def _read_file(env: Environment, path: str, defaults: Mapping[str, Any]) -> tuple[Account, ...]:
    try:
        return read_accounts(path, defaults=defaults)
    except ValidationError as problem:
        if len(problem.messages) == 1 and "account." not in problem.messages[0]:
            env.problems.append(_ACCOUNTS_FILE.problem(path, problem.messages))
        else:
            env.problems += [f"AISTUDIOS_ACCOUNTS: {path}: {line}; correct the file" for line in problem.messages]
        return ()
