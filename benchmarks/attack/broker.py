"""The broker as a boundary: what a producer's Redis user may do, and commands that end workers."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

from celery import Celery
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import VICTIM, Target, a_render
from config import redis_users
from harness.broker_users import url_of
from renderline.producer import enqueue_render, wait_for

_DESTRUCTIVE: Final = (
    "SHUTDOWN NOSAVE",
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "REPLICAOF 127.0.0.1 1",
    "MONITOR",
    "DEBUG SLEEP 5",
    "BGREWRITEAOF",
    "SAVE",
    "FAILOVER",
    "CLIENT PAUSE 10000",
    "CLIENT KILL TYPE normal",
)
"""Commands that are only asked about: carried out, they would end the run."""


@attack("remote-control", "remote-control commands that end or disable a worker")
def remote_control(target: Target, long: bool) -> Finding:
    count = len(target.workers)
    for command, arguments in {
        "rate_limit": {"task_name": "renderline.submit", "rate_limit": "1/h"},
        "cancel_consumer": {"queue": "submit"},
        "pool_shrink": {"n": 100},
        "disable_events": {},
        "revoke": {"task_id": "attack", "terminate": True},
        "shutdown": {},
    }.items():
        target.app.control.broadcast(command, arguments=arguments)
        time.sleep(0.2)
    time.sleep(3)
    alive = sum(worker.running for worker in target.workers)
    state = "not tried"
    if alive == count:
        state = target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM, seconds=30)["state"]
    answers = len(target.app.control.ping(timeout=3) or ())
    figure = f"{alive} of {count} workers live, next render {state}, {answers} answer a ping"
    return Finding(alive == count and state == "delivered" and answers == count, figure)


def _producer_commands(target: Target) -> list[list[Any]]:
    """Return what a service with the producer's user must not be able to do."""
    render_id = target.accepted(a_render(), tenant=VICTIM)
    target.ended(render_id, tenant=VICTIM)
    keys = sorted(target.redis.scan_iter("renderline:*"))
    token = next(key for key in keys if key.startswith("renderline:token:"))
    record = f"renderline:render:{render_id}"
    read = {"hash": "HGETALL", "string": "GET", "zset": "ZCARD", "set": "SMEMBERS", "stream": "XLEN", "list": "LLEN"}
    allowed = ("renderline:render:", "renderline:events")
    # Every key of the ledger, read as what it is; an answer of another type's command would be a gap, too.
    commands: list[list[Any]] = [
        [read[target.redis.type(key)], key] for key in keys if not key.startswith(allowed) and target.redis.exists(key)
    ]
    commands += [["HGET", token, "token"], ["DUMP", token], ["COPY", token, "requests"], ["SORT", token]]
    commands += [["GET", f"renderline:body:{render_id}"], ["GETRANGE", f"renderline:body:{render_id}", 0, 9]]
    commands += [["HSET", record, "state", "delivered"], ["HDEL", record, "state"], ["DEL", record], ["UNLINK", record]]
    commands += [["RENAME", record, "requests"], ["EXPIRE", record, 1], ["XADD", "renderline:events", "*", "id", "x"]]
    commands += [["XTRIM", "renderline:events", "MAXLEN", 0], ["SET", "renderline:forged", 1], ["SET", "anything", 1]]
    commands += [["HSET", "renderline:keys", "0" * 12, "{}"], ["SADD", "renderline:paused", "default"]]
    for queue in ("submit", "poll", "hooks", "billing"):
        commands += [["LPUSH", queue, "x"], ["LRANGE", queue, 0, -1]]
    commands += [["LRANGE", "requests", 0, -1], ["RPOP", "requests"], ["BRPOP", "requests", 1], ["DEL", "requests"]]
    commands += [["HGETALL", "unacked"], ["DEL", "unacked"], ["KEYS", "*"], ["SCAN", 0], ["RANDOMKEY"], ["DBSIZE"]]
    commands += [["EVAL", f"return redis.call('HGETALL', '{token}')", 0], ["EVAL", "return 1", 1, token]]
    commands += [["SCRIPT", "LOAD", "return 1"], ["FUNCTION", "LIST"], ["SELECT", 1], ["INFO"], ["CLIENT", "LIST"]]
    commands += [["CONFIG", "GET", "*"], ["CONFIG", "SET", "maxmemory", 1], ["ACL", "LIST"], ["ACL", "WHOAMI"]]
    commands += [["PUBLISH", "/0.celery.pidbox", "x"], ["PUBLISH", "/0.celeryev/worker.heartbeat", "x"]]
    return commands


@attack("producer-user", "a service with the producer's Redis user: tokens, scripts, records, queues, server commands")
def producer_user(target: Target, long: bool) -> Finding:
    commands = _producer_commands(target)
    done = []
    with Redis.from_url(url_of(target.valkey, "producer"), decode_responses=True) as redis:
        for command in commands:
            try:
                redis.execute_command(*command)
            except NoPermissionError:
                continue
            except RedisError as error:
                # Refused for another reason: the user itself may run it.
                done.append(f"{command[0]} {command[1:2]} ({error})"[:80])
                continue
            done.append(" ".join(map(str, command[:2]))[:80])
        with contextlib.suppress(RedisError):
            redis.pubsub().subscribe("/0.celery.pidbox")
    done += [command for command in _DESTRUCTIVE if _may(target, "producer", command)]
    url = url_of(target.valkey, "producer")
    with Celery("billing", broker=url, backend=url, set_as_current=False) as app:
        outcome = wait_for(app, enqueue_render(app, a_render(), wait=30), timeout=60).state
    count = len(commands) + len(_DESTRUCTIVE)
    figure = f"{count - len(done)} of {count} commands refused; its own work: {outcome}"
    return Finding(not done and outcome == "delivered", figure + (f"; done: {', '.join(done[:3])}" if done else ""))


def _may(target: Target, role: str, command: str) -> bool:
    answer = target.redis.execute_command("ACL", "DRYRUN", redis_users.user(role), *command.split())
    return str(answer) == "OK"


@attack("other-users", "the Redis users of gateway, Flower, worker and operator beyond their work")
def other_users(target: Target, long: bool) -> Finding:
    beyond = {
        "gateway": ("HGETALL renderline:token:default", "HSET renderline:keys x y", "BRPOP requests 1", "KEYS *"),
        "flower": (
            "GET renderline:body:x",
            "HSET renderline:render:x state delivered",
            "XRANGE renderline:quarantine - +",
            "HGETALL renderline:token:default",
            "LPUSH requests x",
            "LRANGE submit 0 -1",
            "SET x y",
        ),
        "worker": ("HGETALL renderline:keys", "HSET renderline:keys x y", "CONFIG SET dir /tmp", "KEYS *"),
        "operator": ("CONFIG SET dir /tmp", "ACL SETUSER x", "MODULE LOAD x"),
    }
    tried = [(role, one) for role, commands in beyond.items() for one in (*commands, *_DESTRUCTIVE)]
    done = [f"{role}: {command}" for role, command in tried if _may(target, role, command)]
    figure = f"{len(tried) - len(done)} of {len(tried)} commands refused" + (f"; {', '.join(done[:3])}" if done else "")
    return Finding(not done, figure)
