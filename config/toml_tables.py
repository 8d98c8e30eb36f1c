"""Reads the tables of a TOML settings file: `[[account]]`, `[[tenant]]`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import marshmallow as ma


def read_tables(path: str, name: str) -> list[dict[str, Any]]:
    """Return the `[[name]]` tables of the file at `path`; raises ValidationError if it holds anything else."""
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise ma.ValidationError(str(reason)) from None
    except (ValueError, RecursionError) as problem:
        # A number of too many digits, or tables nested too deep, are no TOMLDecodeError.
        raise ma.ValidationError(f"not TOML: {problem}") from None
    tables = found.get(name)
    if set(found) != {name} or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ma.ValidationError(f"it must hold [[{name}]] tables and nothing else")
    return tables
