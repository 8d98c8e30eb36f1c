"""Redaction: keeps tokens, keys and the text of a video out of messages that quote the vendor.

The work grows with the length of the secrets plus that of the message, never with their product: a script may have
megabytes, and the message may have been written to make the search slow.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from renderline.studio.spellings import Form, forms, undone

# Fields of v3 and v2 bodies with spoken or shown text, or with a URL that works as a key.
PRIVATE_FIELDS = frozenset({"org", "script", "text", "textSource", "topic", "scripts", "webhookUrl", "webhook"})
SHORTEST_RUN = 12  # a shorter piece of a secret may be ordinary language
LONGEST_MESSAGE = 300
_EXAMINED = 1200
_BLOCK = SHORTEST_RUN // 2
_TAG = re.compile(r"<[^<>]*>")


def private_texts(body: Any, *, inside: bool = False) -> Iterator[str]:
    """Yield every private text of a request body, with and without its markup."""
    if isinstance(body, str):
        if inside:
            yield body
            if "<" in body:
                yield from (piece.strip() for piece in _TAG.split(body))
                yield _TAG.sub("", body)
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from private_texts(value, inside=name in PRIVATE_FIELDS)
    elif isinstance(body, (list, tuple)):
        for value in body:
            yield from private_texts(value, inside=inside)


def redact(message: str, secrets: Iterable[str]) -> str:
    """Return `message` on one line, shortened, with every piece of a secret replaced by `[...]`.

    A secret shorter than 12 characters is replaced as a whole; of a longer one, every run of 12 is replaced. A piece is
    found in any case, and also if the message quotes it as JSON, in a URL, as HTML or as Python's repr. Characters that
    cannot be printed become U+FFFD.
    """
    text = " ".join(message[:_EXAMINED].split())
    hidden = bytearray(len(text))
    read = forms(text)
    runs, short = _Runs(read), set()
    for secret in secrets:
        for wanted in _comparable(secret):
            if len(wanted) >= SHORTEST_RUN:
                runs.find(wanted, hidden)
            elif wanted:
                short.add(wanted)
    if short:
        _find_short(read, short, hidden)
    if len(message) > _EXAMINED and (short or runs.asked):
        # A secret may begin here and be cut off.
        hidden[-SHORTEST_RUN:] = b"\1" * len(hidden[-SHORTEST_RUN:])
    pieces: list[str] = []
    for letter, covered in zip(text, hidden, strict=True):
        if not covered:
            pieces.append(letter if letter.isprintable() else "\ufffd")
        elif not pieces or pieces[-1] != "[...]":
            pieces.append("[...]")
    shown = "".join(pieces)
    return shown if len(shown) <= LONGEST_MESSAGE else shown[: LONGEST_MESSAGE - 3] + "..."


def fold(text: str) -> str:
    """Return the text for a comparison that ignores case, each character in its place."""
    return text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")


def _comparable(secret: str) -> Iterator[str]:
    """Yield the secret on one line, and again with what looks like an escape undone, as the message's forms have it."""
    line = fold(" ".join(secret.split()))
    yield line
    if any(sign in line for sign in "\\%&"):
        yield fold(" ".join(undone(secret).split()))


class _Runs:
    """The runs of 12 characters of a message in all its forms, each with the parts of the message that it covers.

    A secret is looked through in blocks of six: a run of twelve contains one whole block at a multiple of six. What was
    found is forgotten, so each part of the message is hidden once.
    """

    def __init__(self, read: Iterable[Form]) -> None:
        self.asked = False
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._blocks: set[str] = set()
        for form in read:
            text = fold(form.text)
            for at in range(len(text) - SHORTEST_RUN + 1):
                run = text[at : at + SHORTEST_RUN]
                self._places.setdefault(run, []).append((form.starts[at], form.ends[at + SHORTEST_RUN - 1]))
            self._blocks.update(text[at : at + _BLOCK] for at in range(len(text) - _BLOCK + 1))

    def find(self, secret: str, hidden: bytearray) -> None:
        """Mark in `hidden` every run that the secret has too."""
        self.asked = True
        for block in range(0, len(secret) - _BLOCK + 1, _BLOCK):
            if secret[block : block + _BLOCK] not in self._blocks:
                continue
            for at in range(max(0, block - _BLOCK + 1), block + 1):
                for start, end in self._places.pop(secret[at : at + SHORTEST_RUN], ()):
                    hidden[start:end] = b"\1" * (end - start)


def _find_short(read: Iterable[Form], wanted: set[str], hidden: bytearray) -> None:
    """Mark the whole words that are one of the short secrets."""
    for form in read:
        text = fold(form.text)
        inside = [letter.isalnum() or letter == "_" for letter in text] + [False]
        for start in range(len(text)):
            if start and inside[start - 1]:
                continue
            for end in range(start + 1, min(start + SHORTEST_RUN, len(text) + 1)):
                if not inside[end] and text[start:end] in wanted:
                    first, last = form.starts[start], form.ends[end - 1]
                    hidden[first:last] = b"\1" * (last - first)
