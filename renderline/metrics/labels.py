"""Values of labels that others choose: cleaned, and few, because each value is a series that Prometheus keeps."""

from __future__ import annotations

import threading

OTHER = "other"
"""The value of all that have no place of their own."""
_LONGEST = 100


def clean(text: object) -> str:
    """Return a text as the value of a label: printable ASCII, at most 100 characters."""
    found = "".join(one if " " <= one <= "~" else "?" for one in str(text)[:_LONGEST])
    return found or OTHER


class LabelValues:
    """The values of one label: the first `most` that come; every later one counts as `other`. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, str] = {}
        self._adding = threading.Lock()

    def of(self, text: object) -> str:
        """Return the value for a text."""
        raw = str(text)[:_LONGEST]
        known = self._known.get(raw)
        if known is not None:
            return known
        with self._adding:
            if len(self._known) >= self._most:
                return OTHER
            return self._known.setdefault(raw, clean(raw))
