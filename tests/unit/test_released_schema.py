"""What processes of the last release rely on stays: they run beside those of this version during an upgrade."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from harness import ROOT
from harness.released_schema import SNAPSHOT, present, problems
from renderline.ledger.schema import VERSION, mismatch

RELEASED = json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_this_version_runs_beside_the_last_release() -> None:
    assert problems(RELEASED, present()) == [], "see docs/upgrading.md#for-developers"


def test_the_snapshot_holds_what_there_is() -> None:
    assert {"state", "fence", "h:until", "schema"} <= set(RELEASED["record fields"])
    assert len(RELEASED["record fields"]) > 70
    assert len(RELEASED["keys"]) > 40
    assert RELEASED["states"]["accepted"] == ["canceled", "failed", "submitting"]
    assert "renderline.submit" in RELEASED["task arguments"]


def gone(group: str, name: str) -> Callable[[dict[str, Any]], object]:
    def change(now: dict[str, Any]) -> None:
        names = now[group]
        names.remove(name) if isinstance(names, list) else names.pop(name)

    return change


CHANGES: tuple[tuple[Callable[[dict[str, Any]], object], str], ...] = (
    (gone("record fields", "fence"), "record fields: fence is gone"),
    (gone("fields of the public record", "progress"), "fields of the public record: progress is gone"),
    (gone("keys", "due"), "keys: due is gone"),
    (gone("states", "unconfirmed"), "states: unconfirmed is gone"),
    (gone("kinds", "audio"), "kinds: audio is gone"),
    (gone("settings", "RENDERLINE_LEASE"), "settings: RENDERLINE_LEASE is gone"),
    (gone("queues", "hooks"), "queues: hooks is gone"),
    (lambda now: now["keys"].update(due="due2:"), "keys: due was due: and is due2:"),
    (lambda now: now["task arguments"]["renderline.hook"].append("tint"), "raise MESSAGE_VERSION"),
    (lambda now: now["kinds"].update(tinted=0), f"tinted is new.*level={RELEASED['level'] + 1}"),
    (lambda now: now["kinds"].update(tinted=99), "level 99 is above LEVEL"),
    (lambda now: now["states"].update(tinting=[]), "tinting is new.*raise LEVEL"),
)


@pytest.mark.parametrize(("change", "why"), CHANGES, ids=[why for _, why in CHANGES])
def test_a_change_that_is_not_additive_is_found(change: Callable[[dict[str, Any]], object], why: str) -> None:
    now = copy.deepcopy(RELEASED)
    assert problems(RELEASED, now) == []
    change(now)
    (found,) = problems(RELEASED, now)
    assert re.search(why, found)
    now["schema"] += 1
    assert problems(RELEASED, now) == []


def test_additions_are_free() -> None:
    now = copy.deepcopy(RELEASED)
    now["record fields"].append("tint")
    now["keys"]["tints"] = "tints"
    now["settings"].append("RENDERLINE_TINT")
    now["level"] += 1
    now["kinds"]["tinted"] = now["level"]
    now["states"]["tinting"] = ["submitting"]
    assert problems(RELEASED, now) == []


def test_the_page_shows_what_a_process_says_that_finds_another_schema() -> None:
    page = (ROOT / "docs/upgrading.md").read_text(encoding="utf-8")
    assert f"\n{mismatch(str(VERSION - 1))}\n{mismatch(str(VERSION + 1))}\n" in page
