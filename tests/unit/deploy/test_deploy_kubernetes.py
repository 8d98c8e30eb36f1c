"""deploy/kubernetes: the manifests follow Kubernetes' schemas, and say the same as the code and the compose file."""

import copy
import json
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from config.settings import VARIABLES, load
from harness import HOOK_SECRET, ROOT
from renderline.metrics.tables import BY_SOURCE

FOLDER = ROOT / "deploy/kubernetes"
ROLES = ("worker", "gateway", "flower")
SECRETS = {
    "REDIS_URL": "rediss://renderline-worker:hunter2@redis.internal:6380/0",
    "accounts.toml": '[[account]]\nname = "default"\napp_id = "a"\nuser_key = "b"\n',
    "RENDERLINE_SECRET_KEY": "0123456789 abcdefghij 0123456789 klm",
    "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
    "FLOWER_BASIC_AUTH": "ops:wRk3-vTz8-pQm2",
}


@cache
def read(path):
    return list(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


def manifests():
    return [one for path in sorted(FOLDER.glob("*.yaml")) if path.name != "kustomization.yaml" for one in read(path)]


def named(kind, name):
    (found,) = [one for one in manifests() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pod(role):
    return named("Deployment", f"renderline-{role}")["spec"]["template"]["spec"]


def container(role):
    (found,) = pod(role)["containers"]
    return found


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_it_follows_the_schema_of_kubernetes(manifest):
    kubernetes_validate.validate(json.loads(json.dumps(manifest)), kubernetes_validate.latest_version(), strict=True)


def test_a_misspelt_field_would_be_found():
    wrong = copy.deepcopy(named("Deployment", "renderline-worker"))
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 40
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(json.loads(json.dumps(wrong)), kubernetes_validate.latest_version(), strict=True)


def test_kustomize_applies_every_file_but_the_examples_and_the_present_version():
    (base,) = read(FOLDER / "kustomization.yaml")
    files = {path.name for path in FOLDER.glob("*.yaml") if ".example." not in path.name} - {"kustomization.yaml"}
    assert set(base["resources"]) == files
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert [image["newTag"] for image in base["images"]] == [version]
    assert {container(role)["image"] for role in ROLES} == {image["name"] for image in base["images"]}
    (keda,) = read(FOLDER / "keda/kustomization.yaml")
    assert keda["resources"] == ["..", "scaledobject.yaml"]


@pytest.mark.parametrize("role", ROLES)
def test_the_environment_of_each_role_is_valid(role, tmp_path):
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(text)
    environ = dict(named("ConfigMap", "renderline")["data"])
    environ |= {one["name"]: one["value"] for one in container(role)["env"]}
    mounted = "/run/secrets/renderline"
    settings = load({name: value.replace(mounted, str(tmp_path)) for name, value in environ.items()}, role=role)
    assert settings.redis_url.startswith("rediss://renderline-worker:")
    assert settings.log_format == "json"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_secrets_that_it_needs_as_files_and_no_others(role):
    (volume,) = [one["secret"] for one in pod(role)["volumes"] if one["name"] == "secrets"]
    items = [one["key"] for one in volume["items"]]
    wanted = {
        "worker": ["REDIS_URL", "accounts.toml", "RENDERLINE_SECRET_KEY", "RENDERLINE_HOOK_SECRET"],
        "gateway": ["REDIS_URL", "RENDERLINE_SECRET_KEY", "RENDERLINE_HOOK_SECRET"],
        "flower": ["REDIS_URL", "FLOWER_BASIC_AUTH"],
    }
    assert items == wanted[role]
    used = [one["value"].rpartition("/")[2] for one in container(role)["env"] if "/run/secrets" in one["value"]]
    assert used == items
    assert not [one for one in container(role)["env"] if "valueFrom" in one]
    assert set(named("Secret", "renderline")["stringData"]) == set(SECRETS)


def test_each_role_runs_the_command_of_the_compose_file():
    compose = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for role in ("gateway", "flower"):
        command = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in compose[role]["command"]]
        assert container(role)["args"] == command
    (line,) = re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert container("worker")["args"] == json.loads(line)


@pytest.mark.parametrize("role", ROLES)
def test_every_pod_is_confined_bounded_and_watched(role):
    spec, one = pod(role), container(role)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert f"USER {spec['securityContext']['runAsUser']}" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    # A service of ours would set RENDERLINE_GATEWAY_PORT, an unknown variable, which ends every process.
    assert spec["enableServiceLinks"] is False
    assert "memory" in one["resources"]["limits"]
    assert {"cpu", "memory"} <= set(one["resources"]["requests"])
    port = one["ports"][0]["name"]
    for probe in ("livenessProbe", "readinessProbe"):
        assert one[probe]["httpGet"]["port"] == port
        path = one[probe]["httpGet"]["path"]
        assert path in {"worker": ("/healthz", "/readyz"), "gateway": ("/healthz",), "flower": ("/healthcheck",)}[role]


def test_a_worker_has_time_to_end():
    assert pod("worker")["terminationGracePeriodSeconds"] >= VARIABLES["RENDERLINE_SHUTDOWN_TIMEOUT"].default + 10


def test_services_budgets_and_policies_select_pods_that_exist():
    labels = [named("Deployment", f"renderline-{role}")["spec"]["template"]["metadata"]["labels"] for role in ROLES]
    selectors = [one["spec"]["selector"] for one in manifests() if one["kind"] == "Service"]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in manifests() if one["kind"] == "PodDisruptionBudget"]
    policies = [one["spec"]["podSelector"] for one in manifests() if one["kind"] == "NetworkPolicy"]
    selectors += [one["matchLabels"] for one in policies if one]
    assert len(selectors) == 7
    assert all(selector in labels for selector in selectors)
    assert {} in policies, "what no policy names is closed"


def test_workers_are_scaled_by_figures_that_exist(tmp_path):
    (scaled,) = read(FOLDER / "keda/scaledobject.yaml")
    assert scaled["spec"]["scaleTargetRef"]["name"] == named("Deployment", "renderline-worker")["metadata"]["name"]
    assert scaled["spec"]["minReplicaCount"] >= 1, "the sweep needs a worker"
    queries = [one["metadata"]["query"] for one in scaled["spec"]["triggers"]]
    known = {metric.name for metric in BY_SOURCE["ledger"]}
    used = {name for query in queries for name in re.findall(r"renderline_\w+", query)}
    assert "renderline_submission_waiting_seconds" in used
    assert used <= known
    promtool = shutil.which("promtool")
    if promtool is None:
        assert os.environ.get("CI") != "true", "promtool is missing: install the package prometheus"
        pytest.skip("promtool is not installed (Debian: prometheus)")
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "keda", "rules": rules}]}))
    read_by = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, check=False
    )
    assert read_by.returncode == 0, read_by.stdout + read_by.stderr
