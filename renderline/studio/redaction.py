"""Redaction: keeps tokens, keys and the text of a video out of messages that quote the vendor."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

# Fields of v3 and v2 bodies with spoken or shown text, or with a URL that works as a key.
PRIVATE_FIELDS = frozenset({"org", "script", "text", "textSource", "topic", "scripts", "webhookUrl", "webhook"})
SHORTEST_RUN = 12  # a shorter piece of a secret may be ordinary language
LONGEST_MESSAGE = 300
_EXAMINED = 1200
_TAG = re.compile(r"<[^<>]*>")


def private_texts(body: Any, *, inside: bool = False) -> Iterator[str]:
    """Yield every private text of a request body, with and without its markup."""
    if isinstance(body, str):
        if inside:
            yield body
            if "<" in body:
                yield from (piece.strip() for piece in _TAG.split(body))
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from private_texts(value, inside=name in PRIVATE_FIELDS)
    elif isinstance(body, (list, tuple)):
        for value in body:
            yield from private_texts(value, inside=inside)


def redact(message: str, secrets: Iterable[str]) -> str:
    """Return `message` on one line, shortened, with every piece of a secret replaced by `[...]`.

    A secret shorter than 12 characters is replaced as a whole; of a longer one, every run of 12 is replaced.
    """
    text = " ".join(message[:_EXAMINED].split())
    fold = str.lower if len(text.lower()) == len(text) else str
    folded = fold(text)
    hidden = bytearray(len(text))
    for secret in secrets:
        wanted = fold(" ".join(secret.split()))
        if not wanted:
            continue
        if len(wanted) < SHORTEST_RUN:
            for match in re.finditer(rf"(?<!\w){re.escape(wanted)}(?!\w)", folded):
                hidden[match.start() : match.end()] = b"\1" * len(wanted)
            continue
        for start in range(len(folded) - SHORTEST_RUN + 1):
            if folded[start : start + SHORTEST_RUN] in wanted:
                hidden[start : start + SHORTEST_RUN] = b"\1" * SHORTEST_RUN
    pieces: list[str] = []
    for letter, covered in zip(text, hidden, strict=True):
        if not covered:
            pieces.append(letter)
        elif not pieces or pieces[-1] != "[...]":
            pieces.append("[...]")
    shown = "".join(pieces)
    return shown if len(shown) <= LONGEST_MESSAGE else shown[: LONGEST_MESSAGE - 3] + "..."
