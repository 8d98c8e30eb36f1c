"""`renderline --version`: what runs here."""

from __future__ import annotations

import importlib.metadata
import platform
import tomllib
from pathlib import Path

import click

from workers.cli.session import Session, write_json

_ROOT = Path(__file__).resolve().parents[2]


def versions() -> dict[str, str]:
    """Return the versions of Renderline, Python, Celery and redis-py, and the folder of the code that runs."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "renderline": project["version"],
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("celery", "redis")},
        "code": str(_ROOT),
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
