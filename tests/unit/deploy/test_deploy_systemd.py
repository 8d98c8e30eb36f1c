"""deploy/systemd: systemd reads the units, finds them confined, and never gives up a process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import VARIABLES, load
from harness.systemd_unit import CHECKOUT, COMMON, FOLDER, options
from renderline import contract

SERVICES = {
    role: FOLDER / name
    for role, name in (
        ("worker", "renderline-worker@.service"),
        ("gateway", "renderline-gateway.service"),
        ("flower", "renderline-flower.service"),
    )
}
LEAST_EXPOSED = 1.5
"""What `systemd-analyze security` may find at most, of 10: below 2 it says OK, and SAFE below 1.1."""


@pytest.fixture(scope="module")
def analyze(tmp_path_factory):
    program = shutil.which("systemd-analyze")
    if program is None:
        assert os.environ.get("CI") != "true", "systemd-analyze is missing: install the package systemd"
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    units = tmp_path_factory.mktemp("units")
    for path in FOLDER.rglob("*"):
        if path.suffix in (".service", ".target", ".conf"):
            target = units / path.relative_to(FOLDER)
            target.parent.mkdir(exist_ok=True)
            # The programs of this environment stand for those of the installation.
            target.write_text(path.read_text().replace(f"{CHECKOUT}/.venv/bin", str(Path(sys.executable).parent)))

    def run(*arguments):
        environ = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_COLORS": "0"}
        return subprocess.run([program, *arguments], env=environ, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    "unit",
    ["renderline.target", "renderline-worker@1.service", "renderline-gateway.service", "renderline-flower.service"],
)
def test_systemd_reads_every_line_of_it(analyze, unit):
    checked = analyze("verify", "--man=no", unit)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.parametrize(
    "unit", ["renderline-worker@1.service", "renderline-gateway.service", "renderline-flower.service"]
)
def test_what_a_service_may_do_is_little(analyze, unit):
    checked = analyze("security", "--no-pager", "--offline=true", f"--threshold={int(LEAST_EXPOSED * 10)}", unit)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("role", SERVICES)
def test_a_process_is_always_restarted_alone_and_stopped_softly(role):
    found = options(COMMON, SERVICES[role])
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"], "a limit would give it up while Redis is away"
    assert float(found["RestartSec"][-1]) >= 1
    assert (found["KillMode"], found["KillSignal"]) == (["mixed"], ["SIGTERM"])
    assert found["PartOf"] == ["renderline.target"]
    assert found["WantedBy"] == ["renderline.target"]
    if role == "worker":
        assert float(found["TimeoutStopSec"][-1]) >= VARIABLES["RENDERLINE_SHUTDOWN_TIMEOUT"].default + 10


def test_a_worker_takes_every_queue():
    (command,) = options(SERVICES["worker"])["ExecStart"]
    assert f"-Q {','.join(contract.QUEUES)} " in command


@pytest.mark.parametrize("role", SERVICES)
def test_it_names_settings_that_exist_and_holds_no_secret_itself(role):
    found = options(COMMON, SERVICES[role])
    given = dict(one.split("=", 1) for line in found["Environment"] for one in line.split())
    ours = {name: value for name, value in given.items() if not name.startswith("PYTHON")}
    assert set(ours) <= set(VARIABLES)
    assert not [name for name in ours if VARIABLES[name].secret]
    loaded = {one.partition(":")[0] for one in found["LoadCredential"]}
    named = {value.removeprefix("%d/") for value in ours.values() if value.startswith("%d/")}
    assert loaded == named
    assert ("accounts.toml" in loaded) is (role == "worker"), "the vendor's keys are for workers alone"


def test_the_example_of_the_settings_is_sound():
    lines = (FOLDER / "renderline.env").read_text().splitlines()
    environ = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert load(environ, role="gateway").storage_url == "file:///var/lib/renderline/videos"
