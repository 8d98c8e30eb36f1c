"""The wheel in another service's environment: Celery, a package called `tasks`, and nothing else of ours."""

from __future__ import annotations

import email
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from harness import ROOT
from renderline.contract import render_id_for_key
from tests.acceptance.conftest import System

BILLING = """
import json, os, sys
from celery import Celery
import tasks.billing
from renderline.producer import RequestNotAccepted, enqueue_render, enqueue_renders, wait_for

app = tasks.billing.app
request = json.load(sys.stdin)
seen = []
first = enqueue_render(app, request, key="order-C-3", wait=30)
outcome = wait_for(app, first, timeout=60, progress=lambda state, progress: seen.append((state, progress)))
several = enqueue_renders(app, [("order-C-3", request), {**request, "name": "Second"}])
ends = [wait_for(app, one, timeout=60).state for one in several]
try:
    enqueue_render(app, {**request, "priority": "soon"}, wait=30)
except RequestNotAccepted as refused:
    why = str(refused)
print(json.dumps({"first": first, "outcome": outcome._asdict(), "seen": seen, "several": several, "ends": ends,
                  "why": why, "tasks": tasks.__file__}))
"""

PLAIN = """
import json, sys
import tasks.billing

app, request = tasks.billing.app, json.load(sys.stdin)
result = app.send_task("renderline.request", kwargs={"request": request, "key": "order-B-2"}, queue="requests")
again = app.send_task("renderline.request", kwargs={"request": request, "key": "order-B-2"}, queue="requests")
ids = [result.get(timeout=60), again.get(timeout=30)]
# What a worker of this service would take as its task billing.video_ready.
with app.connection_for_read() as connection, connection.SimpleQueue("billing") as queue:
    message = queue.get(timeout=60)
    message.ack()
print(json.dumps({"ids": ids, "task": message.headers["task"], "output": message.payload[0][0]}))
"""

FOREIGN = """
import os
from celery import Celery

app = Celery("billing", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "renderline", source / "renderline", ignore=shutil.ignore_patterns("__pycache__"))
    # What must not be in it lies beside, as it does in the checkout.
    for name in ("config", "tasks", "workers", "tests"):
        (source / name).mkdir()
        (source / name / "__init__.py").touch()
    return built(source, "wheel", source / "dist")


def built(source: Path, form: str, folder: Path) -> Path:
    """Return the archive that the build backend makes of a source folder, as pip and `python -m build` have it made."""
    code = f"import setuptools.build_meta as build; print(build.build_{form}({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def pip(python: str | Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and packages of another service that have the names of ours."""
    folder = tmp_path_factory.mktemp("service") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    found = folder / "bin" / "python"
    pip(sys.executable, "--python", str(found), "install", "--no-index", "--no-deps", str(wheel))
    site = site_of(found)
    for path, text in {
        "tasks/__init__.py": "",
        "tasks/billing.py": FOREIGN,
        "workers/__init__.py": "raise SystemExit('a foreign package was imported')",
        "workers/cli/__init__.py": "",
    }.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    return found


def site_of(python: Path) -> Path:
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture(scope="module")
def service(python: Path) -> Path:
    """The same environment with `celery[redis]` and what that needs; linked from here, not downloaded."""
    site = site_of(python)
    for source in closure("celery[redis]"):
        if not (site / source.name).exists():
            (site / source.name).symlink_to(source)
    return python


def closure(wanted: str) -> Iterator[Path]:
    """Yield the folders and modules of a requirement and everything that it requires."""
    waiting, known = [Requirement(wanted)], set()
    while waiting:
        one = waiting.pop()
        found = importlib.metadata.distribution(one.name)
        if (one.name, tuple(one.extras)) in known:
            continue
        known.add((one.name, tuple(one.extras)))
        for name in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            yield Path(str(found.locate_file(name)))
        for text in found.requires or ():
            other = Requirement(text)
            if other.marker is None or any(other.marker.evaluate({"extra": extra}) for extra in (*one.extras, "")):
                waiting.append(other)


def run(python: Path, code: str, given: Any = None, **environ: str) -> str:
    done = subprocess.run(
        [str(python), "-c", code],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=python.parent,
        env={"PATH": os.environ["PATH"], **environ},
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_what_other_services_import_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        folders = {name.partition("/")[0] for name in archive.namelist()}
    modules = {f"renderline/{name}.py" for name in ("__init__", "command", "contract", "producer")}
    kit = {path.relative_to(ROOT).as_posix() for path in (ROOT / "renderline" / "testing").rglob("*.py")}
    assert names == modules | kit | {"renderline/py.typed"}
    assert len(folders) == 2


def test_its_description_tells_what_the_wheel_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        found = email.message_from_bytes(archive.read(name))
    assert found["Version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert "testing" in found.get_all("Provides-Extra", [])
    assert not [one for one in found.get_all("Requires-Dist", []) if "extra ==" not in one]
    text = found.get_payload()
    assert not re.findall(r"\]\((?!https?://)", text), "a link into the repository leads nowhere on a package index"
    for module in re.findall(r"`(renderline\.\w+)`", text):
        assert importlib.util.find_spec(module), module


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    # Not tarfile: some releases of 3.11 do not know its `filter`, newer Pythons warn without one.
    subprocess.run(["tar", "-xf", built(wheel.parent.parent, "sdist", tmp_path), "-C", tmp_path], check=True)
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = built(source, "wheel", tmp_path / "dist")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_the_testing_kit_runs_in_another_service(python: Path, tmp_path: Path) -> None:
    site = site_of(python)
    for source in closure("pytest"):
        if not (site / source.name).exists():
            (site / source.name).symlink_to(source)
    page = (ROOT / "docs" / "producer.md").read_text(encoding="utf-8")
    conftest, example = re.findall(r"```python\n(.*?)```", page[page.index("\n## Testing\n") :], flags=re.DOTALL)[:2]
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_billing.py").write_text(example)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_importing_the_producer_needs_the_standard_library_alone(python: Path) -> None:
    code = """
import sys
import renderline.contract, renderline.producer
print([name for name, module in sys.modules.items() if "site-packages" in str(getattr(module, "__file__", ""))])
"""
    assert run(python, code).strip() == "['renderline', 'renderline.contract', 'renderline.producer']"


def test_the_package_is_typed(python: Path) -> None:
    assert (site_of(python) / "renderline" / "py.typed").is_file()


def test_the_console_script_says_where_the_command_line_is(python: Path) -> None:
    script = python.parent / "renderline"
    done = subprocess.run([str(script), "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "runs from a Renderline checkout or container" in line


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "1", workers=1)


def test_another_service_enqueues_and_follows_renders(system: System, service: Path) -> None:
    request = system.request(hooks=[{"type": "download"}], name="First")
    output = json.loads(run(service, BILLING, request, BROKER=system.valkey.url))

    assert output["outcome"]["id"] == output["first"] == output["several"][0]
    assert output["outcome"]["state"] == "delivered"
    assert output["outcome"]["stored_url"].endswith(f"{output['first']}.mp4")
    assert output["seen"][-1] == ["delivered", 100]
    assert output["ends"] == ["delivered", "delivered"]
    assert "priority: " in output["why"]
    assert "site-packages/tasks/" in output["tasks"]
    assert len(system.projects_of(output["first"])) == 1


def test_another_service_needs_none_of_our_code(system: System, service: Path) -> None:
    hook = {"type": "celery", "task": "billing.video_ready", "queue": "billing"}
    output = json.loads(run(service, PLAIN, system.request(hooks=[hook]), BROKER=system.valkey.url))
    assert output["ids"][0] == output["ids"][1]
    assert output["task"] == "billing.video_ready"
    assert output["output"]["type"] == "render.completed"
    assert output["output"]["data"]["id"] == output["ids"][0]
    assert len(system.projects_of(output["ids"][0])) == 1


def test_the_page_on_the_producer_runs_as_printed(system: System, service: Path) -> None:
    page = (ROOT / "docs" / "producer.md").read_text(encoding="utf-8")
    # tests/unit/testing runs the example of that section.
    testing = page[page.index("\n## Testing\n") : page.index("\n## Without the module\n")]
    page = page.replace(testing, "")
    with_module, without = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    lines = run(service, with_module + without, REDIS_URL=system.valkey.url).splitlines()
    assert lines[0].startswith("priority: ")
    assert any(line.startswith("delivered https://") or line.startswith("delivered http://") for line in lines)
    assert lines[-1] == render_id_for_key("order-A-17")
