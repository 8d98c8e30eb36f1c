"""`renderline link`: a signed link to a stored file, for another service to fetch."""

from __future__ import annotations

import os
import re
from typing import Any, Final

import click

from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session, json_option, pass_session

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Span(click.ParamType):
    """A length of time, such as `90s`, `30m`, `1h`, `7d`; a number alone is seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return whole seconds."""
        found = re.fullmatch(r"([0-9]{1,9})([smhd]?)", str(value))
        if not found:
            self.fail(f"{value!r} is no length of time, such as 90s, 30m, 1h, 7d", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command()
@click.argument("render_id", metavar="ID")
@click.option(
    "--expires", "seconds", type=Span(), default="1h", show_default=True, help="How long it is good: up to 7d."
)
@click.option("--output", type=click.IntRange(0), metavar="N", help="Which file of a render with several, from 0.")
@click.option("--gateway", metavar="URL", help="Where others reach the gateway, if not at RENDERLINE_PUBLIC_URL.")
@json_option
@pass_session
def link(session: Session, render_id: str, seconds: int, output: int | None, gateway: str | None) -> None:
    """Print a link to the stored file of a render: other services fetch it there, without an API key.

    It ends when it expires, or when the render is forgotten. The gateway sends the file; RENDERLINE_SECRET_KEY, the
    same here and there, signs the link. Without --gateway and RENDERLINE_PUBLIC_URL it leads to GATEWAY_URL (make up).
    """
    from renderline.ledger import iso
    from renderline.signed_urls.download_links import LONGEST, DownloadLinks, NotStored

    if not 0 < seconds <= LONGEST:
        raise click.BadParameter(f"a link is good for 1 second to 7 days, not for {seconds} s", param_hint="--expires")
    secret = session.settings.secret_key
    if not secret:
        raise CommandError(
            "RENDERLINE_SECRET_KEY is unset: it signs the link; set the gateway's (openssl rand -hex 32 makes one)",
            ExitCode.REFUSED,
        )
    base = gateway or session.settings.public_url or os.environ.get("GATEWAY_URL")
    if not base or not re.match(r"https?://[^/]", base):
        raise CommandError(
            "where is the gateway? set RENDERLINE_PUBLIC_URL, or give --gateway http(s)://host[:port]", ExitCode.REFUSED
        )
    record = session.ledger.record(render_id)
    if record is None:
        raise CommandError(f"render not found: {render_id}", ExitCode.NOT_FOUND)
    if record["forgotten"]:
        raise CommandError(f"render {render_id} was forgotten, with its files")
    try:
        made = DownloadLinks(secret).make(record, output=output, seconds=seconds)
    except NotStored as error:
        raise CommandError(f"render {render_id}: {error}") from None
    url = f"{base.rstrip('/')}{made.path}"
    if session.as_json:
        session.answer({"id": render_id, "url": url, "expires_at": iso(made.expires)}, lambda: None)
    else:
        click.echo(url)


COMMANDS = (link,)
