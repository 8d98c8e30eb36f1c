"""Finds the row that a wrong id was meant to be, if there is one that is really alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from renderline.catalogue.snapshot import label_of


def meant(wrong: str, rows: Iterable[Mapping[str, Any]], key: str) -> str | None:
    """Return the id of the one row that has this text as its label, or an id one typing error away; else None.

    Ids are numbers in a row: of two that are as near, neither was more likely meant.
    """
    folded = wrong.casefold()
    near = []
    for row in rows:
        found = str(row.get(key, ""))
        if found.casefold() == folded or label_of(row).casefold() == folded or one_error(folded, found.casefold()):
            near.append(found)
            if len(near) > 1:
                return None
    return near[0] if near else None


def one_error(one: str, other: str) -> bool:
    """Return whether two texts differ in one character that is wrong, missing or too much, or in two exchanged ones.

    With another digit it is another number, not a typing error.
    """
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 4:
        return False
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    end = 0
    while end < min(len(one), len(other)) - begin and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[begin : len(one) - end], other[begin : len(other) - end]
    if left.isdigit() and right.isdigit() and len(left) == 1:
        return False
    return max(len(left), len(right)) <= 1 or (len(left) == 2 and left == right[::-1])
