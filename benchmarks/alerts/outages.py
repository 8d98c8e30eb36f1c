"""What goes wrong with the processes: gateway, Redis, sweep, workers."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

from benchmarks.alerts.condition import condition
from benchmarks.alerts.stage import Stage
from harness import until
from harness.deaf_proxy import DeafProxy
from renderline.ledger import Ledger


@condition("a render names an account that no worker has", "AccountUnserved")
def unserved(stage: Stage) -> Iterator[None]:
    render = stage.submit(account="spare")
    yield
    stage.ask("POST", f"/v1/renders/{render}/cancel")


@condition("a worker that hangs holds the lock of the sweep", "SweepStopped")
def frozen_sweep(stage: Stage) -> Iterator[None]:
    ledger = Ledger(stage.redis)
    until(lambda: ledger.sweep_turn("frozen", seconds=600.0, every=0.001), what="the lock")
    yield
    ledger.end_sweep("frozen")


@condition("the gateway hangs (SIGSTOP)", "GatewayDown")
def gateway_hangs(stage: Stage) -> Iterator[None]:
    stage.gateway.signal(signal.SIGSTOP)
    yield
    stage.gateway.signal(signal.SIGCONT)


@condition("Redis is killed, while callers go on", "LedgerUnreachable", "GatewayErrors")
def redis_down(stage: Stage) -> Iterator[None]:
    assert stage.system.valkey.process
    stage.system.valkey.process.kill()
    headers = {"Authorization": f"Bearer {stage.key}"}

    def refused() -> bool:
        stage.gateway.ask("GET", "/v1/renders", headers=headers)
        return "RenderlineGatewayErrors" in stage.prometheus.firing()

    until(refused, seconds=60, what="RenderlineGatewayErrors")
    yield
    stage.system.valkey.start()


@condition(
    "the only worker is killed, three renders wait",
    "WorkerDown",
    "QueueOld",
    "QueueStalled",
    "RendersStuck",
    "NoWorker",
)
def no_worker(stage: Stage) -> Iterator[None]:
    stage.system.end(stage.worker)
    for _ in range(3):
        stage.submit()
    yield
    stage.start_worker()


@condition("the connection of a worker's queues delivers nothing, once and again", "ConsumerReplaced", "ConsumerDeaf")
def deaf_consumer(stage: Stage) -> Iterator[None]:
    stage.system.end(stage.worker)
    proxy = DeafProxy(stage.system.valkey.port)
    stage.start_worker(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0")
    try:
        until(lambda: proxy.consuming == 1, what="a connection of queues")
        # Prometheus must know how often it was replaced before: never.
        time.sleep(5)
        proxy.deafen("frozen")
        until(lambda: "RenderlineConsumerReplaced" in stage.prometheus.firing(), what="ConsumerReplaced")
        # From now on no new connection delivers either: the worker says so, and ends.
        over = threading.Event()
        threading.Thread(target=lambda: _keep_deaf(proxy, over), daemon=True).start()
        yield
        over.set()
        stage.system.end(stage.worker)
    finally:
        proxy.close()
    stage.start_worker()


def _keep_deaf(proxy: DeafProxy, over: threading.Event) -> None:
    while not over.wait(0.1):
        proxy.deafen("frozen")
