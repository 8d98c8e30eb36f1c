"""Tenants on the command line: keys, lists, the audit log, doctor."""

import pytest

from harness import a_request
from harness.ledger import LedgerDriver
from renderline.contract import render_id_for_key
from renderline.gateway.api_keys import ApiKeys

ACME, PLAIN = "a" * 32, "b" * 32
FILE = '[[tenant]]\nname = "acme"\naccounts = ["default"]\n'


@pytest.fixture
def renders(redis):
    driver = LedgerDriver(redis)
    driver.accept(ACME, tenant="acme", hooks=1)
    driver.accept(PLAIN)
    return driver


def test_a_key_belongs_to_a_tenant_and_is_bound_to_accounts(run, redis):
    made = run("keys", "create", "billing", "--tenant", "acme", "--account", "default", "--json").value
    assert (made["tenant"], made["accounts"]) == ("acme", ["default"])
    actor = ApiKeys(redis).check(f"Bearer {made['key']}", "submit")
    assert (actor.tenant, actor.accounts, actor.key_id) == ("acme", ("default",), made["id"])
    plain = run("keys", "create", "plain", "--json").value
    assert (plain["tenant"], plain["accounts"]) == ("default", None)
    everything = run("keys", "create", "ops", "--scope", "operator", "--json").value
    assert everything["tenant"] is None
    rows = {row["name"]: row for row in run("keys", "list", "--json").value}
    assert [rows[name]["tenant"] for name in ("billing", "plain", "ops")] == ["acme", "default", None]
    assert rows["billing"]["accounts"] == ["default"]
    assert "acme" in run("keys", "list").out


def test_a_key_of_an_unknown_tenant_or_account_is_refused(run, tmp_path):
    path = tmp_path / "tenants.toml"
    path.write_text(FILE)
    refused = run("keys", "create", "k", "--tenant", "globex", RENDERLINE_TENANTS=str(path))
    assert refused.code == 2
    assert "acme, default" in refused.err
    assert run("keys", "create", "k", "--tenant", "acme", RENDERLINE_TENANTS=str(path)).code == 0
    path.write_text(FILE.replace('["default"]', '["main"]'))
    useless = run("keys", "create", "k", "--tenant", "acme", "--account", "default", RENDERLINE_TENANTS=str(path))
    assert useless.code == 2
    assert "tenant acme may use main" in useless.err
    unknown = run("keys", "create", "k", "--account", "nobody")
    assert unknown.code == 2
    assert "known: default" in unknown.err
    assert run("keys", "create", "k", "--tenant", "Acme Corp").code == 2
    assert run("keys", "create", "k", "--scope", "operator", "--tenant", "acme").code == 2


def test_a_wrong_file_is_not_blamed_on_an_option(run, tmp_path):
    path = tmp_path / "tenants.toml"
    path.write_text(FILE + "max_inflight = 3\n")
    refused = run("list", RENDERLINE_TENANTS=str(path))
    assert refused.code == 2
    assert "max_inflight" in refused.err
    assert "--cursor" not in refused.err


def test_lists_name_the_tenant_once_there_are_several(run, renders):
    assert {one["id"] for one in run("list", "--json").value["renders"]} == {ACME, PLAIN}
    assert [one["id"] for one in run("list", "--tenant", "acme", "--json").value["renders"]] == [ACME]
    assert [one["id"] for one in run("list", "--tenant", "default", "--json").value["renders"]] == [PLAIN]
    assert "TENANT" in run("list").out
    assert "TENANT" not in run("list", "--tenant", "default").out
    assert "acme" in run("status", ACME).out


def test_the_command_line_submits_for_any_tenant(run, request_file):
    path = request_file({**a_request(hooks=[]), "tenant": "acme"})
    (record,) = run("submit", path, "--key", "k1", "--json").value
    assert (record["tenant"], record["accepted_by"]) == ("acme", "command line")
    assert record["id"] == render_id_for_key("k1", "acme")
    (found,) = run("status", "--key", "k1", "--tenant", "acme", "--json").value
    assert found["id"] == record["id"]


def test_the_audit_log_says_who_did_what(run, renders):
    run("cancel", ACME)
    run("cancel", "0" * 32)
    run("retry", PLAIN)
    run("pause", "default")
    key = run("keys", "create", "k", "--json").value["id"]
    run("keys", "revoke", key)
    entries = run("audit-log", "--json").value
    assert [(one["action"], one["target"]) for one in reversed(entries)] == [
        ("cancel", f"render {ACME}"),
        ("cancel", f"render {'0' * 32}"),
        ("retry", f"render {PLAIN}"),
        ("pause", "account default"),
        ("create", f"key {key}"),
        ("revoke", f"key {key}"),
    ]
    outcomes = [one["outcome"].partition(":")[0] for one in reversed(entries)]
    assert outcomes == ["done", "refused", "refused", "done", "done", "done"]
    assert {one["door"] for one in entries} == {"command line"}
    assert len(run("audit-log", "--limit", "2", "--json").value) == 2
    assert f"render {ACME}" in run("audit-log").out


def test_doctor_names_tenants_that_the_file_does_not_list(run, renders, tmp_path):
    def tenants(**more):
        return {
            (row["verdict"], row["detail"])
            for row in run("doctor", "--json", **more).value["checks"]
            if row["check"] == "tenants"
        }

    assert tenants() == {("ok", "2: acme, default")}
    path = tmp_path / "tenants.toml"
    path.write_text(FILE.replace("acme", "globex"))
    found = tenants(RENDERLINE_TENANTS=str(path))
    assert ("ok", "3: acme, default, globex") in found
    assert any(verdict == "warn" and detail.endswith("acme") for verdict, detail in found)
