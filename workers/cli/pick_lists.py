"""`renderline models`, `clothes`, `workspaces`, `templates`, `projects`: the vendor's lists, searched here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from workers.cli import views
from workers.cli.editor_projects import read as read_project
from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.catalogue import Snapshot

Rows = Sequence[Mapping[str, Any]]

_CATEGORIES = ("social", "business", "education")

_WORDS = click.argument("words", metavar="[SEARCH]", nargs=-1)
_SEARCH = click.option("--search", default="", help="Rows in which all of these words occur.")
_ACCOUNT = click.option("--account", default="default", show_default=True, help="Ask with this account.")
_REFRESH = click.option("--refresh", is_flag=True, help="Read the list from the vendor, however new the cached one is.")


def _listing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every list."""
    for option in (pass_session, json_option, _REFRESH, _ACCOUNT, _SEARCH):
        command = option(command)
    return command


@click.command()
@_WORDS
@_listing
def models(session: Session, words: tuple[str, ...], search: str, account: str, refresh: bool) -> None:
    """List the avatars and their clothes, whose ids a request names.

    All words of SEARCH must occur in an avatar's ids or labels, in any language and case.
    """
    found = _found(session, account, "models", refresh, (*words, search))
    session.answer(found, lambda: views.plain_table(("MODEL", "LABEL", "TYPE", "CLOTHES"), map(_model, found)))


@click.command()
@click.argument("model")
@_listing
def clothes(session: Session, model: str, search: str, account: str, refresh: bool) -> None:
    """List the clothes of the avatar MODEL."""
    from renderline.catalogue.likeness import meant
    from renderline.catalogue.snapshot import matching

    snapshot = _read(session, account, "models", refresh)
    row = snapshot.by_id.get(model)
    if row is None:
        hint = meant(model, snapshot.rows, snapshot.id)
        also = f"; did you mean {hint}?" if hint else ""
        raise CommandError(f"no model {model} in the list of account {account}{also}", ExitCode.NOT_FOUND)
    if row.get("clothes") is None:
        print_error(f"the vendor's list does not say which clothes model {model} has")
    found = matching(row.get("clothes") or [], search)
    session.answer(found, lambda: views.plain_table(("CLOTHES", "LABEL"), ((one["id"], _label(one)) for one in found)))


@click.command()
@_WORDS
@_listing
def workspaces(session: Session, words: tuple[str, ...], search: str, account: str, refresh: bool) -> None:
    """List the workspaces, whose ids go into `workspace_id`."""
    found = _found(session, account, "workspaces", refresh, (*words, search))
    rows = ((row["workspaceId"], _label(row)) for row in found)
    session.answer(found, lambda: views.plain_table(("WORKSPACE", "NAME"), rows))


@click.command()
@_WORDS
@click.option(
    "--category",
    type=click.Choice(_CATEGORIES),
    help="Templates of generated videos in this category, instead of those of kind `template`.",
)
@_listing
def templates(
    session: Session, words: tuple[str, ...], category: str | None, search: str, account: str, refresh: bool
) -> None:
    """List the templates, whose ids go into `template_id`; with --category into `options.templateId`."""
    name = f"automation_templates.{category}" if category else "business_templates"
    found = _found(session, account, name, refresh, (*words, search))
    rows = ((row["id"], _label(row), row.get("orientation") or "") for row in found)
    session.answer(found, lambda: views.plain_table(("TEMPLATE", "NAME", "FOR"), rows))


@click.group(invoke_without_command=True)
@click.option("--state", default="", help="Projects in this state of the vendor, such as exported.")
@_listing
@click.pass_context
def projects(context: click.Context, session: Session, state: str, search: str, account: str, refresh: bool) -> None:
    """List the vendor's projects: those that it lists, perhaps only exported ones."""
    if context.invoked_subcommand:
        return
    rows = _found(session, account, "projects", refresh, (search,))
    found = [row for row in rows if not state or str(row.get("state")).casefold() == state.casefold()]
    shown = ((row["id"], _label(row), row.get("state") or "") for row in found)
    session.answer(found, lambda: views.plain_table(("PROJECT", "NAME", "STATE"), shown))


@projects.command()
@click.argument("project")
@_ACCOUNT
@json_option
@pass_session
def show(session: Session, project: str, account: str) -> None:
    """Show the scenes of PROJECT: its backgrounds, clips and spoken lines, each with its tag and place.

    The numbers are those that a request of kind from_project uses in `replace`.
    """
    from renderline.kinds.editor.outline import HEADINGS, outline, table

    outlined = outline(read_project(session, account, project))
    session.answer(outlined, lambda: views.plain_table(HEADINGS, table(outlined)))


def _found(session: Session, account: str, name: str, refresh: bool, words: Sequence[str]) -> Rows:
    from renderline.catalogue.snapshot import matching

    return matching(_read(session, account, name, refresh).rows, " ".join(words))


def _read(session: Session, account: str, name: str, refresh: bool) -> Snapshot:
    """Return a list; standard error says if it is an old one, or only a part. Raises CommandError, StudioFault."""
    from renderline.accounts.clients import AccountUnavailable
    from renderline.capabilities import KnownAccounts
    from renderline.catalogue import ListUnavailable

    refresher = session.services.catalogue.refresher
    if account not in refresher.clients and account not in (
        known := KnownAccounts(session.ledger, session.settings.account_names)
    ):
        hint = f"known: {', '.join(sorted(known))}" if known else "set AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY"
        raise CommandError(f"no account {account}; {hint}", ExitCode.NOT_FOUND if known else ExitCode.REFUSED)
    try:
        found = refresher.current(account, name, anew=refresh)
    except AccountUnavailable as error:
        raise CommandError(str(error), ExitCode.REFUSED) from None
    except ListUnavailable as error:
        raise CommandError(f"there is no such list of account {account}: {error}") from None
    age = found.age(refresher.store.clock())
    if found.error:
        print_error(f"this list is {views.duration(age)} old, for it could not be read anew: {found.error}")
    if not found.complete:
        print_error("the vendor's list is too long to be kept whole: its end is missing")
    return found


def _label(row: Mapping[str, Any]) -> str:
    from renderline.catalogue.snapshot import label_of

    return label_of(row)


def _model(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    worn = ", ".join(f"{one['id']} {_label(one)}".strip() for one in row.get("clothes") or ())
    return row["id"], _label(row), row.get("avatarType") or "", worn


COMMANDS = (models, clothes, workspaces, templates, projects)
