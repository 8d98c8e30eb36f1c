"""The files that start the processes agree with each other and with the settings."""

import re
import subprocess
import sys
import tomllib

import pytest
from honcho.environ import parse, parse_procfile
from ruamel.yaml import YAML

from config.settings import VARIABLES, load
from harness import ROOT
from renderline import contract

ROLES = {"worker", "gateway", "flower", "redis", "sandbox"}
_EXPANSION = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::-([^}]*))?")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose():
    return YAML(typ="safe").load(read("docker-compose.yml"))


@pytest.fixture(scope="module")
def procfile():
    return parse_procfile(read("Procfile")).processes


def example():
    """Return the variables of .env.example: name -> text after the sign, and whether the line is a comment."""
    found = re.findall(r"^(# )?([A-Z][A-Z0-9_]+)=(.*)$", read(".env.example"), flags=re.MULTILINE)
    return {name: (value, bool(comment)) for comment, name, value in found}


def test_the_example_names_every_variable_that_is_read_and_no_other():
    assert set(example()) == set(VARIABLES)


def test_the_example_shows_the_real_defaults():
    for name, (value, commented) in example().items():
        wanted = VARIABLES[name]
        if name == "RENDERLINE_RESUBMIT_UNCONFIRMED":
            assert wanted.read(value) is wanted.default
        elif commented:
            assert wanted.read(value) == wanted.default, name
        else:
            assert (value, wanted.default) == ("", None), name


def test_a_copied_example_is_a_sound_environment():
    assert load(parse(read(".env.example")), role="gateway") == load({}, role="gateway")


def test_procfile_and_compose_have_the_same_roles(procfile, compose):
    assert set(procfile) == ROLES
    assert set(compose["services"]) == ROLES


@pytest.mark.parametrize("name", ["Procfile", "docker-compose.yml"])
def test_every_variable_that_they_expand_is_known_and_has_the_same_default(name):
    for variable, default in _EXPANSION.findall(read(name)):
        if variable == "HONCHO_PROCESS_NAME":
            continue
        assert variable in VARIABLES
        if name == "Procfile":
            assert VARIABLES[variable].read(default) == VARIABLES[variable].default


def test_workers_of_both_serve_every_queue(procfile, compose):
    queues = ",".join(contract.QUEUES)
    assert f"-Q {queues} " in procfile["worker"]
    assert queues in read("Dockerfile")
    assert "command" not in compose["services"]["worker"]


def test_signals_reach_the_processes_of_the_procfile(procfile):
    assert all(command.startswith("exec ") for command in procfile.values())


def test_the_compose_file_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_can_start_any_number_of_workers(compose):
    worker = compose["services"]["worker"]
    assert not {"container_name", "ports", "hostname"} & set(worker)


def test_compose_stops_a_worker_softly(compose):
    worker = compose["services"]["worker"]
    grace = int(worker["stop_grace_period"].removesuffix("s"))
    assert grace >= VARIABLES["RENDERLINE_SHUTDOWN_TIMEOUT"].default + 10


def test_compose_keeps_what_is_queued_and_asks_for_a_password(compose):
    redis = compose["services"]["redis"]
    command = " ".join(redis["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--requirepass ${RENDERLINE_REDIS_PASSWORD:?" in command
    assert redis["healthcheck"]["test"]
    assert "ports" not in redis


def test_compose_publishes_pages_on_this_machine_alone(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_sandbox_starts_only_when_asked_for(compose):
    assert compose["services"]["sandbox"]["profiles"] == ["sandbox"]


def test_the_image_holds_what_runs_and_runs_without_root():
    lines = [line for line in read("Dockerfile").splitlines() if line and not line.startswith("#")]
    copied = [line.split()[1] for line in lines if line.startswith("COPY") and "--from" not in line]
    ignored = read(".dockerignore").splitlines()
    for path in copied:
        assert (ROOT / path).exists()
        assert f"!{path}" in ignored
    assert "USER renderline" in lines
    assert lines[-1].startswith('CMD ["celery"')


@pytest.mark.parametrize(("lock", "extras"), [("requirements.txt", ["app"]), ("requirements-dev.txt", ["app", "dev"])])
def test_the_lock_pins_everything_by_hash_and_names_no_host(lock, extras):
    text = read(lock)
    pins = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[A-Za-z]", text, flags=re.MULTILINE))
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for extra in extras for line in wanted[extra]}
    assert names <= set(pins)
    assert not re.search(r"://|index-url|find-links|trusted-host", text)
