"""The steps of docs/production.md for systemd, run below a folder: every file that they name is there and fits."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import ROOT

PAGE = (ROOT / "docs/production.md").read_text(encoding="utf-8")
# What changes this machine and not a folder, or takes minutes; make test and make demo run the same target of make.
ELSEWHERE = ("git clone", "cd /opt/renderline", "make .venv", "systemctl", "renderline doctor", "systemd-sysusers")


def steps() -> list[str]:
    block = PAGE[PAGE.index("sudo git clone") :].partition("```")[0]
    return [line.removeprefix("sudo ") for line in block.splitlines()]


def test_the_steps_install_units_that_systemd_reads(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in ("etc/sysusers.d", "etc/systemd/system", "usr/local/sbin"):
        (root / folder).mkdir(parents=True)
    ran = 0
    for step in steps():
        if step.startswith(ELSEWHERE):
            continue
        here = step.replace(" /etc/", f" {root}/etc/").replace(" /usr/", f" {root}/usr/")
        assert here != step, f"it would change this machine: {step}"
        here = here.replace("rediss://...", "rediss://redis.internal:6380/0")
        environ = {**os.environ, "AISTUDIOS_APP_ID": "a", "AISTUDIOS_USER_KEY": "b"}
        subprocess.run(here, shell=True, cwd=ROOT, env=environ, check=True, stdin=subprocess.DEVNULL)
        ran += 1
    assert ran == 6
    units = {path.name for path in (root / "etc/systemd/system").iterdir()}
    assert (root / "etc/systemd/system/renderline-.service.d/10-every-process.conf").is_file()
    enabled = next(step for step in steps() if "systemctl enable" in step).split()[2:]
    for one in enabled:
        name, at, _ = one.partition("@")
        assert (f"{name}{at}.service" if "." not in one else one) in units
    assert (root / "etc/renderline/secrets/REDIS_URL").stat().st_mode & 0o777 == 0o600
    if shutil.which("systemd-sysusers") is None:
        assert os.environ.get("CI") != "true", "systemd is missing"
        pytest.skip("systemd is not installed")
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True, capture_output=True)
    assert "renderline:" in (root / "etc/passwd").read_text()
