"""The schemas of an operation on many renders."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from renderline.bulk import ACTIONS, LIMIT
from renderline.gateway.request_parsing import JsonBody, StrictObject
from renderline.kinds import KINDS
from renderline.ledger import Filter
from renderline.renders import State
from renderline.search import SearchError, parse_search
from renderline.validation.fields import Boolean, Choice, Integer, List, Nested, Object, Text
from renderline.validation.validators import ONE_LINE, Entries, MaxLength

MOST: Final = 1000
"""Renders that one call takes."""
MOST_PAIRS: Final = 100
"""Names of metadata that a filter takes, as many as a search text has terms."""
_ID: Final = validate.Regexp(r"[0-9a-f]{32}\Z", error="is not the id of a render")


def _about(text: str) -> dict[str, Any]:
    return {"description": text}


def _seconds(text: str) -> float:
    """Return the epoch seconds of a time; raises ValidationError."""
    try:
        at: datetime = fields.AwareDateTime(format="iso", default_timezone=None).deserialize(text)
        return at.timestamp()
    except (ValidationError, OverflowError, ValueError):
        raise ValidationError("must be a time in ISO 8601 with an offset") from None


class _Texts(Object):
    """An object of texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, attr, data, **kwargs)
        if wrong := {name: ["must be a text"] for name, text in found.items() if not isinstance(text, str)}:
            raise ValidationError(wrong)
        return found


class RenderFilter(StrictObject):
    """Which renders: those that match all of it, as in the list and the search. Loads a `Filter`."""

    state = Choice([state.value for state in State], metadata=_about("In this state."))
    kind = Choice(list(KINDS), metadata=_about("Of this kind."))
    account = Text(validate=[MaxLength(100)], metadata=_about("Of this account."))
    tenant = Text(validate=[MaxLength(100)], metadata=_about("Of this tenant."))
    priority = Choice(["high", "normal", "low"], metadata=_about("Of this priority."))
    name = Text(validate=[MaxLength(200)], metadata=_about("Whose name begins like this."))
    error_code = Text(validate=[MaxLength(200)], metadata=_about("That ended with this error code."))
    held = Boolean(metadata=_about("Whether an operator holds it."))
    metadata = _Texts(validate=[Entries(max=MOST_PAIRS)], metadata=_about("With these values in their metadata."))
    ids = List(Text(validate=[_ID]), validate=Entries(min=1, max=MOST), metadata=_about("With one of these ids."))
    after = Text(
        validate=[_seconds],
        metadata=_about("In the state since then or later. ISO 8601 with an offset."),
    )
    before = Text(
        validate=[_seconds],
        metadata=_about("In the state since then or earlier. ISO 8601 with an offset."),
    )
    q = Text(
        validate=[MaxLength(1000)],
        metadata=_about("A search text, as of the list. What else the filter names counts instead of the same in it."),
    )

    @post_load
    def to_filter(self, data: dict[str, Any], **_: Any) -> Filter:
        """Return the filter."""
        text = data.pop("q", "")
        try:
            found = parse_search(text, now=time.time()) if text else Filter()
        except SearchError as error:
            raise ValidationError(str(error), "q") from None
        for name in ("after", "before"):
            if name in data:
                data[name] = _seconds(data[name])
        if "metadata" in data:
            data["metadata"] = tuple(data["metadata"].items())
        if "ids" in data:
            data["ids"] = tuple(data["ids"])
        return Filter(**{**vars(found), **data})


class BulkRequest(JsonBody):
    """One operation on the renders that a filter selects."""

    component = True

    action = Choice(ACTIONS, required=True, metadata=_about("What to do with each."))
    filter = Nested(RenderFilter, load_default=Filter, metadata=_about("Which renders."))
    all = Boolean(load_default=False, metadata=_about("Needed without a filter: then every render is meant."))
    dry_run = Boolean(load_default=False, metadata=_about("Change nothing, and say which would be taken."))
    limit = Integer(
        load_default=LIMIT, validate=[validate.Range(1, MOST)], metadata=_about("Take at most so many renders.")
    )
    cursor = Text(
        load_default=None,
        allow_none=True,
        validate=[MaxLength(200)],
        metadata=_about("Where to go on: `cursor` of the call before."),
    )
    reason = Text(
        load_default="",
        blank=True,
        validate=[MaxLength(200), ONE_LINE],
        metadata=_about("Why the renders are held; kept in their records."),
    )


class HoldReason(JsonBody):
    """Why a render is held."""

    reason = Text(
        load_default="",
        blank=True,
        validate=[MaxLength(200), ONE_LINE],
        metadata=_about("Kept in the record."),
    )
