"""The quota of a tenant: how many renders it may have in flight, and have accepted in 24 hours."""

from __future__ import annotations

from typing import NamedTuple

from renderline.tenants import Tenant

_IN_FLIGHT_RETRY = 30.0
"""Seconds after which a caller may try again, if nobody knows when a render ends."""


class Quota(NamedTuple):
    """The limits of a tenant; None: no limit."""

    in_flight: int | None = None
    """Renders between `accepted` and their end."""
    per_day: int | None = None
    """Renders accepted in the last 24 hours, retries included."""

    @classmethod
    def of(cls, tenant: Tenant) -> Quota:
        """Return the quota in a tenant's policy."""
        return cls(tenant.max_in_flight, tenant.max_per_day)

    def arguments(self) -> tuple[int | str, int | str]:
        """Return the arguments of the scripts."""
        return "" if self.in_flight is None else self.in_flight, "" if self.per_day is None else self.per_day


UNLIMITED = Quota()


class QuotaExceeded(ValueError):
    """A tenant's quota is used up. Nothing was recorded. The message says the limit, what is used, when it frees."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which a repetition may succeed; None if it never can."""

    @classmethod
    def of(cls, answer: str, *, tenant: str) -> QuotaExceeded:
        """Return the error for the answer of a script.

        That has which limit, the limit, what is used, seconds until it frees, and how many were to be accepted.
        """
        name, *figures = answer.split()
        limit, used, wait, wanted = map(int, figures)
        more = "one more" if wanted == 1 else f"{wanted:,} more"
        setting = f"max_{name} of tenant {tenant}"
        what = "renders in flight" if name == "in_flight" else "renders accepted in 24 hours"
        said = f"{setting}: at most {limit:,} {what}, {used:,} are used"
        if wanted > limit:
            return cls(f"{said}; {more} can never be accepted at once: send fewer, or ask for a higher limit")
        if name == "in_flight":
            return cls(f"{said}; there is room for {more} as renders end", retry_after=_IN_FLIGHT_RETRY)
        return cls(f"{said}; there is room for {more} in {_duration(wait)}", retry_after=float(wait))


def _duration(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    hours, minutes = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
