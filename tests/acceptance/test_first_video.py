"""The README's six steps to a first video, as printed, in an empty clone on a network of its own.

The sandbox stands in the vendor's place, which AISTUDIOS_BASE_URL says. The packages are those of the tests.
`WRITE_TRANSCRIPT=1` writes what was shown into docs/first-video.md.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, network

README = (ROOT / "README.md").read_text()
PAGE = ROOT / "docs" / "first-video.md"
SECTION = README[README.index("## Run it for real") : README.index("## Run the tests")]
STEPS = [
    re.sub(r"^   ", "", text, flags=re.MULTILINE)
    for text in re.findall(r"^   ```sh\n(.*?)^   ```", SECTION, re.MULTILINE | re.DOTALL)
]
TITLES = re.findall(r"^\d\. \*\*(.*?)\.?\*\*", SECTION, re.MULTILINE)

# What Debian's service has: its settings in a file that it may write anew.
_SERVICE = """\
cat > {parts}/redis.conf <<'END'
bind 127.0.0.1
dir {parts}
END
redis-server {parts}/redis.conf > {parts}/redis.log & redis=$!
.venv/bin/python -m renderline.sandbox --port 8900 --render-seconds 2 > {parts}/sandbox.log & sandbox=$!
trap 'kill $run $sandbox $redis; wait $run' EXIT
until redis-cli ping > {parts}/ping 2>&1; do sleep 0.1; done
"""
_READY = 'until grep -q " ready" {parts}/run.log && curl -sf http://127.0.0.1:8000/readyz && ' + (
    "curl -sf http://127.0.0.1:5555/healthcheck; do kill -0 $run; sleep 0.2; done > {parts}/ready 2>&1\n"
)


def script(parts: Path) -> str:
    """Return the steps as one script; step 3 runs in the background, as in another terminal."""
    whole = "set -e\n" + _SERVICE.format(parts=parts)
    for number, text in enumerate(STEPS, start=1):
        whole += f"echo '--- {number}'\n"
        if number == 3:
            whole += text.strip().replace(
                ".venv/bin/renderline run", f"exec .venv/bin/renderline run > {parts}/run.log 2>&1"
            ).join(("( ", " ) & run=$!\n")) + _READY.format(parts=parts)
        else:
            whole += text
        if number == 1:
            # The one difference.
            whole += "echo AISTUDIOS_BASE_URL=http://127.0.0.1:8900 >> .env\n"
    return whole


def empty_clone(directory: Path) -> Path:
    """Clone the files that git knows, as they are now, with the Python of the tests as its environment."""
    clone = directory / "renderline"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
            # And what Python has compiled of it: else each process of the run compiles for a second.
            if name.endswith(".py") and Path(cached := importlib.util.cache_from_source(ROOT / name)).is_file():
                compiled = clone / Path(cached).relative_to(ROOT)
                compiled.parent.mkdir(exist_ok=True)
                shutil.copy2(cached, compiled)
    (clone / ".venv" / "bin").mkdir(parents=True)
    python = clone / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (clone / ".venv" / ".installed").touch()
    return clone


def shape(text: str) -> str:
    """Return the text without what differs from run to run."""
    for pattern, kind in (
        (r"rl_\w+", "KEY"),
        (r"\b[0-9a-f]{6}\.\.\.", "ID"),
        (r"\d{4}-\d\d-\d\d[T ][\d:.]+\d(Z|\+00:00)?", "TIME"),
        (r"file://\S*/renderline/videos", "file:///home/me/renderline/videos"),
        (r"worker\.1@[\w.-]+", "worker.1@host"),
        (r"Redis \d[\d.]*\d", "Redis 0.0"),
        (r"(?m)^(warn|ok  )  redis patches .*\n(      .*\n)?", ""),
        # How far it was when somebody looked.
        (r'"state":".*', ""),
        (r"(?m)^\d\d:\d\d:\d\d .*\n", ""),
        (r"polls\b", "poll"),
        (r"(?m)^.*GET /editor/progress.*\n", ""),
    ):
        text = re.sub(pattern, kind, text)
    return re.sub(r"\d+(\.\d+)?", "0", re.sub(r"(?m) +$", "", re.sub(r" +", " ", text)))


def transcript(shown: str) -> str:
    """Return the page: each step with what it showed, without ids, which look like secrets."""
    shown = re.sub(r"(?m) +$", "", re.sub(r"\b([0-9a-f]{6})[0-9a-f]{6,26}\b", r"\1...", shown))
    parts = [
        "# A first video\n",
        'What the six steps of "Run it for real" in the [README](../README.md) show. A test runs them and compares.',
    ]
    parts.append(
        "The sandbox stood in the vendor's place, with renders of two seconds. The live vendor was not reached.\n"
    )
    for number, text in enumerate(re.split(r"^--- \d\n", shown, flags=re.MULTILINE)[1:], start=1):
        parts += [f"## {number}. {TITLES[number - 1]}\n", f"```text\n{text.rstrip() or 'nothing'}\n```\n"]
    return "\n".join(parts)


def test_six_steps_lead_to_a_video(tmp_path: Path) -> None:
    why = network.missing() or next((f"no {name}" for name in ("redis-server", "curl") if not shutil.which(name)), None)
    if why:
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    assert len(STEPS) == len(TITLES) == 6
    clone = empty_clone(tmp_path)
    parts = tmp_path / "parts"
    parts.mkdir()
    done = subprocess.run(
        network.alone("bash", "-c", script(parts)),
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
        check=False,
    )
    run = (parts / "run.log").read_text() if (parts / "run.log").exists() else ""
    assert done.returncode == 0, f"{done.stdout}\n{run[-3000:]}"
    (video,) = (path for path in (clone / "videos").rglob("*") if path.is_file())
    assert video.read_bytes()[4:8] == b"ftyp"
    shown = done.stdout.split("--- 3\n")[0] + "--- 3\n" + started(run) + done.stdout.split("--- 3\n")[1]
    page = transcript(shown)
    assert "delivered" in page
    assert f"stored {video.as_uri()}" in re.sub(" +", " ", done.stdout)
    if os.environ.get("WRITE_TRANSCRIPT"):
        PAGE.write_text(re.sub(r"file://\S*/renderline/videos", "file:///home/me/renderline/videos", page))
    assert shape(page) == shape(PAGE.read_text())


def started(run: str) -> str:
    """Return the first line of the run, and those that say that it works."""
    lines = [line for line in run.splitlines() if re.match(r"run +\|.* on |.*Visit me|.*Listening at| .*ready\.", line)]
    return (
        "\n".join(sorted((line for line in lines if "stopped" not in line), key=lambda line: line.split("|")[0])) + "\n"
    )
