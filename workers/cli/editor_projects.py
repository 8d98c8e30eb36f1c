"""`renderline template-of`: a request that makes videos from a project of the vendor's editor, ready for rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.rows import table
from workers.cli.session import Session, json_option, pass_session
from workers.cli.vendor import studio

_ACCOUNT = click.option("--account", default="default", show_default=True, help="Ask with this account.")
_PROJECT = click.argument("project_id", metavar="PROJECT")


@click.command("template-of")
@_PROJECT
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
@click.option("--all", "everything", is_flag=True, help="Also pictures, videos, sounds and avatars without a tag.")
@_ACCOUNT
@json_option
@pass_session
def template_of(session: Session, project_id: str, output: Path | None, everything: bool, account: str) -> None:
    """Write a request that makes videos from a vendor PROJECT, with a placeholder for each text, line and tagged clip.

    With -o FILE the request is in FILE. Beside it, in a file that ends in .csv, is a table with a column for each
    placeholder and one row: what the project has there now. A file that exists is not overwritten.
    """
    from renderline.kinds.editor.outline import outline
    from renderline.kinds.editor.request_template import request_template

    outlined = outline(read(session, account, project_id))
    template = request_template(outlined, project_id=project_id, account=account, everything=everything)
    text = json.dumps(template.request, indent=2, ensure_ascii=False) + "\n"
    if output is not None:
        rows = output.with_suffix(".csv")
        if rows == output:
            raise CommandError(f"{output}: must not end in .csv, because the rows go into that file", ExitCode.REFUSED)
        _write({output: text, rows: _csv(template.example)})
        print_error(f"wrote {output} and {rows}")
    elif not session.as_json:
        click.echo(text, nl=False)
        print_error(f"columns: {','.join(template.example)}")
    if session.as_json:
        session.answer({"request": template.request, "example": template.example}, lambda: None)


def read(session: Session, account: str, project_id: str) -> dict[str, Any]:
    """Return a project of the vendor with its scenes; raises CommandError if the account has no such project."""
    from renderline.studio import ProjectMissing

    try:
        return studio(session, account).read_project(project_id)
    except ProjectMissing as missing:
        raise CommandError(f"account {account} has no project {project_id}: {missing}", ExitCode.NOT_FOUND) from None


def _csv(example: Mapping[str, str]) -> str:
    return table(list(example), list(example.values()))


def _write(files: Mapping[Path, str]) -> None:
    there = [str(path) for path in files if path.exists()]
    if there:
        raise CommandError([f"{path}: exists already, and is not overwritten" for path in there], ExitCode.REFUSED)
    for path, text in files.items():
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", ExitCode.REFUSED) from None


COMMANDS = (template_of,)
