"""CPU time and memory of processes, and a short description of this machine."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(leader: int) -> float:
    """Return the CPU time of all processes in the session of `leader`, including their ended children."""
    if not _PROC.joinpath("self/stat").exists():
        return sum(_seconds(cpu) for group, cpu, _ in _listed() if group == leader)
    return sum(sum(map(int, fields[11:15])) for fields in _stats() if int(fields[3]) == leader) / _TICK


def resident_bytes(leader: int) -> int:
    """Return the resident memory of all processes in the session of `leader`."""
    if not _PROC.joinpath("self/stat").exists():
        return sum(kilobytes * 1024 for group, _, kilobytes in _listed() if group == leader)
    return sum(int(fields[21]) for fields in _stats() if int(fields[3]) == leader) * os.sysconf("SC_PAGE_SIZE")


def _stats() -> list[list[str]]:
    """Return the fields after the command's name of every process: 3 is its session, 11-14 its CPU, 21 its memory."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                found.append(entry.joinpath("stat").read_text().rpartition(")")[2].split())
            except OSError:
                continue  # it has just ended
    return found


def _listed() -> list[tuple[int, str, int]]:
    """Return process group, CPU time and resident kilobytes of every process, where there is no /proc."""
    answer = subprocess.run(["ps", "-A", "-o", "pgid=,time=,rss="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in answer.stdout.splitlines())
    return [(int(group), cpu, int(kilobytes)) for group, cpu, kilobytes in rows]


def _seconds(text: str) -> float:
    """Return the seconds of `[[hours:]minutes:]seconds`."""
    total = 0.0
    for part in text.replace("-", ":").split(":"):
        total = total * 60 + float(part)
    return total


def described() -> dict[str, str | int | float]:
    """Return a description of this machine and its load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = _PROC.joinpath("cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
