"""`python -m renderline.metrics` writes the tables of docs/metrics.md anew."""

from __future__ import annotations

import sys
from pathlib import Path

from renderline.metrics.tables import with_tables


def main() -> None:
    """Rewrite the page that is named, docs/metrics.md by default."""
    page = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/metrics.md")
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
