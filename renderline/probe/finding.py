"""What a probe has found about one assumption."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Verdict = Literal["holds", "differs", "unknown"]
NOTHING: Final = "none"


@dataclass(frozen=True)
class Finding:
    """An assumption of docs/vendor.md, and what the account shows of it."""

    id: str
    """A short name that stays, for scripts."""
    assumption: str
    verdict: Verdict
    found: str
    setting: str = NOTHING
    """What follows for the settings; `none`."""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
