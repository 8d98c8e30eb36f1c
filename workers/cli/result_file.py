"""The file of `submit --results`: a line for each row, with its idempotency key, its render and how that ended.

The file is always whole: it is written beside its place, synced to the disk, and renamed. It is locked as long as a
command has it, so that no two send the same rows.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from renderline.renders import State
from workers.cli import rows
from workers.cli.errors import CommandError, ExitCode, plain

Record = Mapping[str, Any]

UNKNOWN = "unknown"
"""The state of a row that was sent, but whose render the ledger does not know (any more)."""

_MADE = "auto:"
"""How the keys begin that the file itself gives to rows without any."""

_SHARE = 20
"""The file is written for at most the twentieth part of the time."""


@dataclass
class Line:
    """What is known of one row. `state` is empty until its render is known to be accepted."""

    row: str
    key: str
    id: str
    state: str = ""
    url: str = ""
    stored_url: str = ""
    error_code: str = ""
    message: str = ""
    credit: str = ""
    at: str = ""
    """When it was planned to be sent, and later when it changed: ISO 8601 in UTC."""
    request: str = ""
    """A digest of the request that was sent."""

    def take(self, record: Record) -> None:
        """Take in the record of its render."""
        error = record["error"] or {}
        hook = next((hook["error"] for hook in record["hooks"] if hook["error"]), "")
        message = error.get("message") or (hook if record["state"] == State.UNDELIVERED else "")
        found = (record["state"], record["download_url"], record["stored_url"], error.get("code"), message)
        new = ["" if one is None else plain(one) for one in (*found, record["credit"])]
        if new != [self.state, self.url, self.stored_url, self.error_code, self.message, self.credit]:
            self.state, self.url, self.stored_url, self.error_code, self.message, self.credit = new
            self.at = now()

    @property
    def made_key(self) -> bool:
        """Whether the file gave it its key."""
        return self.key.startswith(_MADE)

    @property
    def age(self) -> float:
        """Return the seconds since it was written, without end if nobody can say."""
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(self.at)).total_seconds()
        except (ValueError, TypeError):
            return float("inf")


COLUMNS = tuple(field.name for field in fields(Line))


def now() -> str:
    """Return the present time in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class ResultFile:
    """The lines of a file, in its order. Opening it makes it if there is none, and locks it until it is closed."""

    def __init__(self, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = path
        self._path = os.path.realpath(path)
        self._clock = clock
        self._saved_at, self._took, self._dirty = clock(), 0.0, False
        try:
            self._locked = _locked(self._path, path)
        except OSError as error:
            raise CommandError(f"--results {path}: {error.strerror}", ExitCode.REFUSED) from None
        self.lines = self._read()
        self._by_id: dict[str, list[Line]] = {}
        for line in self.lines:
            self._by_id.setdefault(line.id, []).append(line)
        self._batch = next((line.key.split(":")[1] for line in self.lines if line.made_key), uuid.uuid4().hex)

    def made_key(self, row: str, digest: str) -> str:
        """Return the key of a row that has none of its own: another for each file and request, and always the same."""
        return f"{_MADE}{self._batch}:{row}:{digest[:8]}"

    def add(self, line: Line) -> None:
        """Add a line at the end."""
        self.lines.append(line)
        self._by_id.setdefault(line.id, []).append(line)
        self._dirty = True

    def take(self, records: Iterable[Record]) -> None:
        """Take in the records of some renders, and write the file if it was not written lately."""
        for record in records:
            for line in self._by_id.get(record["id"], ()):
                line.take(record)
                self._dirty = True
        if self._dirty and self._clock() - self._saved_at >= max(1.0, _SHARE * self._took):
            self.save()

    def save(self) -> None:
        """Write the file; after a return it is on the disk."""
        began = self._clock()
        beside = os.path.join(os.path.dirname(self._path), f".{os.path.basename(self._path)}.new")
        try:
            new = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            with open(new, "wb", closefd=False) as file:
                fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.fchmod(new, stat.S_IMODE(os.fstat(self._locked).st_mode))
                file.write(self._content())
                file.flush()
                os.fsync(new)
            os.replace(beside, self._path)
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            why = f"{self.name} cannot be written: {error.strerror}"
            raise CommandError(f"{why}; what was sent goes on; the same command goes on with it") from None
        os.close(self._locked)
        self._locked = new
        self._saved_at, self._dirty = self._clock(), False
        self._took = self._saved_at - began

    def _content(self) -> bytes:
        lines = [asdict(line) for line in self.lines]
        if self._path.endswith(_JSON_LINES):
            return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        return rows.table(COLUMNS, *(list(line.values()) for line in lines)).encode()

    def _read(self) -> list[Line]:
        with open(self._locked, "rb", closefd=False) as file:
            raw = file.read()
        if not raw:
            return []
        try:
            found = rows.rows(self.name, raw) if raw.strip() != ",".join(COLUMNS).encode() else []
        except rows.Unreadable as fault:
            raise CommandError(fault.lines, ExitCode.REFUSED) from None
        lines = []
        for row in found:
            if not set(COLUMNS) <= row.values.keys():
                missing = ", ".join(name for name in COLUMNS if name not in row.values)
                wrong = f"{row.place}: is not a result file of renderline (no {missing}); it stays as it is"
                raise CommandError(wrong, ExitCode.REFUSED)
            lines.append(Line(**{name: str(row.values[name]) for name in COLUMNS}))
        return lines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._locked)


_JSON_LINES = (".jsonl", ".ndjson")


def _locked(path: str, name: str) -> int:
    """Return the opened file, locked for this process; raises OSError, or CommandError if another one has it."""
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise CommandError(f"--results {name}: is not a file", ExitCode.REFUSED)
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The command that had it may have put another file in its place.
            if os.path.samestat(os.fstat(opened), os.stat(path)):
                return opened
        except BlockingIOError:
            os.close(opened)
            raise CommandError(f"--results {name}: another renderline is at work on it", ExitCode.REFUSED) from None
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def _sync_folder(folder: str) -> None:
    # Otherwise a power failure may undo the renaming.
    opened = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
