"""The vendor's clients that commands call with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session

if TYPE_CHECKING:
    from renderline.accounts.clients import AccountClients
    from renderline.studio import StudioV2, StudioV3

T = TypeVar("T")


def studio(session: Session, account: str) -> StudioV3:
    """Return the v3 client of an account; raises CommandError if it is unknown or has no v3 credentials."""
    return _usable(session, account, lambda clients: clients.use_v3())


def studio_v2(session: Session, account: str) -> StudioV2:
    """Return the v2 client of an account; raises CommandError if it is unknown or has no v2 key."""
    return _usable(session, account, lambda clients: clients.use_v2())


def _usable(session: Session, account: str, use: Callable[[AccountClients], T]) -> T:
    clients = session.services.submitter.accounts.get(account)
    if clients is None:
        known = ", ".join(session.settings.account_names)
        hint = f"known: {known}" if known else "set AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY"
        raise CommandError(f"no account {account}; {hint}", ExitCode.NOT_FOUND if known else ExitCode.REFUSED)
    try:
        return use(clients)
    except LookupError as error:
        raise CommandError(str(error), ExitCode.REFUSED) from None
