"""The result of one run of the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CommandResult:
    """Exit code, standard output and standard error of one run."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Return the one JSON value on standard output; there must be nothing else."""
        return json.loads(self.out)
