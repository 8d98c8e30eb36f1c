"""`renderline keys`: the API keys of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.gateway.api_keys import ApiKey, ApiKeys

# A copy: renderline.gateway.api_keys is slow to import. A test compares the two.
SCOPES = ("submit", "read", "admin", "operator", "metrics")


def _keys(session: Session) -> ApiKeys:
    from renderline.gateway.api_keys import ApiKeys

    return ApiKeys(session.ledger.redis)


@click.group()
def keys() -> None:
    """API keys of the gateway: create, list, revoke."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=("submit", "read"),
    show_default=True,
    help="What the key may do; repeatable. admin includes submit and read; operator is everything, for all tenants; "
    "metrics is /metrics alone, for Prometheus.",
)
@click.option("--tenant", metavar="TENANT", help="The tenant that the key belongs to.  [default: default]")
@click.option(
    "--account", "accounts", metavar="ACCOUNT", multiple=True, help="A vendor account it may use; repeatable. [all]"
)
@json_option
@pass_session
def create(session: Session, name: str, scopes: Sequence[str], tenant: str | None, accounts: Sequence[str]) -> None:
    """Create a key for NAME, the service or person that will use it. It is shown only once."""
    session.change()
    from workers.composition.tenants import tenants

    listed = tenants(session.settings)
    if tenant is not None and listed.closed and tenant not in listed.names:
        raise CommandError(
            f"no tenant {tenant} in the file that RENDERLINE_TENANTS names; it has: {', '.join(listed.names)}",
            ExitCode.REFUSED,
        )
    known = session.services.acceptor.accounts
    if unknown := sorted({*accounts}.difference(known)):
        raise CommandError(
            f"no account {', '.join(unknown)}; known: {', '.join(sorted(known)) or 'none'}", ExitCode.REFUSED
        )
    may = listed.of(tenant or "default").accounts
    if "operator" not in scopes and may is not None and (useless := sorted({*accounts}.difference(may))):
        raise CommandError(
            f"tenant {tenant or 'default'} may use {', '.join(sorted(may)) or 'no account'}, not {', '.join(useless)}: "
            "add it to accounts of the tenant in the file of RENDERLINE_TENANTS",
            ExitCode.REFUSED,
        )
    store = _keys(session)
    try:
        key = store.create(name, scopes, tenant=tenant, accounts=accounts or None)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.REFUSED) from None
    made = {
        "id": key.split("_")[1],
        "name": name,
        "scopes": sorted(set(scopes), key=SCOPES.index),
        "tenant": None if {"operator", "metrics"} & {*scopes} else tenant or "default",
        "accounts": sorted(set(accounts)) or None,
        "key": key,
    }
    # The key alone, for KEY=$(renderline keys create NAME).
    session.answer(made, lambda: Text(key))
    if not session.as_json:
        session.progress_console.print(Text("Keep it: only its hash is stored.", style="dim"))


@keys.command("list")
@json_option
@pass_session
def list_keys(session: Session) -> None:
    """List the valid keys, without their secrets."""
    rows = [_row(key) for key in _keys(session).list()]
    shown = [
        (
            row["id"],
            row["name"],
            row["tenant"] or ("none" if row["scopes"] == ["metrics"] else "all"),
            " ".join(row["scopes"]),
            " ".join(row["accounts"] or ["all"]),
            views.age(row["created"]),
            views.age(row["used"]) or "never",
        )
        for row in rows
    ]
    columns = ("KEY", "NAME", "TENANT", "SCOPES", "ACCOUNTS", "AGE", "USED")
    session.answer(rows, lambda: views.plain_table(columns, shown))


def _row(key: ApiKey) -> dict[str, Any]:
    from renderline.ledger import iso

    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "tenant": key.tenant,
        "accounts": None if key.accounts is None else list(key.accounts),
        "created": iso(key.created),
        "used": None if key.used is None else iso(key.used),
    }


@keys.command()
@click.argument("key_ids", metavar="KEY...", nargs=-1, required=True)
@json_option
@pass_session
@click.pass_context
def revoke(context: click.Context, session: Session, key_ids: Sequence[str]) -> None:
    """Revoke keys by their ids. It takes effect within seconds."""
    session.change()
    known = _keys(session)
    done = {one: known.revoke(one) for one in dict.fromkeys(key_ids)}
    rows = [{"id": one, "revoked": revoked} for one, revoked in done.items()]
    session.answer(rows, lambda: Text("\n".join(f"{one} revoked" for one, gone in done.items() if gone)))
    missing = [one for one, gone in done.items() if not gone]
    if missing:
        raise CommandError([f"no key {one}" for one in missing], ExitCode.NOT_FOUND)


COMMANDS = (keys,)
