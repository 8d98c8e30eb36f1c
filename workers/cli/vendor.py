"""`renderline models` and `renderline workspaces`: the vendor's lists, searched here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workers.cli import views
from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.accounts.clients import AccountClients
    from renderline.studio import StudioV2, StudioV3

T = TypeVar("T")

_SEARCH = click.argument("search", metavar="[SEARCH]", nargs=-1)
_ACCOUNT = click.option("--account", default="default", show_default=True, help="Ask with this account.")


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


@click.command()
@_SEARCH
@_ACCOUNT
@json_option
@pass_session
def models(session: Session, search: tuple[str, ...], account: str) -> None:
    """List the avatars and their clothes, whose ids a request names.

    All words of SEARCH must occur in an avatar's ids or labels, in any language and case.
    """
    found = _matching(studio(session, account).models(), search)
    session.answer(found, lambda: views.plain_table(("MODEL", "LABEL", "CLOTHES"), map(_model, found)))


@click.command()
@_SEARCH
@_ACCOUNT
@json_option
@pass_session
def workspaces(session: Session, search: tuple[str, ...], account: str) -> None:
    """List the workspaces, whose ids go into `workspaceId`."""
    found = _matching(studio(session, account).workspaces(), search)
    rows = ((row.get("workspaceId", ""), row.get("workspaceName", "")) for row in found)
    session.answer(found, lambda: views.plain_table(("WORKSPACE", "NAME"), rows))


def _matching(rows: Iterable[Mapping[str, Any]], search: tuple[str, ...]) -> list[Mapping[str, Any]]:
    words = [word.casefold() for phrase in search for word in phrase.split()]
    return [row for row in rows if all(word in _texts(row) for word in words)]


def _texts(value: Any, *, key: str = "") -> str:
    """Return all texts of a row in lower case, joined by line breaks, without the URLs of pictures."""
    if isinstance(value, Mapping):
        return "\n".join(_texts(inner, key=name) for name, inner in value.items())
    if isinstance(value, list):
        return "\n".join(_texts(inner, key=key) for inner in value)
    return "" if "thumbnail" in key.lower() or value is None else str(value).casefold()


def label(row: Mapping[str, Any]) -> str:
    """Return the label of a row, in English if there is one. The vendor sends text, or text by language."""
    said = row.get("label")
    if isinstance(said, Mapping):
        return str(said.get("en") or next((text for text in said.values() if text), ""))
    return str(said or "")


def _model(row: Mapping[str, Any]) -> tuple[str, str, str]:
    clothes = row.get("clothes")
    worn = [one for one in clothes if isinstance(one, Mapping)] if isinstance(clothes, list) else []
    return str(row.get("id", "")), label(row), ", ".join(f"{one.get('id', '')} {label(one)}".strip() for one in worn)


COMMANDS = (models, workspaces)
