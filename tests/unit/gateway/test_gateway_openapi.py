"""The OpenAPI document is sound, and describes the requests that are in fact accepted."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from redis import Redis

from harness import ROOT, a_request
from harness.gateway_app import gateway_app
from renderline.gateway import AccessDenied
from renderline.hooks import CeleryHook, DownloadHook, HttpHook, load_kinds
from renderline.kinds import KINDS
from renderline.tenants import Tenants


class DenyAll:
    def check(self, header, scope):
        raise AccessDenied(401 if header is None else 403, scope)


def client(**options):
    kinds = load_kinds(DownloadHook("file:///srv/videos"), HttpHook(Tenants()), CeleryHook(print))
    return gateway_app(Redis(port=1), hook_kinds=kinds, **options).test_client()


@pytest.fixture(scope="module")
def document():
    return client().get("/openapi.json").get_json()


@pytest.fixture(scope="module")
def is_request(document):
    schema = {"$ref": "#/components/schemas/RenderRequest", "components": document["components"]}
    return Draft202012Validator(schema).is_valid


def operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def test_it_is_openapi_3_1_and_every_schema_is_one(document):
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])


def test_every_route_has_a_summary_and_problem_documents_for_its_errors(document):
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_a_route_says_in_its_description_what_its_docstring_says(document):
    cancel = document["paths"]["/v1/renders/{render_id}/cancel"]["post"]
    assert cancel["summary"] == "Cancel a render."
    # Hooks that ask for `render.canceled` run, and no other.
    assert "only those run whose `events` include\n`render.canceled`" in cancel["description"]


def test_the_idempotency_key_of_a_batch_is_documented_too(document):
    for path in ("/v1/renders", "/v1/renders/batch"):
        (header,) = document["paths"][path]["post"]["parameters"]
        assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", False)


def test_there_is_a_component_for_every_kind(document):
    mapping = document["components"]["schemas"]["RenderRequest"]["discriminator"]["mapping"]
    assert set(mapping) == set(KINDS)


def test_the_page_shows_an_example_of_each_kind_which_is_a_request(document, is_request):
    content = document["paths"]["/v1/renders"]["post"]["requestBody"]["content"]["application/json"]
    shown = {name: example["value"] for name, example in content["examples"].items()}
    assert shown == {name: {"kind": name, **kind.example} for name, kind in KINDS.items()}
    assert [name for name, request in shown.items() if len(request) < 2 or not is_request(request)] == []
    for name, request in shown.items():
        component = document["components"]["schemas"][f"{name.title().replace('_', '')}Request"]
        assert component["examples"] == [request]


def test_examples_of_vendor_bodies_are_requests(is_request):
    kinds = {"v3-edit-project": "edit", "v3-simple-video": "simple_video", "v2-seed-minimal": "v2_project"}
    for path in sorted(Path(ROOT / "examples").glob("*.json")):
        body = json.loads(path.read_text())
        if "kind" in body:
            assert is_request(body), path.name
        else:
            assert is_request({"kind": kinds.get(path.stem, "project"), "payload": body}), path.name


@pytest.mark.parametrize(
    "changed",
    [
        {"hooks": [{"type": "download"}, {"type": "http", "url": "https://example.com/done"}]},
        {"hooks": [{"type": "celery", "task": "billing.video_ready", "queue": "billing"}]},
        {"deadline": 3600, "metadata": {"order": "A-17"}, "priority": "high", "account": "default"},
        {"orientation": "portrait", "resolution": "4k", "name": None},
    ],
)
def test_a_compact_request_is_one(is_request, changed):
    assert is_request(a_request(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        *({"kind": "film"}, {"scenes": []}, {"scenes": None}, {"scene": 1}, {"deadline": 0}, {"priority": "urgent"}),
        *({"hooks": [{"type": "ftp"}]}, {"hooks": [{"type": "http"}]}, {"name": "x" * 201}, {"payload": {}}),
    ],
)
def test_what_is_refused_is_none(is_request, changed):
    assert not is_request(a_request(**changed))


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "export", "project_id": "65fa6b07dca2e367461a2925", "resolution": "4k"},
        {"kind": "template", "template_id": "65fa6b07dca2e367461a2925", "aiName": "M000045058"},
        {"kind": "simple_video", "language": "en", "text": "Hello.", "model": "M1", "clothes": "B1"},
    ],
)
def test_fields_of_a_payload_may_stand_at_the_top(is_request, request_):
    assert is_request(request_)


def test_keys_are_part_of_it_where_they_are_asked_for(document):
    guarded = client(authenticator=DenyAll()).get("/openapi.json").get_json()
    assert guarded["security"] == [{"apiKey": []}]
    assert guarded["components"]["securitySchemes"]["apiKey"] == {"type": "http", "scheme": "bearer"}
    assert "security" not in document


def test_every_route_of_the_api_asks_for_a_scope(document):
    denied = client(authenticator=DenyAll())
    scopes = {}
    for path, method, operation in operations(document):
        concrete = path.replace("{render_id}", "0" * 32).replace("{index}", "0").replace("{name}", "default")
        concrete = concrete.replace("{project_id}", "p1")
        answer = denied.open(concrete, method=method.upper(), headers={"Authorization": "Bearer x"})
        assert answer.status_code == 403, (method, path)
        scopes[f"{method} {path.removeprefix('/v1')}"] = answer.get_json()["detail"]
        nobody = denied.open(concrete, method=method.upper())
        assert (nobody.status_code, nobody.headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
        assert {"401", "403"} <= set(operation["responses"]) or "default" in operation["responses"], (method, path)
    one, admin = "/renders/{render_id}", "admin"
    assert {name for name, scope in scopes.items() if scope == "submit"} == {
        *("post /renders", "post /renders/batch", "post /renders/bulk", "post /uploads"),
        *(f"post {one}/cancel", f"post {one}/retry"),
    }
    assert {name for name, scope in scopes.items() if scope == admin} == {
        *(f"post {one}/hooks/{{index}}/replay", f"post {one}/hooks/{{index}}/discard"),
        *(f"post {one}/hold", f"post {one}/release", f"post {one}/adopt", f"post {one}/resubmit", f"post {one}/fail"),
        *("post /accounts/{name}/pause", "post /accounts/{name}/resume"),
        f"delete {one}",
    }
    assert all(scope == "read" for name, scope in scopes.items() if name.startswith("get "))


def test_the_page_has_only_assets_of_our_own():
    page = client().get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("http://www.w3.org", "").split("<script>")[0]
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
        assert f'"docs/assets/{name}"' in page.text
        with client().get(f"/docs/assets/{name}") as asset:
            assert asset.status_code == 200
    # The page's own default would send the document to its makers for validation.
    assert '"validatorUrl": null' in page.text
    assert client().get("/docs/assets/../../application.py").status_code == 404
