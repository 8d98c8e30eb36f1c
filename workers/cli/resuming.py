"""What `submit --results` does with each row: send it, wait for it, try it again, or leave it, as the file says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from renderline.contract import render_id_for_key
from renderline.renders import FINAL, State
from renderline.tenants import COMMAND_LINE, DEFAULT
from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.orders import Order, shortened
from workers.cli.result_file import UNKNOWN, Line, ResultFile, now
from workers.cli.session import Session

_RETRIED = (State.FAILED, State.EXPIRED)
_AT_ONCE = 500


@dataclass
class Plan:
    """What is to be done with the rows of a table. `lines` are those of the rows, in their order, one for each key."""

    lines: list[Line] = field(default_factory=list)
    send: list[Order] = field(default_factory=list)
    """Requests whose renders the ledger has not seen, each with its key."""
    failed: list[Line] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Return the render of each row, once."""
        return [line.id for line in self.lines]

    @property
    def waiting(self) -> list[str]:
        """Return the renders that were sent and have not ended as far as the file knows."""
        ended = (*FINAL, UNKNOWN)
        return [line.id for line in self.lines if line.state not in ended]


def planned(session: Session, file: ResultFile, orders: Sequence[Order]) -> Plan:
    """Compare rows, file and ledger, and write the file with the id of every row before anything is sent.

    Raises CommandError if a row is another one than that which was sent.
    """
    plan = Plan()
    pairs = _paired(file, orders)
    plan.lines = [line for line, _, _ in pairs]
    _look_up(session, file, [line for line, _, new in pairs if not new and line.state != State.DELIVERED])
    retention = session.settings.retention
    for line, order, new in pairs:
        if not line.state and not new and line.age >= retention:
            line.state = UNKNOWN
        if not line.state:
            plan.send.append(replace(order, key=line.key))
    plan.failed = [line for line in plan.lines if line.state in _RETRIED]
    file.save()
    return plan


def _paired(file: ResultFile, orders: Sequence[Order]) -> list[tuple[Line, Order, bool]]:
    """Return the line of each row, its request, and whether the line is new. Rows of one key have one line."""
    by_key = {line.key: line for line in file.lines if not line.made_key}
    by_row = {line.row: line for line in file.lines}
    _refuse_other_keys(file, keyed=any(order.key is not None for order in orders), was_keyed=bool(by_key))
    pairs: dict[str, tuple[Line, Order, bool]] = {}
    wrong = []
    for order in orders:
        row, request = str(order.number), digest(order)
        line = by_key.get(order.key) if order.key is not None else by_row.get(row)
        new = line is None
        if line is None:
            key = order.key if order.key is not None else file.made_key(row, request)
            line = by_key[key] = Line(row, key, _id(key, order), at=now(), request=request)
            file.add(line)
        if line.request != request:
            remedy = f"take its line out of {file.name}" if line.made_key else "give it a key of its own"
            what = f"is another request than the one of render {line.id}, which it was before"
            wrong.append(f"{order.place}: {what}; to send it too, {remedy}")
        elif line.id != _id(line.key, order):
            wrong.append(f"{file.name}: row {line.row}: key and id do not belong together: somebody changed its line")
        elif line.id not in pairs:
            line.row = row
            pairs[line.id] = (line, order, new)
    if wrong:
        raise CommandError(shortened(wrong), ExitCode.REFUSED)
    return list(pairs.values())


def _id(key: str, order: Order) -> str:
    return render_id_for_key(key, order.request.get("tenant") or DEFAULT)


def _refuse_other_keys(file: ResultFile, *, keyed: bool, was_keyed: bool) -> None:
    if not file.lines or keyed == was_keyed:
        return
    how = "with the keys of a column: give the same --key-from" if was_keyed else "without --key-from: leave it out"
    raise CommandError(f"{file.name} was written {how}", ExitCode.REFUSED)


def digest(order: Order) -> str:
    """Return a short digest of a request, for comparison."""
    text = json.dumps(order.request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _look_up(session: Session, file: ResultFile, lines: Sequence[Line]) -> None:
    """Bring the lines up to date with the ledger."""
    ids = [line.id for line in lines]
    known: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        records = [record for record in session.ledger.records(ids[start : start + _AT_ONCE]) if record]
        known.update(record["id"] for record in records)
        file.take(records)
    for line in lines:
        # One that was seen and is gone may have been paid for: it is not sent again.
        if line.id not in known and line.state and line.state not in FINAL:
            line.state = UNKNOWN


def retry(session: Session, lines: Sequence[Line]) -> None:
    """Start the failed renders of these lines anew; standard error names those that cannot be."""
    from renderline.ledger import QuotaExceeded
    from renderline.operations import NewerRecord, RenderNotFound, WrongState

    for line in lines:
        try:
            line.state = session.operations.retry(line.id, actor=COMMAND_LINE)["state"]
        except RenderNotFound:
            print_error(f"row {line.row}: render {line.id} is no longer kept, so it cannot be retried")
        except (WrongState, NewerRecord, QuotaExceeded) as error:
            print_error(f"row {line.row}: render {line.id} is not retried: {error}")


def warn(file: ResultFile, plan: Plan, *, retried: bool, write: Callable[[str], None] = print_error) -> None:
    """Say what was left as it is, and what can be done."""
    from renderline.explanation.wording import counted

    done = sum(line.state == State.DELIVERED for line in plan.lines)
    if done:
        write(f"{done} of {len(plan.lines)} rows were delivered before, as {file.name} says")
    if plan.failed and not retried:
        them = "it" if len(plan.failed) == 1 else "them"
        write(f"{counted(len(plan.failed), 'row')} failed before: --retry-failed tries {them} again")
    if unknown := [line for line in plan.lines if line.state == UNKNOWN]:
        rows = ", ".join(line.row for line in unknown[:10]) + (" ..." if len(unknown) > 10 else "")
        write(
            f"{counted(len(unknown), 'row was', 'rows were')} sent, but no render of theirs is known here (any more): "
            f"{rows}; to send them again, take their lines out of {file.name}"
        )
