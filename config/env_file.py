"""The file `.env` of the checkout: settings for every process and for the command line. The environment wins."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from config import secret_file
from config.variable import SettingsError

NAME: Final = "RENDERLINE_ENV_FILE"
"""The variable that names another file; empty: none is read."""

DEFAULT: Final = Path(__file__).resolve().parents[1] / ".env"


def path_of(environ: Mapping[str, str]) -> Path | None:
    """Return the file to read; None if there is none, or none is wanted."""
    named = environ.get(NAME)
    if named is None:
        return DEFAULT if DEFAULT.is_file() else None
    return Path(named) if named.strip() else None


def environment(environ: MutableMapping[str, str] = os.environ) -> MutableMapping[str, str]:
    """Return the environment, with the variables of the file that it lacks added to it.

    They are added to the process itself, because libraries (of S3, of TLS) read their own there. Raises
    `SettingsError` if the file cannot be read, or a line is no variable.
    """
    path = path_of(environ)
    if path is None:
        return environ
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise SettingsError(f"{path}: {reason}; correct it, or name another file in {NAME}") from None
    # The text of a line is not shown: it may hold a secret.
    wrong = [one.original.line for one in bindings if one.error or (one.key and one.value is None)]
    if wrong:
        raise SettingsError("\n".join(f"{path} line {line}: must be NAME=value or a comment" for line in wrong))
    # A secret of the environment wins over the file also where only one of the two names it as NAME_FILE.
    given = {name.removesuffix(secret_file.SUFFIX) for name, text in environ.items() if text.strip()}
    for one in bindings:
        if one.key and one.value is not None and one.key.removesuffix(secret_file.SUFFIX) not in given:
            environ[one.key] = one.value
    return environ
