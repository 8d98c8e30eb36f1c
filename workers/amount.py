"""A number with its noun, in the right form."""

from __future__ import annotations


def amount(number: int, noun: str, plural: str = "") -> str:
    """Return such as "1 attempt" or "1,200 attempts"; `plural` is for nouns that take more than an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
