"""The languages of a dubbed video (AI Studios v3 contract, dubbing), and what a wrong code most likely means."""

from __future__ import annotations

import difflib
from typing import Any, Final

from renderline.validation.validators import OneOf

LANGUAGES: Final = (
    *("en-US", "hi-IN", "pt-PT", "zh-CN", "es-ES", "fr-FR", "de-DE", "ja-JP", "ar-SA", "ru-RU"),
    *("ko-KR", "id-ID", "it-IT", "nl-NL", "tr-TR", "pl-PL", "sv-SE", "fil-PH", "ms-MY", "ro-RO"),
    *("uk-UA", "el-GR", "cs-CZ", "da-DK", "fi-FI", "bg-BG", "hr-HR", "sk-SK", "ta-IN", "vi-VN"),
)
"""The languages that a video can be dubbed into."""

AUTO: Final = "auto"
"""The source language that the vendor finds out by itself."""


def likely_code(value: str) -> str | None:
    """Return the code that a wrong one most likely means: by language, by country, or by its letters."""
    given = value[:32].strip().lower().replace("_", "-")
    language, _, country = given.partition("-")
    for known in LANGUAGES:
        if known.lower() == given:
            return known
    for part, wanted in ((0, language), (1, country), (1, language)):
        found = [known for known in LANGUAGES if wanted and known.lower().split("-")[part] == wanted]
        if len(found) == 1:
            return found[0]
    return next(iter(difflib.get_close_matches(given, LANGUAGES, n=1, cutoff=0.7)), None)


class LanguageCode(OneOf):
    """One of the vendor's codes; an error names the one that was most likely meant."""

    def __init__(self, *others: str) -> None:
        super().__init__((*others, *LANGUAGES))

    def _format_error(self, value: Any) -> str:
        likely = likely_code(value) if isinstance(value, str) else None
        text: str = super()._format_error(value)
        return f"{text}; did you mean '{likely}'?" if likely else text
