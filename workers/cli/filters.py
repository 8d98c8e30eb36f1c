"""The options that choose renders, the same for every command that takes them: `--state`, `--name`, `--since` ..."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from renderline.renders import State

if TYPE_CHECKING:
    from renderline.ledger import Filter

F = TypeVar("F", bound=Callable[..., Any])


class Moment(click.ParamType):
    """A time: ISO 8601, or how long ago, such as `30m`, `2h`, `7d`. The value is in epoch seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return epoch seconds."""
        from renderline.search import moment

        if isinstance(value, float):
            return value
        try:
            return moment(value, now=time.time())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither ISO 8601 nor how long ago (30m, 2h, 7d)", param, ctx)


def _metadata(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> tuple[Any, ...]:
    pairs = [value.partition("=") for value in values]
    if not all(name and sign for name, sign, _ in pairs):
        raise click.BadParameter("must be NAME=VALUE")
    return tuple((name, value) for name, _, value in pairs)


_OPTIONS: dict[str, Callable[[F], F]] = {
    "text": click.option("--search", "text", metavar="TEXT", help="Words and field:value pairs; see docs/search.md."),
    "state": click.option(
        "--state", type=click.Choice([state.value for state in State]), help="Only renders in this state."
    ),
    "kind": click.option("--kind", help="Only renders of this kind."),
    "account": click.option("--account", help="Only renders of this account."),
    "tenant": click.option("--tenant", metavar="TENANT", help="Only renders of this tenant."),
    "priority": click.option("--priority", type=click.Choice(["high", "normal", "low"]), help="Only with it."),
    "name": click.option("--name", metavar="TEXT", help="Only where the name begins like that, in any case."),
    "error_code": click.option("--code", "error_code", metavar="CODE", help="Only with this error code."),
    "held": click.option("--held/--not-held", default=None, help="Only those that somebody holds, or does not."),
    "keys": click.option("--key", "keys", metavar="KEY", multiple=True, help="Only of this idempotency key."),
    "metadata": click.option(
        "--metadata", metavar="NAME=VALUE", multiple=True, callback=_metadata, help="Only with this in the metadata."
    ),
    "after": click.option(
        "--after", "--since", "after", type=Moment(), help="Accepted (with --state: since when) after this."
    ),
    "before": click.option(
        "--before", "--until", "before", type=Moment(), help="Accepted (with --state: since when) before this."
    ),
}


def filter_options(command: F) -> F:
    """Add the options to a command, which gets what they choose as `wanted`, a `Filter`; without any it takes all.

    An argument `words` of the command, if it has one, is part of the search.
    """

    @functools.wraps(command)
    def chosen(*args: Any, **options: Any) -> Any:
        given = {name: options.pop(name) for name in _OPTIONS}
        words = [_term(word) for word in options.pop("words", ())]
        return command(*args, wanted=_filter(" ".join([*words, given.pop("text") or ""]), given), **options)

    for option in reversed(_OPTIONS.values()):
        chosen = option(chosen)
    return chosen  # type: ignore[return-value]


def _term(word: str) -> str:
    """Return a word of the shell as one term of a search: the shell has removed the quotes of `name:"Customer 317"`."""
    name, colon, value = word.partition(":")
    return f'{name}:"{value}"' if colon and name and " " in value and '"' not in word else word


def _filter(text: str, given: dict[str, Any]) -> Filter:
    from renderline.search import SearchError, parse_search

    known = {name: value for name, value in given.items() if value not in (None, (), "")}
    try:
        return parse_search(text, now=time.time(), **known)
    except SearchError as error:
        raise click.BadParameter(str(error), param_hint="--search") from None
