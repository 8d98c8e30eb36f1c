"""The vendor's pages leave open how it answers: each way that the sandbox knows ends in the same files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from standardwebhooks import Webhook

from harness import HOOK_SECRET, ROOT
from tests.acceptance.conftest import System

TEMPLATE = "65fa6b07dca2e367461a2925"
SPOKEN = {"language": "en", "text": "Hello.", "model": "M000045058", "clothes": "BG00002320"}
WAYS = [
    ("--urls", "project", "--link-seconds", "5", "--v2-answers", "top", "--failures", "200"),
    ("--words", "complete", "--edits", "new", "--v2-answers", "data", "--lists", "named"),
]


def requests_of(system: System) -> dict[str, dict[str, Any]]:
    """A request of each form of answer: created, edited, from a template, generated, and of v2."""
    edit = {"sceneIdx": 0, "type": "aiModel", "values": {"script": "Other words."}}
    return {
        "project": system.request(),
        # The project list shows no draft, so the one whose answer is lost stays, and costs nothing.
        "lost draft": system.request("[sandbox:drop@draft] Hello."),
        "edit": {"kind": "edit", "project_id": draft(system), "updates": {"value": [edit]}},
        "template": {"kind": "template", "template_id": TEMPLATE},
        "topic_video": {"kind": "topic_video", "topic": "Bees"},
        "v2_project": {
            "kind": "v2_project",
            "payload": json.loads((ROOT / "examples/v2-seed-minimal.json").read_text()),
        },
        "v2_simple_video": {"kind": "v2_simple_video", **SPOKEN},
    }


def draft(system: System) -> str:
    """A project of the system's account, made from a template and not rendered."""
    hooks = [{"type": "http", "url": system.hook_endpoint.url}]
    render = system.enqueue({"kind": "template", "template_id": TEMPLATE, "export": False, "hooks": hooks})
    return str(delivered(system, {render})[render]["project_id"])


def delivered(system: System, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The records of verified deliveries, by render id."""
    found: dict[str, dict[str, Any]] = {}
    while set(found) < wanted:
        headers, raw = system.hook_endpoint.take(60)
        record = Webhook(HOOK_SECRET).verify(raw, headers)["data"]
        found[record["id"]] = record
    return found


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_every_way_of_answering_ends_in_files(start_system: Callable[..., System], way: tuple[str, ...]) -> None:
    system = start_system("--render-seconds", "0.5", *way, workers=1)
    wanted = requests_of(system)
    hooks = system.request()["hooks"]
    ids = {name: system.enqueue({**request, "hooks": hooks}) for name, request in wanted.items()}
    records = delivered(system, set(ids.values()))
    for name, render in ids.items():
        record = records[render]
        assert (record["state"], record["progress"], record["error"]) == ("completed", 100, None), name
        assert Path(unquote(urlsplit(record["stored_url"]).path)).read_bytes()[4:8] == b"ftyp", name
    started = system.sandbox.control("GET", "charges")["started"]
    assert started == {"export": len(wanted), "generation": 1, "dubbing": 0, "audio": 0}
    exported = [one for one in system.sandbox.projects() if one["exports"]]
    assert [one["exports"] for one in exported] == [1] * len(wanted)
