"""A tenant names the vendor projects that its renders made or that it was granted, and no others; so with templates."""

import pytest

from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.acceptance import Acceptor
from renderline.ledger.submission import ForeignProject
from renderline.operations import Operations, ProjectNotAllowed
from renderline.requests import RequestRefused
from renderline.tenants import COMMAND_LINE, Actor, Tenant, Tenants

OURS, THEIRS, STRAY, GRANTED = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
EDIT = {"kind": "edit", "updates": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Changed."}}]}
VIDEO = {"language": "en", "text": "Hello.", "model": "M1", "clothes": "C1"}
SPOKEN = {"language": "en", "text": "Hello.", "model": "M1"}
V2_EDIT = {"kind": "v2_edit", "updates": [{"sceneIdx": 0, "property": "AIModel", "values": {"script": "Changed."}}]}
KNOWN = Tenants(
    [
        Tenant(name="acme", projects=(GRANTED,), templates=("t1",)),
        Tenant(name="rich", projects=("*",), templates=("*",)),
    ]
)


def actor(tenant):
    return Actor(door="http", tenant=tenant, key_id="0123456789ab", name="key")


@pytest.fixture
def made(driver: LedgerDriver) -> dict[str, str]:
    """The projects that one render of each tenant made, by tenant."""
    projects = {}
    for one, tenant in ((OURS, "acme"), (THEIRS, "globex"), (STRAY, "default")):
        driver.accept(one, tenant=tenant)
        claim = driver.claim(one)
        projects[tenant] = f"p-{one}"
        assert driver.ledger.advance(claim, stage="export", project_id=projects[tenant], made=True)
    return projects


@pytest.fixture
def names(driver: LedgerDriver):
    acceptor = Acceptor(driver.ledger, RecordedDispatcher(), ("main",), {}, 60.0, 10_000, KNOWN)

    def load(request, tenant):
        """Return the paths of the errors of a request."""
        try:
            acceptor.load({**request, "account": "main"}, actor=actor(tenant))
        except RequestRefused as refused:
            return sorted(refused.errors)
        return []

    return load


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (lambda project: {"kind": "export", "project_id": project}, "project_id"),
        (lambda project: {"kind": "export", "payload": {"projectId": project}}, "payload.projectId"),
        (lambda project: {"kind": "from_project", "project_id": project}, "project_id"),
        (lambda project: {"kind": "from_project", "payload": {"projectId": project}}, "payload.projectId"),
        (lambda project: {**EDIT, "project_id": project}, "project_id"),
        (lambda project: {**EDIT, "projectId": project}, "projectId"),
        (lambda project: {**V2_EDIT, "project_id": project}, "project_id"),
        (lambda project: {"kind": "audio", "payload": {**SPOKEN, "projectId": project}}, "payload.projectId"),
        (lambda project: {"kind": "v2_simple_audio", "payload": {**SPOKEN, "projectId": project}}, "payload.projectId"),
        (lambda project: {"kind": "simple_video", "payload": {**VIDEO, "projectId": project}}, "payload.projectId"),
        (lambda project: {"kind": "simple_video", "payload": {**VIDEO, "_id": project}}, "payload._id"),
        (lambda project: {"kind": "export", "project_id": project, "validation": "warn"}, "project_id"),
    ],
)
def test_a_request_names_projects_of_its_tenant(names, made, form, path):
    def refused(project, tenant):
        found = names(form(project), tenant)
        assert found in ([], [path])
        return bool(found)

    assert not refused(made["acme"], "acme")
    assert refused(made["globex"], "acme")
    assert refused(made["acme"], "globex")
    assert refused(made["acme"], "default"), "what another tenant made is not the default one's either"
    assert refused(made["default"], "acme")
    assert not refused(made["default"], "default")
    assert refused("unknown", "acme")
    assert not refused("unknown", "default"), "as it was before there were tenants"
    assert not refused(GRANTED, "acme")
    assert refused(GRANTED, "globex")
    assert not refused(made["globex"], "rich")


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (lambda template: {"kind": "template", "template_id": template}, "template_id"),
        (lambda template: {"kind": "template", "payload": {"templateId": template}}, "payload.templateId"),
        (lambda template: {"kind": "simple_video", "payload": {**VIDEO, "templateId": template}}, "payload.templateId"),
        (lambda one: {"kind": "topic_video", "topic": "Birds.", "options": {"templateId": one}}, "options.templateId"),
        (
            lambda one: {"kind": "topic_video", "payload": {"topic": "Birds.", "options": {"templateId": one}}},
            "payload.options.templateId",
        ),
    ],
)
def test_a_request_names_templates_that_its_tenant_was_granted(names, form, path):
    def refused(template, tenant):
        found = names(form(template), tenant)
        assert found in ([], [path])
        return bool(found)

    assert not refused("t1", "acme")
    assert refused("t2", "acme")
    assert refused("t1", "globex")
    assert not refused("t2", "default")
    assert not refused("t2", "rich")


def test_a_tenant_names_no_document_that_others_sent_to_the_vendor(driver):
    acceptor = Acceptor(driver.ledger, RecordedDispatcher(), ("main",), {}, 60.0, 10_000, KNOWN)
    files = ["https://example.com/a.pdf", {"uri": "documents/1", "fileName": "a.pdf"}]
    request = {"kind": "document_video", "files": files, "account": "main"}
    with pytest.raises(RequestRefused) as caught:
        acceptor.load(request, actor=actor("acme"))
    assert list(caught.value.errors) == ["files.1"]
    assert acceptor.load(request, actor=actor("default")).kind == "document_video"


def test_the_refusal_does_not_tell_what_exists(driver, made):
    acceptor = Acceptor(driver.ledger, RecordedDispatcher(), ("main",), {}, 60.0, 10_000, KNOWN)

    def said(project):
        with pytest.raises(RequestRefused) as caught:
            acceptor.load({"kind": "export", "project_id": project, "account": "main"}, actor=actor("acme"))
        return str(caught.value).replace(project, "")

    assert said(made["globex"]) == said(made["default"]) == said("unknown")
    assert "projects" in said("unknown")
    assert "RENDERLINE_TENANTS" in said("unknown")


def test_a_project_stays_its_tenants_after_the_record_is_forgotten(driver, names, made):
    driver.operations.cancel(OURS)
    driver.clock.forward(100.0)
    assert driver.ledger.forget(retention=1.0) == 1
    assert names({"kind": "export", "project_id": made["acme"]}, "acme") == []
    assert names({"kind": "export", "project_id": made["acme"]}, "default") == ["project_id"]


def test_an_operator_adopts_what_no_other_tenant_made(driver, made):
    operations = Operations(driver.ledger, RecordedDispatcher(), ["main"], tenants=KNOWN)
    one = "e" * 32
    driver.accept(one, tenant="acme")
    driver.start(one, confirmed=False)
    for project in (made["globex"], made["default"]):
        with pytest.raises(ProjectNotAllowed):
            operations.adopt(one, project, actor=COMMAND_LINE)
    with pytest.raises(ProjectNotAllowed):
        operations.adopt(one, "unknown", actor=actor("acme"))
    assert driver.state(one) == "unconfirmed"
    assert operations.adopt(one, "unknown", actor=COMMAND_LINE)["project_id"] == "unknown"
    assert driver.ledger.project_tenant("main", "unknown") == "acme", "it is the tenant's from now on"


def test_no_tenant_takes_a_project_over_that_another_made(driver, names, made):
    operations = Operations(driver.ledger, RecordedDispatcher(), ["main"], tenants=KNOWN)
    adopting, answered = "e" * 32, "f" * 32
    for one in (adopting, answered):
        driver.accept(one, tenant="rich")
    driver.start(adopting, confirmed=False)
    operations.adopt(adopting, made["default"], actor=actor("rich"))
    # The vendor answers a call with a project that it gave to another render before.
    with pytest.raises(ForeignProject):
        driver.ledger.advance(driver.claim(answered), stage="export", project_id=made["default"], made=True)
    assert driver.ledger.project_tenant("main", made["default"]) == "default"
    assert names({"kind": "export", "project_id": made["default"]}, "default") == []


def test_another_spelling_of_an_id_opens_no_project_of_another_tenant(driver, names, made):
    # The vendor's ids are hexadecimal, and hexadecimal has two spellings.
    driver.redis.hset("renderline:project_tenants:main", "65fa6b07dca2e367461a2925", "acme")
    for spelling in ("65fa6b07dca2e367461a2925", "65FA6B07DCA2E367461A2925", "65Fa6b07dca2e367461a2925"):
        assert names({"kind": "export", "project_id": spelling}, "default") == ["project_id"]


def test_a_render_of_the_default_tenant_costs_nothing_more(driver, made):
    assert driver.redis.hgetall("renderline:project_tenants:main") == {made[name]: name for name in ("acme", "globex")}


def test_the_projects_of_several_outputs_are_their_tenants(driver, names, made):
    one = "e" * 32
    driver.accept(one, tenant="acme")
    (due,) = driver.claim_due_polls(driver.start(one))
    # The vendor names a project of its own, and one that another render made.
    outputs = [{"language": None, "project_id": project} for project in ("dubbed", made["default"], None)]
    driver.record_result(due, "wait", poll_in=1.0, outputs=outputs)
    assert names({"kind": "export", "project_id": "dubbed"}, "default") == ["project_id"]
    assert names({"kind": "export", "project_id": "dubbed"}, "acme") == []
    assert names({"kind": "export", "project_id": made["default"]}, "acme") == ["project_id"]
    assert names({"kind": "export", "project_id": made["default"]}, "default") == []
