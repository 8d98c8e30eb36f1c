"""A worker whose connection delivers nothing notices it, and replaces its consumer, or ends."""

import re
from types import SimpleNamespace

import pytest
from celery import Celery
from kombu import Consumer, Queue
from redis import Redis
from structlog.testing import capture_logs

from harness import USER_KEY, Valkey, Worker, until
from harness.deaf_proxy import DeafProxy
from renderline.ledger import Ledger
from workers.queue_order import CANARY_PREFIX
from workers.repairs.canary import EXIT_CODE, Canary

INTERVAL = 0.2


@pytest.fixture(scope="module")
def own_valkey(tmp_path_factory):
    with Valkey(tmp_path_factory.mktemp("canary-valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(own_valkey):
    proxy = DeafProxy(own_valkey.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def deaf_worker(proxy, tmp_path_factory):
    worker = Worker(
        tmp_path_factory.mktemp("canary") / "worker.log",
        queues="requests,submit,poll,hooks",
        environ={
            "REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0",
            "RENDERLINE_CANARY_INTERVAL": INTERVAL,
            "RENDERLINE_SHUTDOWN_TIMEOUT": 5,
            "AISTUDIOS_APP_ID": "studioV3.tests",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "AISTUDIOS_BASE_URL": "http://127.0.0.1:9",
        },
    )
    worker.wait_ready()
    yield worker
    worker.kill()


@pytest.fixture(scope="module")
def redis_behind(own_valkey):
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        yield client


def replaced(worker):
    return len(re.findall("consumer is deaf", worker.output()))


def recovered(worker):
    return len(re.findall("consumer is no longer deaf", worker.output()))


@pytest.mark.parametrize("way", ["frozen", "lying"])
def test_a_deaf_consumer_is_replaced(deaf_worker, proxy, redis_behind, way):
    until(lambda: proxy.consuming == 1, what="a connection of queues")
    before = replaced(deaf_worker), recovered(deaf_worker)
    assert proxy.deafen(way) == 1
    until(lambda: proxy.consuming, what="another connection of queues")
    until(lambda: recovered(deaf_worker) > before[1], what="a canary over it")
    assert replaced(deaf_worker) == before[0] + 1
    assert deaf_worker.running


def test_messages_reach_the_new_consumer_and_canaries_leave_nothing(deaf_worker, redis_behind):
    # The worker takes and quarantines it.
    redis_behind.lpush("submit", "not a message")
    until(lambda: not redis_behind.llen("submit"), what="the message to be taken")
    until(lambda: "message quarantined" in deaf_worker.output(), what="its quarantine")
    assert f"queue={CANARY_PREFIX}" not in deaf_worker.output()
    queues = redis_behind.keys(f"{CANARY_PREFIX}*")
    assert len(queues) <= 1
    assert all(0 < redis_behind.ttl(key) <= 300 for key in queues)


def test_a_worker_says_which_queues_it_consumes(deaf_worker, redis_behind):
    served = Ledger(redis_behind).capabilities()
    assert {f"queue:{name}" for name in ("requests", "submit", "poll", "hooks")} <= served


def test_without_the_right_to_its_queue_a_worker_does_without_a_canary(own_valkey, redis_behind):
    """The Redis users of an earlier version: the worker serves its other queues, and says what to do."""
    redis_behind.acl_setuser(
        "earlier",
        enabled=True,
        passwords=["+secret"],
        keys=["_kombu*", "submit*"],
        channels=["*"],
        categories=["+@all"],
    )
    app = Celery(broker=own_valkey.url.replace("://", "://earlier:secret@"))
    canary = Canary(app, interval=1)
    with app.connection_for_read() as connection:
        channel = connection.channel()
        task_consumer = Consumer(channel, [Queue("submit")])
        task_consumer.consume()
        with capture_logs() as lines:
            for _ in range(2):
                assert canary.attach(SimpleNamespace(task_consumer=task_consumer)) is None
        assert set(channel.active_queues) == {"submit"}
    canary.check()
    assert not canary.deaf
    (line,) = lines
    assert line["log_level"] == "warning"
    assert "renderline redis-users" in line["event"]


def test_a_worker_that_stays_deaf_ends(deaf_worker, proxy):
    """The last one: every connection of queues goes deaf, so the worker ends, and a supervisor sees that it failed."""
    found = replaced(deaf_worker)
    while deaf_worker.running:
        proxy.deafen("lying")
    assert deaf_worker.popen.returncode == EXIT_CODE
    assert replaced(deaf_worker) > found
    assert "consumer stays deaf" in deaf_worker.output()
