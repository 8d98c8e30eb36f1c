"""What a delivery says, and how a failed hook travels."""

import json
import pickle

import pytest

from renderline.hooks import FINAL_EVENTS, CeleryHook, Delivery, DownloadHook, HookFailed, HookKind, HttpHook
from renderline.tenants import Tenant, Tenants

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TENANTS = Tenants(unlisted=Tenant(name="default", hook_secrets=(SECRET,)))


def test_body_holds_type_time_of_the_try_and_record():
    delivery = Delivery("render.failed", "msg_1", 1_795_170_245.25, {"id": "r1", "name": "Grüße"})
    assert delivery.body() == {
        "type": "render.failed",
        "timestamp": "2026-11-20T10:24:05.250Z",
        "data": {"id": "r1", "name": "Grüße"},
    }
    assert json.loads(json.dumps(delivery.body())) == delivery.body()


def test_failure_survives_pickling():
    failed = pickle.loads(pickle.dumps(HookFailed("gone", retry_after=3.5, permanent=True)))
    assert (str(failed), failed.retry_after, failed.permanent) == ("gone", 3.5, True)


@pytest.mark.parametrize(
    "kind", [DownloadHook(None), HttpHook(TENANTS), CeleryHook(lambda *_, **__: None)], ids=lambda kind: kind.type
)
def test_built_in_kinds_are_kinds(kind):
    assert isinstance(kind, HookKind)
    assert kind.wants("render.completed")
    assert not kind.wants("render.started")


@pytest.mark.parametrize("kind", [HttpHook(TENANTS), CeleryHook(lambda *_, **__: None)], ids=lambda kind: kind.type)
def test_events_narrow_what_a_hook_is_told(kind):
    assert [event for event in FINAL_EVENTS if not kind.wants(event)] == ["render.canceled"]
    narrowed = {"events": ["render.failed"]}
    assert [event for event in FINAL_EVENTS if kind.wants(event, narrowed)] == ["render.failed"]


def test_download_wants_nothing_but_completed_renders():
    assert [event for event in FINAL_EVENTS if DownloadHook(None).wants(event, {})] == ["render.completed"]
