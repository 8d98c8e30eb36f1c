"""A copy of this checkout from the future: a later version with additions that this one does not know.

It has a later version number, a new setting, a new message header and message version, and the next level of records: a
kind `tinted`, whose renders pass through a state `tinting` and have a field `tint`. Each edit must find its place.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from harness.samples import ROOT
from renderline.ledger.schema import LEVEL

VERSION: Final = "99.0.0"
KIND: Final = "tinted"
MESSAGE_VERSION: Final = 2
_PARTS: Final = ("config", "renderline", "tasks", "workers")

_KIND: Final = f'''"""Kind `{KIND}`: a project that passes through the state `tinting`."""

from dataclasses import replace

from renderline.kinds import project

KIND = replace(project.KIND, name="{KIND}", level={LEVEL + 1}, matches=lambda body: False)
'''

_EDITS: Final = (
    ("pyproject.toml", r'(?m)^version = ".*"$', f'version = "{VERSION}"'),
    ("renderline/ledger/schema.py", rf"(?m)^LEVEL = {LEVEL}$", f"LEVEL = {LEVEL + 1}"),
    ("renderline/contract.py", r"MESSAGE_VERSION: Final = 1\n", f"MESSAGE_VERSION: Final = {MESSAGE_VERSION}\n"),
    (
        "config/settings.py",
        r"(?m)^    settings_version: ",
        '    tint: str | None = variable("RENDERLINE_TINT", parsers.text, "a colour")\n\n    settings_version: ',
    ),
    (
        "tasks/publisher.py",
        r"args=args, ignore_result=True,",
        'args=args, headers={"renderline_tint": "blue"}, ignore_result=True,',
    ),
    (
        "renderline/renders.py",
        r'    SUBMITTING = "submitting"',
        '    TINTING = "tinting"\n    """Between acceptance and submission."""\n    SUBMITTING = "submitting"',
    ),
    (
        "renderline/renders.py",
        r"State\.ACCEPTED: frozenset\(\{State\.SUBMITTING,",
        "State.TINTING: frozenset({State.SUBMITTING, State.FAILED, State.CANCELED}),\n"
        "    State.ACCEPTED: frozenset({State.TINTING, State.SUBMITTING,",
    ),
    (
        "renderline/sweeper.py",
        r"frozenset\(\{State\.ACCEPTED, State\.SUBMITTING\}\)",
        "frozenset({State.ACCEPTED, State.TINTING, State.SUBMITTING})",
    ),
    (
        "renderline/ledger/scripts/accept.lua",
        r"(?m)^if ARGV\[18\] == '1'",
        f"if ARGV[4] == '{KIND}' then set(id, 'tint', 'blue') end\nif ARGV[18] == '1'",
    ),
    (
        "renderline/ledger/scripts/submit_claim.lua",
        r"elseif state ~= 'accepted' then",
        f"elseif state == 'accepted' and field(id, 'kind') == '{KIND}' then\n"
        "  transition(id, 'tinting')\n  resend_at(id, NOW + 1)\n  return {'over', following()}\n"
        "elseif state ~= 'accepted' and state ~= 'tinting' then",
    ),
    (
        "renderline/ledger/scripts/submit_claim.lua",
        r"if state == 'accepted' then transition",
        "if state == 'accepted' or state == 'tinting' then transition",
    ),
)


def future_copy(directory: Path) -> Path:
    """Make the copy in `directory` and return it; raises ValueError if an edit finds no place, or several."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, directory / part)
    shutil.copy(ROOT / "pyproject.toml", directory)
    shutil.copy(ROOT / ".env.example", directory)
    (directory / "renderline/kinds/tinted.py").write_text(_KIND, encoding="utf-8")
    for name, place, text in _EDITS:
        path = directory / name
        edited, places = re.subn(place, lambda _, text=text: text, path.read_text(encoding="utf-8"))
        if places != 1:
            raise ValueError(f"{name}: {place!r} is there {places} times, not once")
        path.write_text(edited, encoding="utf-8")
    return directory
