"""The v2 client and the token endpoint over real HTTP."""

import json

import pytest
from scripted_vendor import bad, good, hang_up, reply

from harness import ROOT
from renderline.studio import (
    CredentialsRefused,
    OutcomeUnknown,
    PayloadRefused,
    Progress,
    ProjectMissing,
    RateLimited,
    StudioV2,
    VendorUnavailable,
)

EXAMPLES = ROOT / "examples"
KEY = "-N4qJq7DwnRjBQ7iozRc"


@pytest.mark.contradiction(31)
@pytest.mark.parametrize("answer", [{"success": True, "cube_used": 1, "key": KEY}, {"data": {"key": KEY}}])
def test_v2_create_sends_the_secret_key_and_takes_the_project_key_from_either_place(studio_v2, vendor, answer):
    body = json.loads((EXAMPLES / "v2-seed-minimal.json").read_text())
    vendor.will(reply(answer))
    assert studio_v2.create_project(body) == KEY
    seen = vendor.seen[0]
    assert (seen.method, seen.path, seen.body) == ("POST", "/api/odin/editor/project", body)
    assert seen.headers["Authorization"] == "v2-secret-key-cccccccc"


@pytest.mark.contradiction(31)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"progress": 12.5}, Progress(12.5)),
        (
            {"success": True, "data": {"progress": 100, "url": "u", "videoUrl": "v"}, "videoUrl": "t"},
            Progress(100.0, "u"),
        ),
        ({"data": {"progress": 100, "videoUrl": "v"}, "videoUrl": "t"}, Progress(100.0, "v")),
        ({"progress": "100", "videoUrl": "t"}, Progress(100.0, "t")),
        ({"progress": 100, "data": {"url": ""}}, Progress(100.0, None)),
    ],
)
def test_v2_progress_is_read_in_all_its_forms(studio_v2, vendor, answer, expected):
    vendor.will(reply(answer))
    assert studio_v2.progress(KEY) == expected
    assert vendor.seen[0].path == f"/api/odin/editor/progress/{KEY}"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_v2_key_is_refused_credentials(studio_v2, vendor, status):
    vendor.will(reply({"success": False, "msg": "bad key"}, status=status))
    with pytest.raises(CredentialsRefused, match="bad key"):
        studio_v2.create_project({})


def test_v2_faults(studio_v2, vendor):
    vendor.will(
        reply({"success": False, "msg": "no such model"}),
        hang_up,
        reply({"success": True}),
        reply({"success": False}, status=404),
        reply({}, status=429, headers={"Retry-After": "2"}),
    )
    with pytest.raises(PayloadRefused, match="no such model"):
        studio_v2.create_project({})
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            studio_v2.create_project({})
    with pytest.raises(ProjectMissing):
        studio_v2.progress(KEY)
    with pytest.raises(RateLimited):
        studio_v2.create_project({})


def test_a_v2_key_that_no_header_can_carry_is_refused_at_once_and_not_repeated():
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        StudioV2("http://127.0.0.1:1", secret_key="two words")
    assert "two words" not in str(caught.value)


def test_a_token_is_issued_for_the_credentials(endpoint, vendor):
    vendor.will(good({"token": "a.b.c"}))
    assert endpoint.issue() == "a.b.c"
    seen = vendor.seen[0]
    assert (seen.method, seen.path) == ("POST", "/api/odin/v3/auth/token")
    assert seen.body == {"appId": "studioV3.acme", "userKey": "0b0b0b0b-1111-2222-3333-444444444444"}
    assert "Authorization" not in seen.headers


@pytest.mark.parametrize("step", [bad(1, "no"), *(bad(1, "no", status=status) for status in (400, 401, 403, 404))])
def test_refused_credentials(endpoint, vendor, step):
    vendor.will(step)
    with pytest.raises(CredentialsRefused):
        endpoint.issue()


@pytest.mark.parametrize(
    "step",
    [
        hang_up,
        bad(1, "x", status=500),
        reply(content=b"<html>"),
        good({}),
        good({"token": ""}),
        good({"token": "a\nb"}),
    ],
)
def test_anything_else_about_a_token_may_be_repeated(endpoint, vendor, step):
    vendor.will(step)
    with pytest.raises(VendorUnavailable):
        endpoint.issue()


def test_issuing_too_often_is_a_wait(endpoint, vendor):
    vendor.will(reply({}, status=429, headers={"Retry-After": "9"}))
    with pytest.raises(RateLimited) as caught:
        endpoint.issue()
    assert caught.value.retry_after == 9.0


def test_a_refusal_does_not_repeat_the_credentials(endpoint, vendor):
    vendor.will(bad(1, "key 0b0b0b0b-1111-2222-3333-444444444444 of studioV3.acme is wrong", status=400))
    with pytest.raises(CredentialsRefused) as caught:
        endpoint.issue()
    assert caught.value.message == "key [...] of [...] is wrong"
