"""What commands share whose vendor call may cost: account, texts and addresses, and how a lost answer is reported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from workers.cli.errors import CommandError

account_option = click.option("--account", default="default", show_default=True, help="Ask with this account.")


_LONGEST = 600.0
"""Seconds that a command waits for the vendor to make something; the vendor says nothing about how long it takes."""


class Spoken(click.ParamType):
    """A text that is not blank; with `or_input`, `-` reads it from standard input."""

    name = "text"

    def __init__(self, *, or_input: bool = False) -> None:
        self._or_input = or_input

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text; a blank one is a wrong argument."""
        text = sys.stdin.read() if self._or_input and value == "-" else str(value)
        if not text.strip():
            self.fail("must not be blank", param, ctx)
        return text


class MediaUrl(click.ParamType):
    """An http(s) URL, which the vendor must be able to fetch."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the URL; anything else is a wrong argument."""
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(str(value))
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            self.fail(f"{value!r} must be an http:// or https:// URL that the vendor can fetch", param, ctx)
        return str(value)


@contextmanager
def may_cost(what: str) -> Iterator[None]:
    """Wait long for the answer of a call, and say plainly that without one it may have been made and charged."""
    from renderline.studio import OutcomeUnknown, patient

    try:
        with patient(_LONGEST):
            yield
    except OutcomeUnknown as unknown:
        raise CommandError(
            f"the outcome is unknown: {what} may have been made, and charged, without an answer ({unknown}); "
            "check the vendor's website before you repeat the command"
        ) from None
