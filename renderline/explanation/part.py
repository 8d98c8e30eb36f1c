"""What an explanation consists of."""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    """Why a render is not done yet, or how it ended: whole sentences in English, each of the three may be empty."""

    sentence: str
    """Why it is not done yet, or what it ended with."""
    ends: str = ""
    """What ends the wait, and when."""
    action: str = ""
    """What a person can do, such as a command."""

    @property
    def text(self) -> str:
        """Return all of it as one text."""
        return " ".join(part for part in self if part)
