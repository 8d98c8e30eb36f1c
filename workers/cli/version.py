"""`renderline --version`: what runs here."""

from __future__ import annotations

import importlib.metadata
import platform

import click

from config.release import FOLDER, release
from workers.cli.session import Session, write_json


def versions() -> dict[str, str]:
    """Return the versions of Renderline, Python, Celery and redis-py, and the folder of the code that runs."""
    return {
        "renderline": release(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("celery", "redis")},
        "code": str(FOLDER),
    }


def _show(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    found = versions()
    if context.ensure_object(Session).as_json:
        write_json(found)
    else:
        libraries = f"Python {found['python']}, Celery {found['celery']}, redis-py {found['redis']}"
        click.echo(f"renderline {found['renderline']} ({libraries}) in {found['code']}")
    context.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    callback=_show,
    help="Show what runs here: versions and folder.",
)
