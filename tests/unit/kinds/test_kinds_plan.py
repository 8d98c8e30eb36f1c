"""The table of kinds: which stages each has, and which of them costs."""

import json

import pytest

from harness.requests import load
from renderline.accounts.clients import AccountClients
from renderline.drafts import project_name
from renderline.kinds import KINDS, PAID_STAGES, render_evidence, started_since
from renderline.studio import Project

PLANS = [
    pytest.param(kind, mode, id=f"{kind.name}-{mode}") for kind in KINDS.values() for mode in ("two_phase", "direct")
]


def context(kind, body, *, webhook_url=None, project_id=None):
    return KINDS[kind].context(body, name="n", webhook_url=webhook_url, project_id=project_id)


@pytest.mark.parametrize(("kind", "mode"), PLANS)
def test_the_last_stage_costs_and_an_earlier_one_that_does_is_followed(kind, mode):
    stages = kind.plan(mode, at="")
    assert stages[-1].paid
    assert stages[-1].poll is None
    assert all(stage.paid == (stage.poll is not None) for stage in stages[:-1])
    assert len({stage.name for stage in stages}) == len(stages)


@pytest.mark.parametrize(("kind", "mode"), PLANS)
def test_a_plan_goes_on_at_the_stage_that_comes_next(kind, mode):
    whole = kind.plan(mode, at="")
    for index, stage in enumerate(whole):
        assert kind.plan(mode, at=stage.name) == whole[index:]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_changed_setting_leaves_a_render_in_the_plan_that_it_began(kind):
    for mode, other in (("two_phase", "direct"), ("direct", "two_phase")):
        names = {stage.name for stage in kind.plan(other, at="")}
        for stage in kind.plan(mode, at=""):
            rest = kind.plan(other, at=stage.name)
            assert rest[0].name == stage.name
            assert rest[-1].paid
            if stage.name not in names:
                assert rest == kind.plan(mode, at=stage.name)


@pytest.mark.parametrize(("kind", "mode"), PLANS)
def test_no_name_means_a_free_stage_in_one_plan_and_a_paid_one_in_the_other(kind, mode):
    """An announced call is known by its stage's name alone; whether it costs must follow from that."""
    for stage in kind.plan(mode, at=""):
        assert kind.stage(stage.name).paid == stage.paid


def test_no_kind_has_a_free_stage_with_the_name_of_a_paid_one():
    # The ledger is given the names alone.
    for kind in KINDS.values():
        assert {stage.name for stage in kind.stages if stage.name in PAID_STAGES and not stage.paid} == set()


def test_an_unknown_stage_is_an_error():
    with pytest.raises(LookupError, match="no stage 'paint'"):
        KINDS["project"].plan("two_phase", at="paint")
    assert KINDS["project"].stage("paint") is None


@pytest.mark.parametrize(
    ("kind", "two_phase", "direct"),
    [
        ("project", ["draft", "export"], ["create"]),
        ("edit", ["draft", "baseline", "export"], ["baseline", "edit"]),
        ("export", ["baseline", "export"], ["baseline", "export"]),
        ("template", ["draft", "export"], ["draft", "export"]),
        ("slides", ["draft", "export"], ["draft", "export"]),
        ("simple_video", ["draft", "export"], ["create"]),
        ("v2_project", ["create"], ["create"]),
    ],
)
def test_the_stages_of_a_kind(kind, two_phase, direct):
    assert [stage.name for stage in KINDS[kind].plan("two_phase", at="")] == two_phase
    assert [stage.name for stage in KINDS[kind].plan("direct", at="")] == direct


@pytest.mark.parametrize(
    ("kind", "draft"),
    [("project", ["draft"]), ("template", ["draft"]), ("simple_video", ["draft"]), ("edit", ["draft"])],
)
def test_a_draft_alone_takes_the_stages_before_the_export(kind, draft):
    assert KINDS[kind].leaves_draft
    for mode in ("two_phase", "direct"):
        assert [stage.name for stage in KINDS[kind].plan(mode, at="begin", draft=True)] == draft


@pytest.mark.parametrize("kind", ["export", "v2_project"])
def test_a_kind_without_a_draft_stage_leaves_none(kind):
    assert not KINDS[kind].leaves_draft


def test_only_projects_that_we_made_are_ever_deleted():
    assert not KINDS["edit"].owns_project
    assert not KINDS["export"].owns_project


def test_only_calls_that_take_a_name_are_looked_for_by_name():
    for kind in KINDS.values():
        if any(stage.findable for stage in kind.stages):
            assert kind.takes_name


def test_a_stage_acts_on_the_project_that_was_made_before_the_one_that_was_named():
    assert context("export", {"project_id": "asked"}, project_id="made").project() == "made"
    assert context("export", {"project_id": "asked"}).project() == "asked"
    with pytest.raises(LookupError):
        context("export", {}).project()


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "template", "template_id": "65fa6b07dca2e367461a2925", "name": "n"},
        {"kind": "export", "project_id": "65fa6b07dca2e367461a2925"},
        {"kind": "simple_video", "language": "en", "text": "Hi", "model": "M1", "clothes": "C1"},
    ],
    ids=lambda data: data["kind"],
)
def test_an_export_by_a_second_call_is_given_what_was_asked_for(data):
    asked = load({**data, "resolution": "720", "workspace_id": "w1"}).body
    options = context(data["kind"], asked, webhook_url="https://gw/hook", project_id="p").export_options()
    assert options == {"resolution": "720", "workspace_id": "w1", "webhook_url": "https://gw/hook"}
    plain = context(data["kind"], load(data).body, project_id="p").export_options()
    assert plain == {"resolution": None, "workspace_id": None, "webhook_url": None}


def test_the_compact_form_has_export_options_too():
    scenes = [{"script": "Hi.", "avatar": {"model": "M1", "clothes": "C1"}}]
    body = load({"kind": "project", "scenes": scenes, "workspaceId": "w2"}).body
    options = context("project", body, project_id="p").export_options()
    assert options == {"resolution": "1080", "workspace_id": "w2", "webhook_url": None}


def test_the_callers_own_webhook_is_used_where_ours_cannot_be_reached():
    mine = "https://hooks.example.com/a"
    body = load({"kind": "export", "payload": {"projectId": "65fa6b07dca2e367461a2925", "webhookUrl": mine}}).body
    assert context("export", body).export_options()["webhook_url"] == mine
    assert context("export", body, webhook_url="https://gw/hook").export_options()["webhook_url"] == "https://gw/hook"


def test_an_account_without_credentials_says_what_to_configure():
    clients = AccountClients("main", None, None)
    with pytest.raises(LookupError, match="'main' has no v3 credentials"):
        clients.use_v3()
    with pytest.raises(LookupError, match="'main' has no v2 credentials"):
        clients.use_v2()


def test_the_project_name_ends_with_the_render_id():
    assert project_name("Welcome", "ab12") == "Welcome [ab12]"


def test_render_evidence_survives_the_ledger():
    seen = Project("p", "n", "exported", 97.5, "t1", True, "https://v/1.mp4", None)
    baseline = json.dumps(render_evidence(seen))
    assert not started_since(seen, baseline)
    assert started_since(seen, None)
    assert not started_since(Project("p", "n", "draft", 0.0, None, False, None, None), None)
