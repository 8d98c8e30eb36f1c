"""An endpoint that hangs gets less and less time; one that is slow, but answers, is not given up for it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from harness import HOOK_SECRET
from harness.hook_endpoint import HookEndpoint
from harness.ledger import LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HttpHook
from renderline.hooks.concurrency import HookConcurrency
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.tenants import DEFAULT, Tenant, Tenants

WHOLE = 0.8
SLOW = 0.5


def test_a_slow_endpoint_that_hung_before_is_not_given_up(driver: LedgerDriver) -> None:
    over, calls, lengths = threading.Event(), [], []

    def answer(body: dict[str, Any]) -> int:
        calls.append(body)
        if len(calls) <= 2:
            over.wait(60)
        else:
            time.sleep(SLOW)
        return 204

    with HookEndpoint(answer) as endpoint:
        kind = HttpHook(Tenants([Tenant(name=DEFAULT, hook_secrets=(HOOK_SECRET,))]), allow_private=True)
        deliverer = Deliverer(
            ledger=driver.ledger,
            dispatcher=RecordedDispatcher(),
            kinds={"http": kind},
            retries=HookRetryPolicy(attempts=3),
            lease=LEASE,
            concurrency=HookConcurrency(driver.limits, call_time=WHOLE),
        )
        hook = {"type": "http", "url": endpoint.url}
        meta = {"name": "Slow", "hooks": [hook], "metadata": {}}
        assert driver.ledger.accept(replace(driver.entry("r1"), meta=meta)).status == "new"
        driver.finish("r1")
        for _ in range(2):
            began = time.monotonic()
            outcome = deliverer.deliver("r1", 0)
            lengths.append(time.monotonic() - began)
            assert isinstance(outcome, RetryIn)
            driver.clock.forward(outcome.seconds)
        assert lengths[1] < WHOLE <= lengths[0] + 0.05, "the second call had less time"
        # By its failures it would have less than the endpoint needs; but it is the last one.
        assert deliverer.deliver("r1", 0) == Done()
        over.set()
    assert driver.record()["hooks"][0]["state"] == "delivered"
