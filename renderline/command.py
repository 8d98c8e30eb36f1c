"""The console script `renderline`: finds its checkout or container and runs the command line there.

The wheel ships only the package `renderline`; the command line is part of the application. Standard library only, so
that it works in any environment.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import NoReturn

_APPLICATION = ("config/settings.py", "tasks/publisher.py", "workers/application.py", "workers/cli/program.py")
_ALONE = (
    "renderline: the command line runs from a Renderline checkout or container; "
    "this installation has the producer module alone"
)


def application() -> Path | None:
    """Return the folder of the application that this package is part of, None if it was installed from the wheel."""
    root = Path(__file__).resolve().parent.parent
    # Next to an installed package, packages of these names are not ours.
    if any(root.glob("renderline-*.dist-info")):
        return None
    return root if all((root / part).is_file() for part in _APPLICATION) else None


def main() -> NoReturn:
    """Run the command line and leave the process with its exit code; 2 if there is none here."""
    root = application()
    if root is None:
        print(_ALONE, file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, str(root))
    # Located before it is imported: an editable installation may put another one first on sys.path.
    found = importlib.util.find_spec("workers")
    origin = found.origin if found and found.origin else ""
    if not Path(origin).resolve().is_relative_to(root):
        print(f"renderline: another package called workers hides this one: {origin}", file=sys.stderr)
        sys.exit(2)
    try:
        program = importlib.import_module("workers.cli")
    except ModuleNotFoundError as missing:
        print(f"renderline: {missing.name} is not installed here: run make install in {root}", file=sys.stderr)
        sys.exit(2)
    program.main()
    sys.exit(0)


if __name__ == "__main__":
    main()
