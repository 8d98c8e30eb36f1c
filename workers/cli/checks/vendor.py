"""Checks of the vendor accounts: is it reachable, does it take the token and the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from config.settings import Settings
from renderline.accounts.clients import AccountClients
from renderline.studio import CredentialsRefused, PayloadRefused, RateLimited, StudioFault
from workers.cli.checks.finding import PollResult

# An id that no project has: a vendor that says so has looked, and has taken the key.
_NOBODY = "0" * 24


def check(settings: Settings, accounts: Mapping[str, AccountClients]) -> Iterator[PollResult]:
    """Yield a finding for each API of each account, with one harmless call each."""
    if not settings.accounts:
        yield PollResult(
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
        raise CredentialsRefused("it does not accept the token that it has issued")
    return "token accepted"


def _v2_key(clients: AccountClients) -> str:
    try:
        clients.use_v2().progress(_NOBODY)
    except PayloadRefused:
        return "answers, the key was not refused"
    return "key accepted"


def _called(name: str, url: str, call: Callable[[AccountClients], str], clients: AccountClients) -> PollResult:
    try:
        return PollResult(name, "ok", f"{url}: {call(clients)}")
    except CredentialsRefused as fault:
        return PollResult(name, "fail", f"{url}: {fault}", "correct the account's credentials")
    except RateLimited as fault:
        return PollResult(name, "warn", f"{url}: {fault}", "wait, or lower RENDERLINE_MAX_REQUESTS_PER_SECOND")
    except StudioFault as fault:
        return PollResult(
            name, "fail", f"{url}: {fault}", "check the network and the vendor's status; accepted work waits"
        )
