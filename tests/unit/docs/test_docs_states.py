"""The state diagram of the documentation shows the transitions of the code, all of them and no others."""

from __future__ import annotations

import re

from harness import ROOT
from renderline.renders import FINAL, TRANSITIONS, State

EDGE = re.compile(r"^    (\[\*\]|\w+) --> (\[\*\]|\w+)", re.MULTILINE)


def test_the_diagram_has_the_edges_of_the_code() -> None:
    drawn = set(EDGE.findall((ROOT / "docs/guarantees.md").read_text()))
    coded = {(one.value, other.value) for one, onward in TRANSITIONS.items() for other in onward}
    ends = {(state.value, "[*]") for state in FINAL}
    assert drawn == coded | ends | {("[*]", State.ACCEPTED.value)}
