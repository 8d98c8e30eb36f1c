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
    asked = {"retry_for": 259_200, "attempts": 5}
    assert load(asked, HookRetryPolicy()) == {**HOOK, **asked}


@pytest.mark.parametrize(
    ("hook", "path", "says"),
    [
        ({"retry_for": 7201}, "hooks.0.retry_for", "at most 7200, which RENDERLINE_HOOK_RETRY_FOR allows"),
        ({"attempts": 11}, "hooks.0.attempts", "at most 10, which RENDERLINE_HOOK_ATTEMPTS allows"),
    ],
)
def test_more_than_the_deployment_allows_is_refused(hook: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        load(hook, HookRetryPolicy(7200.0, 10))
    ((found, (message,)),) = caught.value.errors.items()
    assert (found, says in message) == (path, True)
