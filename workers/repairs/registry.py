"""All repairs, and the check which of them fit the installed versions of kombu and Celery."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata

from celery.utils.imports import symbol_by_name
from packaging.specifiers import SpecifierSet

from workers.repairs import (
    ack_batching,
    address,
    canary,
    closed_connection,
    event_batching,
    failover,
    outcome_events,
    quarantine,
    queue_order,
    redaction,
    remote_control,
    requeue,
    restoring,
    server_clock,
    shared_client,
    task_eta,
)
from workers.repairs.repair import Repair

REPAIRS: tuple[Repair, ...] = (
    quarantine.REPAIR,
    failover.REPAIR,
    address.REPAIR,
    closed_connection.REPAIR,
    queue_order.REPAIR,
    ack_batching.REPAIR,
    # Before the server's clock: it decides whether to restore at all.
    restoring.REPAIR,
    server_clock.REPAIR,
    requeue.REPAIR,
    shared_client.REPAIR,
    event_batching.REPAIR,
    redaction.REPAIR,
    outcome_events.REPAIR,
    remote_control.REPAIR,
    task_eta.REPAIR,
    canary.REPAIR,
)
"""In the order in which their classes are mixed: the first one's methods are called first."""

PROMISES = tuple(repair for repair in REPAIRS if repair.promise)
TIME_SAVERS = tuple(repair for repair in REPAIRS if not repair.promise)


@dataclass(frozen=True)
class Selection:
    """The repairs to use, and those that do not fit the installed libraries, each with the reason."""

    repairs: tuple[Repair, ...]
    unfit: tuple[tuple[Repair, str], ...] = ()

    def refusal(self) -> str | None:
        """Return why a worker must not start with this selection; None if every promise can be kept."""
        broken = [(repair, why) for repair, why in self.unfit if repair.promise]
        if not broken:
            return None
        reasons = "; ".join(dict.fromkeys(why for _, why in broken))
        promises = "; ".join(repair.promise for repair, _ in broken)
        return (
            f"{reasons}. Renderline cannot keep these promises with it: {promises}. "
            "Install the versions of requirements.txt (make install)"
        )

    def warning(self) -> str | None:
        """Return which time savers are off and why; None if all are on."""
        off = [f"{repair.name} ({why})" for repair, why in self.unfit if not repair.promise]
        return ", ".join(off) or None


def select(
    repairs: Iterable[Repair] = REPAIRS, *, installed_version: Callable[[str], str] = metadata.version
) -> Selection:
    """Return those of `repairs` that fit the installed versions and find every name that they use."""
    fit, unfit = [], []
    # Each look reads the folders of all packages.
    version_of = functools.cache(installed_version)
    for repair in repairs:
        if why := _unfit(repair, version_of):
            unfit.append((repair, why))
        else:
            fit.append(repair)
    return Selection(tuple(fit), tuple(unfit))


def _unfit(repair: Repair, installed_version: Callable[[str], str]) -> str | None:
    for name, wanted in repair.needs.items():
        version = installed_version(name)
        if not SpecifierSet(wanted).contains(version, prereleases=True):
            return f"{name} {version} is installed, {name}{wanted} is needed"
    missing = [name for name in repair.touches if not _exists(name)]
    return f"{', '.join(missing)} does not exist in the installed version" if missing else None


def _exists(path: str) -> bool:
    owner, _, name = path.rpartition(".")
    try:
        return hasattr(symbol_by_name(owner), name)
    except (AttributeError, ImportError):
        return False
