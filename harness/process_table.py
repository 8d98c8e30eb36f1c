"""What runs on this machine, as `ps` shows it."""

from __future__ import annotations

import subprocess


def running(pid: int) -> bool:
    """Return whether the process runs. A zombie counts as ended: its new parent has not collected it yet."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def descendants(pid: int) -> list[int]:
    """Return the ids of the processes that it started, of those that they started, and so on."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict((int(number) for number in line.split()) for line in table.splitlines())
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]
