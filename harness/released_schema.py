"""What processes of the last release rely on, and whether this version still has it.

Two versions run side by side while a system is upgraded, so what is here of the last release must stay: keys, record
fields, states, kinds, messages, settings. `python -m harness.released_schema` writes the snapshot anew, for a release.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

from config.release import release
from config.settings import VARIABLES
from renderline import contract
from renderline.kinds import KINDS
from renderline.ledger import public_record
from renderline.ledger.keys import SCRIPT_KEYS
from renderline.ledger.parsing import POLL_FIELDS
from renderline.ledger.schema import LEVEL, VERSION
from renderline.renders import EVENTS, TRANSITIONS, State
from workers.message_check import ARGUMENTS

SNAPSHOT: Final = Path(__file__).with_name("released_schema.json")
_ARGUMENTS: Final = r"((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)"
_LEAST: Final = {"kind": "project", "account": "main", "priority": "normal", "state": "accepted"}


def present() -> dict[str, Any]:
    """Return what processes of this version rely on."""
    return {
        "release": release(),
        "schema": VERSION,
        "level": LEVEL,
        "messages": contract.MESSAGE_VERSION,
        "keys": dict(sorted(SCRIPT_KEYS.items())),
        "record fields": sorted(_record_fields()),
        "fields of the public record": sorted(public_record("r1", _LEAST, {})),
        "states": {str(state): sorted(map(str, onward)) for state, onward in sorted(TRANSITIONS.items())},
        "events": sorted(set(EVENTS.values())),
        "kinds": {name: kind.level for name, kind in sorted(KINDS.items())},
        "queues": sorted(contract.QUEUES),
        "task arguments": {task: list(names) for task, names in sorted(ARGUMENTS.items())},
        "settings": sorted(VARIABLES),
    }


def _record_fields() -> set[str]:
    """Return the fields of a render's hash that the scripts write or read by name; those of a hook are `h:<name>`."""
    folder = resources.files("renderline.ledger") / "scripts"
    text = "\n".join(re.sub(r"--[^\n]*", "", one.read_text()) for one in folder.iterdir() if one.name.endswith(".lua"))
    calls = re.findall(r"\bset\(id," + _ARGUMENTS, text)
    calls += re.findall(r"\bfield\(id," + _ARGUMENTS, text)
    calls += re.findall(r"'H(?:GET|MGET|SET|SETNX|INCRBY|DEL)',\s*(?:render\(id\)|k)," + _ARGUMENTS, text)
    plain = {name for call in calls for name in re.findall(r"(?<!\.\. )'([a-z_]+(?::[a-z_]+)?)'", call)}
    of_hooks = {f"h{name}" for call in calls for name in re.findall(r"\bh \.\. '(:[a-z_]+)'", call)}
    return (plain | of_hooks | set(POLL_FIELDS)) - set(State)


def problems(released: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what this version (`now`) does not do for processes of the released one, and what to do about each."""
    if now["schema"] > released["schema"]:
        # It is no additive change: processes of the two do not run side by side, and say so at their start.
        return []
    by, found = f"processes of {released['release']}", []
    for group, names in released.items():
        if isinstance(names, list | dict):
            found += [
                f"{group}: {name} is gone, and {by} use it: keep it, or raise VERSION in renderline/ledger/schema.py "
                "and write its migration"
                for name in names
                if name not in now[group]
            ]
    for name, text in released["keys"].items():
        if now["keys"].get(name, text) != text:
            found.append(f"keys: {name} was {text} and is {now['keys'][name]}: raise VERSION and write its migration")
    for name, arguments in released["task arguments"].items():
        if now["task arguments"].get(name, arguments) != arguments and now["messages"] <= released["messages"]:
            found.append(f"task arguments: those of {name} changed: raise MESSAGE_VERSION in renderline/contract.py")
    for name, level in now["kinds"].items():
        if name not in released["kinds"] and level <= released["level"]:
            found.append(f"kinds: {name} is new, and {by} cannot run it: give its KIND level={released['level'] + 1}")
    for name in now["states"]:
        if name not in released["states"] and now["level"] <= released["level"]:
            found.append(
                f"states: {name} is new, and {by} do not know it: raise LEVEL in renderline/ledger/schema.py, and set "
                "the field `schema` of records that enter it"
            )
    highest = max(now["kinds"].values())
    if highest > now["level"]:
        found.append(f"kinds: level {highest} is above LEVEL in renderline/ledger/schema.py, which is {now['level']}")
    return found


def main() -> None:
    """Write the snapshot of this version, as that of a release."""
    SNAPSHOT.write_text(json.dumps(present(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
