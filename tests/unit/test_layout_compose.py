"""docker-compose.yml: each role gets what it needs, reaches what it needs, and may do nothing else."""

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields

import pytest
from honcho.environ import parse
from ruamel.yaml import YAML

from config.settings import VARIABLES, Settings, load
from harness import ROOT

_EXPANSION = re.compile(r"\$(?:(\$)|\{([A-Z_]+)(?::([-?])([^}]*))?\})")

VENDOR_KEYS = {"AISTUDIOS_APP_ID", "AISTUDIOS_USER_KEY", "AISTUDIOS_V2_SECRET_KEY"}
SIGNING = {"RENDERLINE_SECRET_KEY", "RENDERLINE_HOOK_SECRET"}

RESET = object()
PROMETHEUS = (ROOT / "deploy/observe/prometheus.yml").read_text(encoding="utf-8")

# An operator's .env with every credential, and one of an object store.
DOTENV = {
    "REDIS_URL": "redis://elsewhere:6379/0",
    "AISTUDIOS_APP_ID": "studioV3.acme",
    "AISTUDIOS_USER_KEY": "vendor-user-key",
    "AISTUDIOS_V2_SECRET_KEY": "vendor-v2-key",
    "RENDERLINE_REDIS_PASSWORD": "0fb8c1d2e3a4958677f0e1d2c3b4a596",
    "RENDERLINE_PUBLIC_URL": "https://renders.example.com",
    "RENDERLINE_SECRET_KEY": "9f0c4d3b2a1e8f7d6c5b4a39281706f5",
    "RENDERLINE_HOOK_SECRET": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
    "RENDERLINE_POLL_MAX": "30",
    "FLOWER_BASIC_AUTH": "ops:wRk3-vTz8-pQm2",
    "RENDERLINE_GRAFANA_PASSWORD": "gQz7-mLw4-rTy9",
    "AWS_SECRET_ACCESS_KEY": "object-store-key",
}


# What deploy/make-secrets writes, in short.
SECRETS = {
    "REDIS_URL": f"redis://:{DOTENV['RENDERLINE_REDIS_PASSWORD']}@redis:6379/0",
    "accounts.toml": '[[account]]\nname = "default"\napp_id = "a"\nuser_key = "b"\n',
    **{name: DOTENV[name] for name in (*sorted(SIGNING), "FLOWER_BASIC_AUTH", "RENDERLINE_REDIS_PASSWORD")},
    "RENDERLINE_GRAFANA_PASSWORD": DOTENV["RENDERLINE_GRAFANA_PASSWORD"],
}


def substituted(value, environ):
    """Return the value with its variables replaced as `docker compose` does."""
    if isinstance(value, dict):
        return {key: substituted(inner, environ) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, environ) for inner in value]
    if not isinstance(value, str):
        return value

    def expand(match):
        dollar, name, sign, text = match.groups()
        if dollar:
            return "$"
        if not environ.get(name) and sign == "?":
            raise KeyError(f"{name}: {text}")
        return environ.get(name) or text or ""

    return _EXPANSION.sub(expand, value)


def rendered(environ):
    """Return the services of the compose file, as an operator with this .env gets them."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return substituted(YAML(typ="safe").load(text), environ)


def environment(service, environ, mounted="/run/secrets"):
    """Return the variables of a container of the rendered service; `mounted` is where its secrets are."""
    assert service.get("env_file", []) in ([], [{"path": ".env", "required": False}])
    given = {**(environ if "env_file" in service else {}), **service.get("environment", {})}
    return {name: value.replace("/run/secrets", str(mounted)) for name, value in given.items()}


@pytest.fixture
def mounted(tmp_path):
    """Write the secrets of a container: all, each role names its own."""
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(f"{text}\n")
    return tmp_path


def with_redis_users(services):
    """Return the services with docker-compose.redis-users.yml merged in, as `docker compose -f ... -f ...` does.

    The second value are the secrets of that file.
    """
    yaml = YAML(typ="safe")
    yaml.constructor.add_constructor("!reset", lambda loader, node: RESET)
    yaml.constructor.add_constructor("!override", lambda loader, node: (RESET, loader.construct_sequence(node)))
    added = yaml.load((ROOT / "docker-compose.redis-users.yml").read_text(encoding="utf-8"))
    merged = {name: dict(service) for name, service in services.items()}
    for name, changes in added["services"].items():
        for key, value in changes.items():
            before = merged[name].get(key)
            if value is RESET:
                del merged[name][key]
            elif isinstance(value, tuple):
                merged[name][key] = value[1]
            elif isinstance(value, dict):
                both = {**(before or {}), **value}
                merged[name][key] = {inner: one for inner, one in both.items() if one is not RESET}
            else:
                merged[name][key] = [*(before or []), *value]
    return merged, added["secrets"]


@pytest.fixture(scope="module")
def compose():
    return rendered(DOTENV)


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_missing_secret_is_a_missing_file_and_all_are_made_by_one_command(compose, tmp_path):
    environ = {"PATH": os.defpath, "AISTUDIOS_APP_ID": "a", "AISTUDIOS_USER_KEY": "b"}
    command = ["sh", str(ROOT / "deploy/make-secrets")]

    def make(environ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        return done.returncode, done.stderr

    refused, why = make({"PATH": os.defpath})
    assert refused == 1
    assert "AISTUDIOS_USER_KEY" in why
    code, said = make(environ)
    assert code == 0, said
    files = {one["file"] for one in compose["secrets"].values()} - {"./deploy/observe/gateway-key"}
    made = {f"./secrets/{path.name}" for path in (tmp_path / "secrets").iterdir()}
    assert files == made
    before = {path: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert make({**environ, "FLOWER_BASIC_AUTH": "ops:another"}) == (0, "")
    assert {path: path.read_text() for path in before} == before, "what is there stays"
    # Readable for the containers' users, in a directory that nobody else enters.
    assert {path.stat().st_mode & 0o777 for path in before} == {0o644}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    for role in ("worker", "gateway", "flower"):
        given = environment(compose["services"][role], {}, mounted=tmp_path / "secrets")
        assert load(given, role=role).redis_url.endswith("@redis:6379/0")


def test_an_installation_with_its_secrets_in_env_takes_them_into_files(tmp_path):
    (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in DOTENV.items()))
    command = ["sh", str(ROOT / "deploy/make-secrets")]
    subprocess.run(command, cwd=tmp_path, env={"PATH": os.defpath}, stdin=subprocess.DEVNULL, check=True)
    found = {path.name: path.read_text().rstrip("\n") for path in (tmp_path / "secrets").iterdir()}
    assert {name: found[name] for name in SECRETS if name != "accounts.toml"} == {
        name: text for name, text in SECRETS.items() if name != "accounts.toml"
    }
    (account,) = tomllib.loads(found["accounts.toml"])["account"]
    assert account == {
        "name": "default",
        "app_id": DOTENV["AISTUDIOS_APP_ID"],
        "user_key": DOTENV["AISTUDIOS_USER_KEY"],
        "v2_secret_key": DOTENV["AISTUDIOS_V2_SECRET_KEY"],
    }


@pytest.mark.parametrize("role", ["worker", "gateway", "flower"])
def test_the_environment_of_each_role_is_valid(services, role, mounted):
    settings = load(environment(services[role], DOTENV, mounted), role=role)
    assert settings.redis_url == SECRETS["REDIS_URL"]
    assert settings.log_format == "json"


@pytest.mark.parametrize("role", ["worker", "gateway", "flower"])
def test_the_example_is_enough_beside_the_files(role, mounted):
    example = parse((ROOT / ".env.example").read_text(encoding="utf-8"))
    load(environment(rendered(example)["services"][role], example, mounted), role=role)


@pytest.mark.parametrize(
    ("role", "files"),
    [
        ("worker", {"REDIS_URL", "accounts.toml", *SIGNING}),
        ("gateway", {"REDIS_URL", *SIGNING}),
        ("flower", {"REDIS_URL", "FLOWER_BASIC_AUTH"}),
        ("redis", {"RENDERLINE_REDIS_PASSWORD"}),
        ("sandbox", set()),
        ("prometheus", set()),
        ("grafana", {"RENDERLINE_GRAFANA_PASSWORD"}),
    ],
)
def test_a_role_has_the_credentials_that_it_needs_as_files_and_no_others(services, role, files):
    mounted = {one for one in services[role].get("secrets", []) if isinstance(one, str)}
    assert mounted == files
    given = environment(services[role], DOTENV)
    named = {value.rpartition("/")[2] for value in given.values() if value.startswith("/run/secrets/")}
    assert named == files
    # Those of an object store alone: the libraries read them from the environment.
    secret = {name for name, declared in VARIABLES.items() if declared.secret} | {"AWS_SECRET_ACCESS_KEY"}
    shown = {name for name, value in given.items() if name in secret and value}
    assert shown == ({"AWS_SECRET_ACCESS_KEY"} if role == "worker" else set())


def test_flower_gets_the_settings_of_its_pages_of_renders(mounted):
    given = environment(rendered({**DOTENV, "RENDERLINE_LABELS": "customer"})["services"]["flower"], {}, mounted)
    assert load(given, role="flower").labels == ("customer",)
    hooks = {"RENDERLINE_HOOK_RETRY_FOR", "RENDERLINE_HOOK_ATTEMPTS", "RENDERLINE_HOOK_WAITS"}
    assert {"RENDERLINE_FLOWER_RENDERS", "RENDERLINE_PUBLIC_URL", *hooks} <= given.keys()


def test_the_gateway_gets_every_setting_that_it_reads(services):
    modules = ["workers/gateway.py", "workers/gateway_worker.py", "config/celery.py"]
    modules += [
        f"workers/composition/{name}.py"
        for name in ("acceptance", "connection", "explanation", "tenants", "uploads", "webhooks")
    ]
    text = "".join((ROOT / module).read_text(encoding="utf-8") for module in modules)
    hooks = (ROOT / "workers/composition/hooks.py").read_text(encoding="utf-8")
    text += hooks[hooks.index("def hook_kinds") : hooks.index("def fresh_link")]
    read = set(re.findall(r"\b(?:chosen|settings)\.([a-z_]+)", text))
    names = {f.name: f.metadata["variable"].name for f in fields(Settings) if "variable" in f.metadata}
    # Celery's options say how many threads a worker has.
    wanted = {names[field] for field in read if field in names} - {"RENDERLINE_WORKER_CONCURRENCY"} | {
        "RENDERLINE_TENANTS"
    }
    assert len(wanted) > 10
    given = set(services["gateway"]["environment"])
    assert wanted <= given | {name.removesuffix("_FILE") for name in given}


def test_no_secret_is_an_argument(services):
    shown = [[service.get("command"), service.get("healthcheck")] for service in services.values()]
    secrets = [value for name, value in DOTENV.items() if name not in VARIABLES or VARIABLES[name].secret]
    assert not [secret for secret in secrets if secret in str(shown)]


def test_every_container_is_confined(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service
        assert "privileged" not in service
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service), name
        assert service["healthcheck"]["test"], name
        assert service.get("user") != "root"


def test_what_a_role_writes_is_a_volume_or_tmpfs(services):
    volumes = {name: [volume.split(":") for volume in one.get("volumes", [])] for name, one in services.items()}
    written = {name: [parts[1] for parts in found if parts[2:] != ["ro"]] for name, found in volumes.items()}
    assert written == {
        "redis": ["/data"],
        "worker": ["/srv/videos", "/srv/uploads"],
        "gateway": ["/srv/uploads"],
        "flower": ["/var/lib/renderline"],
        "sandbox": [],
        "prometheus": ["/prometheus"],
        "grafana": ["/var/lib/grafana"],
    }
    assert ["videos", "/srv/videos", "ro"] in volumes["gateway"], "the board plays videos"
    assert all(service["tmpfs"][0].startswith("/tmp:size=") for service in services.values())


def test_images_have_exact_tags(services):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for name, service in services.items():
        assert re.fullmatch(r"\S+:v?\d+\.\d+\.\d+", service["image"]), name
        if "build" in service:
            assert service["image"] == f"renderline:{version}"


def test_networks_join_only_those_who_talk_to_each_other(compose, services):
    networks = {name: set(service["networks"]) for name, service in services.items()}
    together = {
        frozenset((one, other))
        for one in networks
        for other in networks
        if one != other and networks[one] & networks[other]
    }
    assert frozenset(("sandbox", "redis")) not in together
    assert frozenset(("sandbox", "flower")) not in together
    for role in ("worker", "gateway", "flower"):
        assert frozenset((role, "redis")) in together
    # Redis and the sandbox reach nothing outside; gateway and Flower publish a page and have no way out.
    for role, inside in networks.items():
        reach = [compose["networks"][network] for network in inside]
        outside = [net for net in reach if not net.get("internal")]
        if role == "worker":
            assert outside == [{}]
        assert all(net["driver_opts"] for net in outside if role != "worker")
        if role in ("redis", "sandbox"):
            assert not outside


def test_pages_are_published_on_this_machine_alone(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    ports = {"gateway": 8000, "flower": 5555, "prometheus": 9090, "grafana": 3000}
    assert published == {name: [f"127.0.0.1:{port}:{port}"] for name, port in ports.items()}


def test_any_number_of_workers_can_be_started(services):
    assert not {"container_name", "ports", "hostname"} & set(services["worker"])


def test_a_worker_is_stopped_softly(services):
    grace = int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace >= VARIABLES["RENDERLINE_SHUTDOWN_TIMEOUT"].default + 10


def test_sandbox_prometheus_and_grafana_start_only_when_asked_for(services):
    profiles = {name: service["profiles"] for name, service in services.items() if "profiles" in service}
    assert profiles == {"sandbox": ["sandbox"], "prometheus": ["observe"], "grafana": ["observe"]}


def test_prometheus_and_grafana_reach_figures_and_no_ledger(services):
    for name in ("prometheus", "grafana"):
        assert not {"redis", "outside", "sandbox"} & set(services[name]["networks"])
    for role, port in (("gateway", 8000), ("worker", 9464)):
        assert "metrics" in services[role]["networks"]
        assert f"names: [{role}]\n        type: A\n        port: {port}" in PROMETHEUS
    assert services["worker"]["environment"]["RENDERLINE_METRICS_BIND"] == "0.0.0.0:9464"
    mounted = [mount.split(":") for name in ("prometheus", "grafana") for mount in services[name]["volumes"]]
    files = [source for source, *_ in mounted if source.startswith("./")]
    assert len(files) == 3
    assert all((ROOT / source).exists() for source in files)


def test_grafana_does_not_start_with_its_well_known_password(services, tmp_path):
    script = services["grafana"]["entrypoint"][-1]
    for password, status in (("", 64), ("admin", 64), ("gQz7-mLw4-rTy9", 127)):
        # /run.sh is missing here: 127.
        (tmp_path / "password").write_text(f"{password}\n")
        environ = {"PATH": "/usr/bin:/bin", "GF_SECURITY_ADMIN_PASSWORD__FILE": str(tmp_path / "password")}
        ended = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode in ((status,) if status == 64 else (126, 127)), ended.stderr


def test_a_redis_user_for_each_role_needs_one_more_file(services):
    merged, files = with_redis_users(services)
    for role in ("worker", "gateway", "flower"):
        assert merged[role]["environment"]["REDIS_URL_FILE"] == "/run/secrets/REDIS_URL"
        own = {"source": f"redis-url-of-{role}", "target": "REDIS_URL"}
        assert merged[role]["secrets"] == [own, *(one for one in services[role]["secrets"] if one != "REDIS_URL")]
        assert files[own["source"]] == {"file": f"./users/{role}.url"}
    assert not {"environment", "secrets"} & set(merged["redis"])
    assert "/etc/renderline/users.acl" in merged["redis"]["command"]
    assert "./users/users.acl:/etc/renderline/users.acl:ro" in merged["redis"]["volumes"]
    assert merged["redis"]["read_only"] is True
    assert not [value for value in DOTENV.values() if value in str(merged["redis"]) and len(value) > 8]
