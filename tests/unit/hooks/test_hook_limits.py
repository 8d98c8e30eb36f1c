"""What a hook may ask for: no more retries than the deployment allows."""

from __future__ import annotations

from typing import Any

import pytest

from harness import a_request
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.acceptance import Acceptor
from renderline.hooks import CeleryHook, load_kinds
from renderline.requests import RequestRefused
from renderline.retry import HookRetryPolicy
from renderline.tenants import COMMAND_LINE

HOOK = {"type": "celery", "task": "billing.ready", "queue": "billing"}


WAITS = (2.0, 60.0, 3600.0)


def load(hook: dict[str, Any], retries: HookRetryPolicy) -> dict[str, Any]:
    acceptor = Acceptor(
        None,  # type: ignore[arg-type]
        RecordedDispatcher(),  # type: ignore[arg-type]
        ["default"],
        load_kinds(CeleryHook(print)),
        60.0,
        100_000,
        hook_retries=retries,
    )
    (loaded,) = acceptor.load(a_request(hooks=[{**HOOK, **hook}]), actor=COMMAND_LINE).hooks
    return loaded


def test_what_it_asks_for_is_kept_with_the_render() -> None:
    asked = {"retry_for": 259_200, "attempts": 5, "waits": [2, 10, 86_400]}
    assert load(asked, HookRetryPolicy()) == {**HOOK, **asked}


@pytest.mark.parametrize(
    ("hook", "path", "says"),
    [
        ({"retry_for": 7201}, "hooks.0.retry_for", "at most 7200, which RENDERLINE_HOOK_RETRY_FOR allows"),
        ({"attempts": 11}, "hooks.0.attempts", "at most 10, which RENDERLINE_HOOK_ATTEMPTS allows"),
        ({"waits": [60, 1, 60]}, "hooks.0.waits.1", "at least 2, the shortest of RENDERLINE_HOOK_WAITS"),
        ({"waits": [60, 0]}, "hooks.0.waits.1", "from 1 to 86400"),
        ({"waits": ["60"]}, "hooks.0.waits.0", "integer"),
        ({"waits": []}, "hooks.0.waits", "from 1 to 20"),
        ({"waits": [60] * 21}, "hooks.0.waits", "from 1 to 20"),
        ({"waits": 60}, "hooks.0.waits", "list"),
    ],
)
def test_more_than_the_deployment_allows_is_refused(hook: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        load(hook, HookRetryPolicy(7200.0, 10, WAITS))
    ((found, (message,)),) = caught.value.errors.items()
    assert (found, says in message) == (path, True)


@pytest.mark.parametrize(
    ("hook", "calls"),
    [({"waits": [2]}, 3601), ({"waits": [60], "retry_for": 7200}, 121), ({"waits": [3, 2], "retry_for": 203}, 102)],
)
def test_a_schedule_may_not_lead_to_more_than_a_hundred_calls(hook: dict[str, Any], calls: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        load(hook, HookRetryPolicy(7200.0, None, WAITS))
    ((path, (message,)),) = caught.value.errors.items()
    assert path == "hooks.0.waits"
    assert message.startswith(f"lead to {calls} calls within {hook.get('retry_for', 7200)} s; at most 100")


@pytest.mark.parametrize(
    "hook", [{"waits": [2], "attempts": 10}, {"waits": [2], "retry_for": 198}, {"waits": [2, 3600]}, {"waits": [73]}]
)
def test_a_schedule_with_fewer_calls_is_accepted(hook: dict[str, Any]) -> None:
    assert load(hook, HookRetryPolicy(7200.0, None, WAITS))["waits"] == hook["waits"]
