"""The rows of a dubbing folder: which language each is, and what they say about the render together.

The vendor answers a row for each target language, and names no language (AI Studios v3 contract, dubbing). Which row is
which is decided here alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from renderline.studio import FAILED_STATES, DubbedVideo, Output, Progress

_MOST_ROWS: Final = 20
"""Rows that are outputs: twice the languages that a dubbing may have. The record keeps them all."""
_UNDER_WAY: Final = 99.0
"""The most progress that a render shows while one of its languages is under way."""


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


def folder_progress(rows: Sequence[DubbedVideo], targets: Sequence[str]) -> Progress:
    """Return how far a dubbing is: finished when every language is, failed only if every one is.

    Its own URL is that of the first language in the order of the `targets` that has a video.
    """
    outputs = _outputs(rows, targets)
    progress = sum(100.0 if one.done else one.progress for one in outputs) / max(1, len(outputs))
    if not outputs or not all(one.done for one in outputs):
        return Progress(min(progress, _UNDER_WAY), outputs=outputs)
    first = next((one.download_url for one in outputs if not one.failed), None)
    if first is None:
        errors = {f"{one.language or one.project_id}: {one.error}" for one in outputs}
        message = f"no language could be dubbed; {'; '.join(sorted(errors))}"
        return Progress(0.0, state="failed", error_message=message, outputs=outputs)
    return Progress(100.0, first, outputs=outputs)


def _outputs(rows: Sequence[DubbedVideo], targets: Sequence[str]) -> tuple[Output, ...]:
    """Return an output for each row, and for each target without a row, in the order of the targets."""
    rows = list({row.project_id: row for row in rows}.values())[:_MOST_ROWS]
    languages = languages_of([row.name for row in rows], targets)
    outputs = [_output(row, language) for row, language in zip(rows, languages, strict=True)]
    missing = [code for code in targets if code not in languages][: max(0, len(targets) - len(rows))]
    # A row whose language is unknown may be any of the languages without one.
    sure = None not in languages
    outputs += [Output(code if sure else None) for code in missing]
    order = {code: at for at, code in enumerate(targets)}
    return tuple(sorted(outputs, key=lambda one: order.get(one.language or "", len(order))))


def _output(row: DubbedVideo, language: str | None) -> Output:
    failed = (row.state or "").lower() in FAILED_STATES
    return Output(
        language,
        row.project_id,
        row.progress,
        row.download_url,
        failed=failed,
        error=f"the vendor reports state {row.state!r} at {row.progress:g} %" if failed else None,
    )


def _codes_in(name: str, targets: Sequence[str]) -> set[str]:
    """Return the targets whose code is a word of the name, in any case, with a hyphen or an underscore."""
    plain = name.lower().replace("_", "-")
    return {code for code in targets if re.search(rf"(?<![a-z0-9]){re.escape(code.lower())}(?![a-z0-9])", plain)}
