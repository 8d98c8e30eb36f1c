"""A worker whose clock is a minute off: its messages, its token and its share of the calls are on time all the same."""

import json
import subprocess
import sys
from datetime import datetime

import pytest
from redis import Redis, RedisError

from harness import ROOT, USER_KEY, Valkey
from harness.fake_vendor import FakeVendor
from renderline.ledger import ServerClock
from renderline.ledger.clock import note_skew, skews
from workers.cli.checks import processes

MINUTE = 60


@pytest.fixture
def act(valkey, redis):
    """Have a process whose clock is ahead by so many seconds do what `skewed_worker.py` holds under a name."""

    def run(ahead, what, *args, vendor="http://127.0.0.1:9"):
        environ = {
            "PATH": "/usr/bin:/bin",
            "REDIS_URL": valkey.url,
            "AISTUDIOS_BASE_URL": vendor,
            "AISTUDIOS_APP_ID": "studio.acme",
            "AISTUDIOS_USER_KEY": USER_KEY,
        }
        actions = "tests.integration.ledger.skewed_worker"
        command = [sys.executable, "-m", "harness.shifted_clock", str(ahead), actions, what, *map(str, args)]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    return run


def test_a_clock_that_is_wrong_delays_no_poll(act, redis, tmp_path):
    # Each takes the message of the one before; what it says is compared with a right clock, and what is read of it too.
    act(MINUTE, "send", 500)
    for receiver in (-MINUTE, MINUTE):
        sent_at = redis.time()[0]
        (message,) = map(json.loads, redis.lrange("poll", 0, -1))
        eta = datetime.fromisoformat(message["headers"]["eta"]).timestamp()
        assert abs(eta - sent_at - 500) < MINUTE / 3, "the message's time is not the server's"
        act(receiver, "receive_and_send", tmp_path / "left", 500)
        passed = redis.time()[0] - sent_at
        assert abs(float((tmp_path / "left").read_text()) - (500 - passed)) < MINUTE / 3, receiver


def test_a_token_is_shared_with_workers_whose_clocks_are_wrong(act, redis, tmp_path):
    with FakeVendor() as vendor:
        act(0, "token", tmp_path / "first", vendor=vendor.url)
        # A token that lives for an hour from now, by the server's clock.
        now = redis.time()[0]
        redis.hset("renderline:token:default", mapping={"issued_at": now, "expires_at": now + 3600})
        for ahead in (-5000, 5000):
            act(ahead, "token", tmp_path / "second", vendor=vendor.url)
            assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text()
        assert vendor.calls["token"] == 1


def test_a_limit_of_calls_a_second_holds_with_a_worker_whose_clock_is_wrong(act, redis, tmp_path):
    act(-MINUTE, "take_turns", tmp_path / "behind", 3)
    act(MINUTE, "take_turns", tmp_path / "ahead", 5)
    times = [float(one) for one in (tmp_path / "ahead").read_text().split()]
    # Of calls at most 2 a second, the fifth starts 2 s after the first.
    assert times[-1] - times[0] > 1.9
    kept = redis.lrange("renderline:recent_calls:main", 0, -1)
    assert all(abs(int(one) / 1000 - redis.time()[0]) < MINUTE / 2 for one in kept)


class Server:
    """A server whose clock is ahead of this machine's; it may be away."""

    def __init__(self, ahead):
        self.ahead, self.asked, self.away = ahead, 0, False

    def time(self):
        self.asked += 1
        if self.away:
            raise RedisError("away")
        return int(datetime.now().timestamp()) + self.ahead, 500_000


def test_the_servers_time_is_measured_once_and_carried_on():
    server = Server(1000)
    clock = ServerClock(server)
    first = clock()
    assert clock() >= first
    assert server.asked == 1
    assert -1001.0 < clock.skew() < -999.0


def test_a_machine_whose_clock_is_set_or_that_slept_measures_again(monkeypatch):
    server = Server(0)
    clock = ServerClock(server)
    before = clock()
    true = datetime.now().timestamp() - before
    monkeypatch.setattr("time.time", lambda: before + true + 3600.0)
    assert 3598.0 < clock.skew() < 3602.0
    assert server.asked == 2
    assert abs(clock() - before) < MINUTE


def test_without_the_server_the_last_measurement_counts(monkeypatch):
    server = Server(500)
    server.away = True
    clock = ServerClock(server)
    assert abs(clock.skew()) < 0.1
    assert server.asked == 1, "asked again at once"
    server.away = False
    clock._measure_at = 0.0
    assert -502.0 < clock.skew() < -498.0
    server.away = True
    clock._measure_at = 0.0
    assert -502.0 < clock.skew() < -498.0


def test_doctor_names_the_workers_whose_clocks_are_wrong(redis: Redis, valkey: Valkey):
    note_skew(redis, "worker@late", -75.0, prefix="renderline:", seconds=60.0)
    found = skews(redis, ["worker@late", "worker@right"], prefix="renderline:")
    (finding,) = processes.of_clocks(found)
    assert (finding.check, finding.verdict) == ("clock of worker@late", "warn")
    assert "75 s behind" in finding.detail
    assert 0 < redis.pttl("renderline:clock_skew:worker@late") <= 60_000
