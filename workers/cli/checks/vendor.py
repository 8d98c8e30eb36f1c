"""Checks of the vendor accounts: reachable, and token and key accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from config.settings import Settings
from renderline.accounts.clients import AccountClients
from renderline.studio import CredentialsRefused, PayloadRefused, RateLimited, StudioFault
from workers.cli.checks.result import CheckResult

# No project has this id. If the vendor answers that, it has accepted the key.
_UNKNOWN_PROJECT = "0" * 24


def check(settings: Settings, accounts: Mapping[str, AccountClients]) -> Iterator[CheckResult]:
    """Yield a result for each API of each account, after one harmless call."""
    if not settings.accounts:
        yield CheckResult(
            "vendor", "fail", "no account is configured", "set AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY, as for a worker"
        )
    for account in settings.accounts:
        clients = accounts[account.name]
        if account.has_v3:
            yield _called(f"vendor v3 ({account.name})", account.base_url, _token, clients)
        if account.has_v2:
            yield _called(f"vendor v2 ({account.name})", account.v2_base_url, _v2_key, clients)


def _token(clients: AccountClients) -> str:
    if not clients.use_v3().confirm_token():
        raise CredentialsRefused("it does not accept the token that it issued")
    return "token accepted"


def _v2_key(clients: AccountClients) -> str:
    try:
        clients.use_v2().progress(_UNKNOWN_PROJECT)
    except PayloadRefused:
        return "answers, and did not refuse the key"
    return "key accepted"


def _called(name: str, url: str, call: Callable[[AccountClients], str], clients: AccountClients) -> CheckResult:
    try:
        return CheckResult(name, "ok", f"{url}: {call(clients)}")
    except CredentialsRefused as fault:
        return CheckResult(name, "fail", f"{url}: {fault}", "correct the account's credentials")
    except RateLimited as fault:
        return CheckResult(name, "warn", f"{url}: {fault}", "wait, or lower RENDERLINE_MAX_REQUESTS_PER_SECOND")
    except StudioFault as fault:
        return CheckResult(
            name, "fail", f"{url}: {fault}", "check the network and the vendor's status; accepted renders wait"
        )
