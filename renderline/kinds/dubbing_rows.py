"""The rows of a dubbing folder: which language each is, and what they say about the render together.

The vendor answers a row for each target language, and names no language (AI Studios v3 contract, dubbing). Which row is
which is decided here alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence


def languages_of(names: Sequence[str | None], targets: Sequence[str]) -> list[str | None]:
    """Return the target language of each row, from the rows' names in the vendor's order; None: nobody can tell.

    A row whose name has the code of one target is in that language, unless another row's name has it too: then it is
    part of the title. The other rows are the other targets in their order, but only if there is a row for each target.
    """
    found = [_codes_in(name or "", targets) for name in names]
    rows_with = Counter(code for codes in found for code in codes)
    own = [{code for code in codes if rows_with[code] == 1} for codes in found]
    languages = [next(iter(codes)) if len(codes) == 1 else None for codes in own]
    if len(names) == len(targets):
        left = iter([code for code in targets if code not in languages])
        languages = [language or next(left) for language in languages]
    return languages


def _codes_in(name: str, targets: Sequence[str]) -> set[str]:
    """Return the targets whose code is a word of the name, in any case, with a hyphen or an underscore."""
    plain = name.lower().replace("_", "-")
    return {code for code in targets if re.search(rf"(?<![a-z0-9]){re.escape(code.lower())}(?![a-z0-9])", plain)}
