"""The rows of the list: what a row shows of a record, and a text that changes with it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from renderline.renders import State

_QUIET: Final = (State.DELIVERED,)


@dataclass(frozen=True)
class Row:
    """One render in the list."""

    id: str
    state: str
    name: str
    labels: Sequence[tuple[str, str]]
    kind: str
    account: str
    tenant: str
    progress: float | None
    accepted: str | None
    held: bool
    why: str
    """Why it is not done; empty for one that is."""

    @property
    def version(self) -> str:
        """Return a text that is another one once the row shows something else."""
        return f"{zlib.crc32(repr(self).encode(errors='replace')):08x}"


Sentences = Callable[[Sequence[Mapping[str, Any]]], Sequence[str]]


def rows_of(records: Sequence[Mapping[str, Any]], labels: Sequence[str], sentences: Sentences) -> list[Row]:
    """Return the rows of records with these labels; `sentences` says why renders are not done."""
    open_ones = [record for record in records if record["state"] not in _QUIET]
    why = dict(zip((one["id"] for one in open_ones), sentences(open_ones) if open_ones else (), strict=True))
    return [_row(record, labels, why.get(record["id"], "")) for record in records]


def _row(record: Mapping[str, Any], labels: Sequence[str], why: str) -> Row:
    metadata = record["metadata"]
    return Row(
        id=record["id"],
        state=record["state"],
        name=record["name"] or record["id"],
        labels=[(name, str(metadata[name])) for name in labels if name in metadata],
        kind=record["kind"],
        account=record["account"],
        tenant=record["tenant"],
        progress=record["progress"],
        accepted=record["times"].get("accepted"),
        held=bool(record.get("held")),
        why=why,
    )
