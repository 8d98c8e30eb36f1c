"""The schemas of requests: query parameters, headers and bodies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    missing,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from renderline.contract import MAX_KEY_LENGTH, key_error
from renderline.gateway.body_limits import BATCH_FACTOR
from renderline.gateway.request_parsing import JsonBody, StrictObject
from renderline.kinds import KINDS
from renderline.ledger.statistics import MOST_MINUTES
from renderline.renders import State
from renderline.search import SearchError, parse_search
from renderline.validation.fields import Boolean, Identifier, List, Nested, Text
from renderline.validation.validators import ONE_LINE, Entries, MaxLength

MOST_REQUESTS: Final = 1000
"""Requests in one batch."""

_METADATA: Final = "metadata."
_CURSOR: Final = r"[0-9]{1,12}\.[0-9]{3}-[0-9a-f]{32}"
_KEY_LENGTH: Final = {"minLength": 1, "maxLength": MAX_KEY_LENGTH}
_EVENT_ID: Final = "[0-9]{1,15}-[0-9]{1,9}"


def _about(text: str) -> dict[str, Any]:
    return {"description": text}


class QuerySchema(Schema):
    """Query parameters. Unknown ones are refused: a typing error in a filter would list the wrong renders."""

    repeatable: ClassVar[frozenset[str]] = frozenset()
    """The parameters that may be given more than once."""

    class Meta:
        """Unknown parameters are left to `check_names`, which also knows `metadata.<name>`."""

        unknown = EXCLUDE

    @pre_load
    def gather(self, data: Any, **_: Any) -> Any:
        """Give repeatable parameters all their values."""
        given = {name: data.getlist(name) for name in self.repeatable if name in data}
        return {**data, **given} if given else data

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_names(self, data: Any, original: Any, **_: Any) -> None:
        """Refuse unknown and repeated parameters."""
        errors = {name: ["unknown parameter"] for name in original if not self.knows(name)}
        for name in original.keys() - errors.keys():
            if name in self.fields and len(original.getlist(name)) > 1 and name not in self.repeatable:
                errors[name] = ["is given more than once"]
        if errors:
            raise ValidationError(errors)

    def knows(self, name: str) -> bool:
        """Return whether there is a parameter of this name."""
        return name in self.fields


class NoQuery(QuerySchema):
    """No parameters."""


class ForgetQuery(QuerySchema):
    """What is to be forgotten besides what Renderline has."""

    vendor = fields.Boolean(
        load_default=False, metadata=_about("Delete the render's own project at the vendor, with its video, too.")
    )


class RenderQuery(QuerySchema):
    """The parameters of the list of renders, `metadata.<name>` aside; loads the `filter` that they make."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"id", "key"})

    q = fields.String(
        validate=validate.Length(0, 1000),
        metadata=_about(
            "A search: words, which match ids, idempotency keys and how names, telling words in them and labels begin, "
            "and pairs `field:value` of state, kind, account, tenant, priority, name, code, id, key, held, since, "
            "until; any other field is a metadata name."
        ),
    )
    name = fields.String(
        validate=validate.Length(1, 500), metadata=_about("Renders whose name begins like that, in any case.")
    )
    error_code = fields.String(validate=validate.Length(1, 200), metadata=_about("Renders with this error code."))
    held = fields.Boolean(metadata=_about("Renders that somebody holds back from submission; false: the others."))
    id = fields.List(
        fields.String(validate=validate.Regexp(r"[0-9a-f]{32}\Z", error="is not the id of a render")),
        validate=validate.Length(1, 500),
        metadata=_about("The render with this id; repeatable."),
    )
    key = fields.List(
        fields.String(validate=validate.Length(1, MAX_KEY_LENGTH)),
        validate=validate.Length(1, 100),
        metadata=_about("The render of this idempotency key; repeatable."),
    )
    state = fields.String(
        validate=validate.OneOf([state.value for state in State]), metadata=_about("Renders in this state.")
    )
    kind = fields.String(validate=validate.OneOf(list(KINDS)), metadata=_about("Renders of this kind."))
    account = fields.String(validate=validate.Length(1, 100), metadata=_about("Renders of this account."))
    after = fields.AwareDateTime(
        format="iso",
        default_timezone=None,
        metadata=_about(
            "Renders accepted at this time or later; with `state`: that entered it then or later. "
            "ISO 8601 with an offset."
        ),
    )
    before = fields.AwareDateTime(
        format="iso",
        default_timezone=None,
        metadata=_about(
            "Renders accepted at this time or earlier; with `state`: that entered it then or earlier. "
            "ISO 8601 with an offset."
        ),
    )
    cursor = fields.String(
        validate=validate.Regexp(rf"{_CURSOR}\Z", error="is not a cursor from a list"),
        metadata={**_about("Where to continue: `next` of the previous page."), "pattern": f"^{_CURSOR}$"},
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500), metadata=_about("At most this many."))

    def knows(self, name: str) -> bool:
        """Return whether there is a parameter of this name."""
        return name in self.fields or name.startswith(_METADATA)

    @post_load(pass_original=True)
    def to_filter(self, data: dict[str, Any], original: Any, **_: Any) -> dict[str, Any]:
        """Return the `filter` of the ledger's list, its `limit` and its `cursor`."""
        metadata = [
            (name.removeprefix(_METADATA), value)
            for name in original
            if name.startswith(_METADATA)
            for value in original.getlist(name)
        ]
        given: dict[str, Any] = {
            name: data[name] for name in ("state", "kind", "account", "name", "error_code", "held") if name in data
        }
        given |= {name: data[name].timestamp() for name in ("after", "before") if name in data}
        given |= {target: tuple(data[name]) for name, target in (("id", "ids"), ("key", "keys")) if name in data}
        try:
            wanted = parse_search(data.get("q", ""), now=time.time(), **given, metadata=tuple(metadata))
        except SearchError as error:
            raise ValidationError(str(error), "q") from None
        return {"filter": wanted, "limit": data["limit"], "cursor": data.get("cursor")}


class StatisticsQuery(QuerySchema):
    """The parameters of the statistics."""

    minutes = fields.Integer(
        load_default=60, validate=validate.Range(1, MOST_MINUTES), metadata=_about("So many of the latest minutes.")
    )


class DeadLetterQuery(QuerySchema):
    """The parameters of the list of dead letters."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000), metadata=_about("At most this many."))


def _check_key(key: str) -> None:
    error = key_error(key)
    if error:
        raise ValidationError(error)


class _HeaderKey(fields.String):
    """An idempotency key in a header; the double quotes that the IETF draft puts around it are not part of it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            # WSGI hands headers on as Latin-1; the caller sent UTF-8.
            key: str = value.encode("latin-1").decode()
        except UnicodeError:
            raise ValidationError("is not UTF-8") from None
        return key[1:-1] if len(key) > 1 and key.startswith('"') and key.endswith('"') else key


class IdempotencyHeader(Schema):
    """The header `Idempotency-Key`; use it with the error status 400."""

    key = _HeaderKey(
        data_key="Idempotency-Key",
        validate=_check_key,
        metadata={
            **_about("The same key always gives the same render, through every door."),
            **_KEY_LENGTH,
            "pattern": "^[!#-~]+$",
        },
    )


class LastEventIdHeader(Schema):
    """The header `Last-Event-ID`; an empty one is none."""

    last_event_id = fields.String(
        data_key="Last-Event-ID",
        validate=validate.Regexp(rf"(?:{_EVENT_ID})?\Z", error="is not the id of an event"),
        metadata={
            **_about("Continue after this event; the newest 10,000 are kept."),
            "pattern": f"^({_EVENT_ID})?$",
        },
    )


class RenderRequest(JsonBody):
    """A render request: any JSON value here. The acceptor checks it, for every door alike."""

    checked_later = True

    def load(self, data: Any, **_: Any) -> Any:
        """Return `data` unchanged."""
        return data


class _AnyRequest(fields.Nested):
    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return value if value is not missing else super().deserialize(value, *args, **kwargs)


class BatchItem(StrictObject):
    """One request of a batch."""

    error_messages = {"type": "must be an object with `request` and, optionally, `key`"}  # noqa: RUF012

    request = _AnyRequest(RenderRequest, required=True, error_messages={"required": "is required"})
    key = Text(
        blank=True, allow_none=True, validate=[_check_key], metadata={"minLength": 1, "maxLength": MAX_KEY_LENGTH}
    )


class BatchRequest(JsonBody):
    """Many render requests; the acceptor checks each of them."""

    component = True
    size_factor = BATCH_FACTOR
    values_factor = BATCH_FACTOR // 2
    # The body, its list, and the item.
    extra_depth = 3
    checked_later = True

    @pre_load
    def count(self, data: Any, **_: Any) -> Any:
        """Refuse too many requests before any of them is looked at."""
        given = data.get("requests") if isinstance(data, dict) else None
        if isinstance(given, list) and len(given) > MOST_REQUESTS:
            raise ValidationError(f"must have at most {MOST_REQUESTS} entries", "requests")
        return data

    requests = List(Nested(BatchItem), required=True, validate=Entries(min=1, max=MOST_REQUESTS))
    all_or_nothing = Boolean(load_default=False)


class Adoption(JsonBody):
    """The vendor project of an unconfirmed render."""

    project_id = Identifier(required=True)


class Failure(JsonBody):
    """Why an unconfirmed render has failed."""

    message = Text(load_default="given up by an operator", validate=[MaxLength(500), ONE_LINE])
