"""The query parameters of the lists: which there are, and how they become a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from renderline.gateway.problem import listed, refusal
from renderline.kinds import KINDS
from renderline.ledger import Filter
from renderline.renders import State
from renderline.validation.errors import flattened

METADATA: Final = "metadata."
_CURSOR = r"[0-9]{1,12}\.[0-9]{3}-[0-9a-f]{32}"


def _about(text: str) -> dict[str, Any]:
    return {"description": text}


class Strict(Schema):
    """Query parameters, none of them unknown: a typing error in a filter would show renders that nobody asked for."""

    class Meta:
        """Unknown names are refused."""

        unknown = RAISE

    error_messages = {"unknown": "unknown parameter"}  # noqa: RUF012  (marshmallow's own attribute)


class Nothing(Strict):
    """No parameters."""


class RenderQuery(Strict):
    """The parameters of the list of renders, `metadata.<name>` aside."""

    state = fields.String(validate=validate.OneOf([state.value for state in State]), metadata=_about("Renders in it."))
    kind = fields.String(validate=validate.OneOf(list(KINDS)), metadata=_about("Renders of this kind."))
    account = fields.String(validate=validate.Length(1, 100), metadata=_about("Renders of this account."))
    after = fields.AwareDateTime(
        format="iso",
        default_timezone=None,
        metadata=_about("Not accepted before this time; with `state`: not in it before. ISO 8601 with an offset."),
    )
    before = fields.AwareDateTime(
        format="iso",
        default_timezone=None,
        metadata=_about("Not accepted after this time; with `state`: not in it after. ISO 8601 with an offset."),
    )
    cursor = fields.String(
        validate=validate.Regexp(rf"{_CURSOR}\Z", error="is not one that a list has returned"),
        metadata={**_about("Where to go on: `next` of the page before."), "pattern": f"^{_CURSOR}$"},
    )
    limit = fields.Integer(
        strict=False, load_default=100, validate=validate.Range(1, 500), metadata=_about("How many renders at most.")
    )


class LetterQuery(Strict):
    """The parameters of the list of dead letters."""

    limit = fields.Integer(
        load_default=100, validate=validate.Range(1, 1000), metadata=_about("How many hooks at most.")
    )


def load(schema: Schema, request: Request) -> dict[str, Any]:
    """Return the checked query parameters; raises a 422 problem that names each wrong one."""
    return _checked(schema, request, {name: request.args.getlist(name) for name in request.args})


def load_renders(schema: Schema, request: Request) -> tuple[Filter, dict[str, Any]]:
    """Return the filter that the query parameters ask for, and the parameters themselves."""
    given = {name: request.args.getlist(name) for name in request.args}
    wanted = _checked(schema, request, {name: given[name] for name in given if not name.startswith(METADATA)})
    metadata = [
        (name.removeprefix(METADATA), value)
        for name, values in given.items()
        if name.startswith(METADATA)
        for value in values
    ]
    after, before = wanted.get("after"), wanted.get("before")
    return (
        Filter(
            state=wanted.get("state"),
            kind=wanted.get("kind"),
            account=wanted.get("account"),
            metadata=tuple(metadata),
            after=after.timestamp() if after else float("-inf"),
            before=before.timestamp() if before else float("inf"),
        ),
        wanted,
    )


def _checked(schema: Schema, request: Request, given: Mapping[str, list[str]]) -> dict[str, Any]:
    errors = {name: ["is given more than once"] for name, values in given.items() if len(values) > 1}
    try:
        loaded: dict[str, Any] = schema.load({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        errors = {**flattened(error.messages), **errors}
    if errors:
        raise refusal(422, listed(errors))
    return loaded
