"""RENDERLINE_TENANTS: a file with [[tenant]] tables; RENDERLINE_BROKER_TENANTS."""

import base64
from dataclasses import fields, replace

import pytest

from config import settings
from config.tenants import _TenantSchema
from renderline.tenants import Endpoint, Tenant
from workers.composition.tenants import tenants

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(24, 48))).decode()
FILE = f"""
[[tenant]]
name = "acme"
accounts = ["main"]
celery_hooks = ["billing.*@billing"]
hook_secrets = ["{SECRET}", "{OTHER}"]
hook_hosts = ["*.acme.test"]
allow_hook_urls = false
max_in_flight = 10
max_per_day = 1000
projects = ["p1"]
templates = ["*"]

[[tenant.endpoint]]
name = "billing"
url = "https://billing.acme.test/done"
secrets = ["{OTHER}"]

[[tenant]]
name = "globex"
"""


@pytest.fixture
def load(tmp_path):
    def load_file(text, **variables):
        path = tmp_path / "tenants.toml"
        path.write_text(text)
        return settings.load({"RENDERLINE_TENANTS": str(path), **variables}, role="gateway")

    return load_file


def test_the_variables_are_the_default_tenants_unless_its_table_says_otherwise(load):
    variables = {"RENDERLINE_HOOK_SECRET": SECRET, "RENDERLINE_CELERY_HOOKS": "*@*"}
    policy = Tenant(name="default", hook_secrets=(SECRET,), celery_hooks=("*@*",))
    alone = tenants(settings.load(variables, role="gateway"))
    assert alone["default"] == policy
    assert not alone.closed
    assert alone["acme"] == Tenant(name="acme"), "another tenant has a secret of its own or none"
    table = f'hook_secrets = ["{OTHER}"]'
    for text, secrets in (("", (SECRET,)), (table, (OTHER,))):
        found = load(f'[[tenant]]\nname = "default"\n{text}\n[[tenant]]\nname = "acme"', **variables)
        assert tenants(found)["default"] == replace(policy, hook_secrets=secrets)
        assert tenants(found)["acme"] == Tenant(name="acme")


def test_a_file_lists_tenants_with_their_policies(load):
    found = load(FILE)
    known = tenants(found)
    assert known.names == ("acme", "default", "globex")
    assert known.closed
    assert known["acme"] == Tenant(
        name="acme",
        accounts=("main",),
        celery_hooks=("billing.*@billing",),
        hook_secrets=(SECRET, OTHER),
        hook_hosts=("*.acme.test",),
        allow_hook_urls=False,
        endpoints={"billing": Endpoint("https://billing.acme.test/done", (OTHER,))},
        max_in_flight=10,
        max_per_day=1000,
        projects=("p1",),
        templates=("*",),
    )
    assert known["globex"] == Tenant(name="globex")
    assert known["nobody"] == Tenant(name="nobody"), "a tenant that no file lists has the defaults"
    assert {SECRET, OTHER} <= set(found.secrets()), "masked in logs"
    assert SECRET not in repr(found)
    assert SECRET not in repr(known["acme"])
    assert OTHER not in repr(known["acme"])


def test_the_file_has_every_field_of_a_policy():
    assert {"endpoint" if f.name == "endpoints" else f.name for f in fields(Tenant)} == set(_TenantSchema().fields)


def test_without_a_file_every_tenant_has_the_defaults():
    found = settings.load({}, role="gateway")
    assert found.broker_tenants == ("default",)
    known = tenants(found)
    assert known.names == ("default",)
    assert not known.closed
    assert known["acme"] == Tenant(name="acme")


def test_every_bad_value_is_named_at_once_and_no_secret_shown(load):
    bad = FILE.replace('"globex"', '"acme"').replace("max_in_flight = 10", "max_in_flight = 0\nmax_inflight = 3")
    bad = bad.replace(OTHER, "whsec_short").replace('url = "https://billing.acme.test/done"\n', "")
    with pytest.raises(settings.SettingsError) as caught:
        load(bad + 'allow_hook_urls = "perhaps"\n')
    said = str(caught.value)
    for place, reason in {
        "tenant.0.max_in_flight": "a whole number of at least 1",
        "tenant.0.max_inflight": "no such field",
        "tenant.0.hook_secrets": "whsec_",
        "tenant.0.endpoint.0.url": "is missing",
        "tenant.0.endpoint.0.secrets": "whsec_",
        "tenant.1.name": "'acme' is taken",
        "tenant.1.allow_hook_urls": "true or false",
    }.items():
        (line,) = [one for one in said.splitlines() if f" {place}: " in one]
        assert reason in line
        assert line.startswith("RENDERLINE_TENANTS")
    assert "short" not in said


@pytest.mark.parametrize("text", ["", "name = 1", "[[tenants]]\nname = 'acme'", "[tenant]\nname = 'acme'", "not toml"])
def test_anything_else_than_tenant_tables_is_refused(load, text):
    with pytest.raises(settings.SettingsError, match="RENDERLINE_TENANTS"):
        load(text)


def test_the_tenants_of_messages_are_a_list_of_names():
    assert settings.load({"RENDERLINE_BROKER_TENANTS": "acme, globex"}, role="gateway").broker_tenants == (
        "acme",
        "globex",
    )
    with pytest.raises(settings.SettingsError, match="RENDERLINE_BROKER_TENANTS"):
        settings.load({"RENDERLINE_BROKER_TENANTS": "Acme Corp"}, role="gateway")
