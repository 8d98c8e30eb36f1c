"""The public render record: what doors show, hooks send and operators read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from renderline.ledger.schema import LEVEL, newer_version, version_of
from renderline.renders import BEGIN, State
from renderline.tenants import DEFAULT


def iso(seconds: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(text: str | None) -> float | int | None:
    if text is None:
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def _shown_progress(fields: Mapping[str, str]) -> float | int | None:
    """Return the progress of the whole plan: that of the current stage, scaled to its part."""
    own = float(fields.get("progress", 0))
    if "shown_to" not in fields:
        return _number(str(own))
    begin, end = float(fields["shown_from"]), float(fields["shown_to"])
    return _number(str(round(begin + own * (end - begin) / 100, 6)))


def _outputs(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the files that the vendor makes for a render, with their places in the storage; none if it is one file."""
    names = ("language", "project_id", "state", "progress", "download_url", "stored_url", "error")
    stored = json.loads(fields.get("stored_outputs") or "{}")
    found = json.loads(fields.get("outputs") or "[]")
    return [
        {name: {**one, "stored_url": stored.get(str(index))}.get(name) for name in names}
        for index, one in enumerate(found)
    ]


HELD: Final = "held"
"""What the hash of a held render has as its state; no step of any version moves it on. Records say `accepted`."""


NEWER: Final = "written by a newer version"
"""How the note begins of a record that this program leaves alone."""


def newer_note(fields: Mapping[str, str]) -> str | None:
    """Return the note of a record that a newer version wrote; None for a record that this program handles."""
    needs = newer_version(fields)
    return (
        needs and f"{NEWER} of Renderline (records {needs}, this one handles {version_of(LEVEL)}): left to its workers"
    )


def shown_state(state: str) -> str:
    """Return the state that a record shows for the one in the render's hash."""
    return State.ACCEPTED.value if state == HELD else state


def _held(fields: Mapping[str, str]) -> dict[str, Any] | None:
    """Return since when, by whom and why a render is held; None if it is not."""
    if fields.get("state") != HELD:
        return None
    return {
        "at": iso(float(fields["held_at"])),
        "by": fields.get("held_by", ""),
        "reason": fields.get("held_reason", ""),
    }


def _hook(index: int, spec: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"h{index}"
    at = fields.get(f"{prefix}:at")
    return {
        "type": spec["type"],
        **({"endpoint": spec["endpoint"]} if "endpoint" in spec else {}),
        "state": fields.get(prefix, "pending"),
        "attempts": int(fields.get(f"{prefix}:attempts", 0)),
        "error": fields.get(f"{prefix}:error") or None,
        "at": iso(float(at)) if at else None,
    }


UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a record raises if it lacks a field or holds an invalid value."""
_CODE = "unreadable_record"


def public_record(
    render_id: str, fields: Mapping[str, str], meta: Mapping[str, Any], history: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the record of a render from its ledger fields (strings), its fixed data (`name`, `hooks`, `metadata`,
    `warnings`) and the `history` of its earlier attempts.

    Times are ISO 8601 in UTC; `progress` is 0-100; `error` is null or `{code, message, origin}`. Scripts, tokens and
    keys are never part of it. Raises one of `UNREADABLE` for a record that lacks a field or holds an invalid value.
    """
    deadline_at = fields.get("deadline_at")
    return {
        "id": render_id,
        "kind": fields["kind"],
        "name": meta.get("name"),
        "tenant": fields.get("tenant", DEFAULT),
        "account": fields["account"],
        "accepted_by": fields.get("by"),
        "request_id": fields.get("request_id"),
        "priority": fields["priority"],
        "state": shown_state(fields["state"]),
        "held": _held(fields),
        "stage": None if fields.get("stage") in (None, "", BEGIN) else fields["stage"],
        "progress": _shown_progress(fields),
        "project_id": fields.get("project_id"),
        "download_url": fields.get("download_url"),
        "stored_url": fields.get("stored_url"),
        "outputs": _outputs(fields),
        "credit": _number(fields.get("credit")),
        "attempt": int(fields.get("attempt", 1)),
        "attempts": int(fields.get("attempts", 0)),
        "polls": int(fields.get("polls", 0)),
        "hooks": [_hook(index, spec, fields) for index, spec in enumerate(meta.get("hooks", ()))],
        "error": (
            {
                "code": fields.get("error_code") or None,
                "message": fields["error_message"],
                "origin": fields["error_origin"],
            }
            if "error_message" in fields
            else None
        ),
        "note": newer_note(fields) or fields.get("note") or _unconfirmed(fields),
        "warnings": [*meta.get("warnings", ()), *load_warnings(fields.get("warnings"))],
        "metadata": meta.get("metadata", {}),
        "deadline": iso(float(deadline_at)) if deadline_at else None,
        "forgotten": iso(float(fields["forgotten"])) if "forgotten" in fields else None,
        "times": {state.value: iso(float(fields[f"t:{state}"])) for state in State if f"t:{state}" in fields},
        "history": list(history),
    }


def _unconfirmed(fields: Mapping[str, str]) -> str | None:
    """Say why an unconfirmed render waits, and what a person can do."""
    if fields["state"] != State.UNCONFIRMED:
        return None
    stage = f" of stage {fields['stage']}" if fields.get("stage") else ""
    return (
        f"no answer to the paid call{stage}: whether the vendor took it is unknown; polls look for a sign until the "
        "deadline; adopt, resubmit or fail settles it"
    )


def unreadable_record(render_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the placeholder that lists show for an unreadable record: its readable fields, and an error."""
    known = {state.value for state in State}
    plain = {"attempt": "1", "kind": "", "account": "", "priority": "normal", "state": ""}
    texts = {
        name: value for name, value in fields.items() if name in ("kind", "account", "project_id", "tenant", "schema")
    }
    record = public_record(render_id, {**plain, **texts}, {})
    why = newer_note(fields) or "its record cannot be read; see renderline quarantine"
    error = {"code": _CODE, "message": why, "origin": "renderline"}
    state = shown_state(fields.get("state", ""))
    # A newer version has more states; its own programs say what they mean.
    return {**record, "state": state if state in known or newer_version(fields) else "", "error": error}


def is_unreadable(record: Mapping[str, Any]) -> bool:
    """Return whether this is the placeholder of an unreadable record. Its fields prove nothing."""
    return bool(record["error"]) and record["error"]["code"] == _CODE


def attempt_summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the history entry of an attempt, from the public record at its end."""
    kept = ("attempt", "state", "error", "project_id", "progress", "credit", "attempts", "polls", "times", "hooks")
    return {name: record[name] for name in kept}


def load_meta(text: str | None) -> dict[str, Any]:
    """Return the fixed data recorded at acceptance; empty for a render without any."""
    return json.loads(text) if text else {}


def load_data(text: str | None) -> dict[str, Any]:
    """Return what the stages of a render's plan recorded for later ones."""
    return json.loads(text) if text else {}


def load_warnings(text: str | None) -> list[str]:
    """Return the warnings that workers added to a render's record."""
    return list(map(str, json.loads(text))) if text else []


def load_history(text: str | None) -> list[dict[str, Any]]:
    """Return the summaries of a render's earlier attempts, oldest first; none for a render that was never retried."""
    return json.loads(text) if text else []
