"""The users of the broker: none may do more than its role. That each may do its work: `test_broker_socket.py`."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator

import pytest
from redis import AuthenticationError, Redis, ResponseError

from config.settings import load
from harness import Valkey
from harness.broker_users import url_of, write_users
from harness.roles import LOGIN
from workers.flower.reading import NotReadable, Reader


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    directory = tmp_path_factory.mktemp("broker")
    with Valkey(directory, "--aclfile", str(write_users(directory)), "--enable-debug-command", "local") as server:
        yield server


EVERYBODY = """
FLUSHALL; FLUSHDB; CONFIG SET appendonly no; CONFIG REWRITE; DEBUG SLEEP 0; KEYS *; MONITOR; SHUTDOWN NOSAVE; SAVE;
ACL LIST; ACL SETUSER x on; CLIENT KILL TYPE normal; REPLICAOF NO ONE; MODULE LIST; SLOWLOG GET; SWAPDB 0 1;
FUNCTION FLUSH; SCRIPT FLUSH; MIGRATE 127.0.0.1 1 k 0 1; GET of-another-service; SET of-another-service x;
SUBSCRIBE of-another-service; PUBLISH of-another-service x; PFMERGE of-another-service
"""
FORBIDDEN = {
    "producer": """
        GET renderline:body:r; GET renderline:meta:r; GET renderline:history:r; HGETALL renderline:token:default;
        HGETALL renderline:keys; XREAD STREAMS renderline:quarantine 0; XRANGE renderline:audit - +;
        HSET renderline:render:r state delivered; HDEL renderline:render:r state; DEL renderline:render:r;
        XADD renderline:events * id r; XTRIM renderline:events MAXLEN 0; SADD renderline:paused default;
        LPUSH renderline:new x; COPY renderline:body:r celery-task-meta-r; RENAME renderline:body:r requests;
        EVAL "return 1" 0; EVALSHA 0000 0; SCRIPT LOAD "return 1"; FCALL f 0; CONFIG GET *; SCAN 0; RANDOMKEY; DBSIZE;
        INFO; CLIENT LIST; SORT requests; SELECT 1; OBJECT FREQ requests; DUMP renderline:body:r;
        LRANGE requests 0 -1; RPOP requests; BRPOP requests 1; LINDEX requests 0; LMOVE requests requests LEFT LEFT;
        LRANGE submit 0 -1; LPUSH submit x; LPUSH hooks x; LPUSH poll x; LPUSH billing x; DEL requests;
        HGETALL unacked; ZRANGE unacked_index 0 -1; SMEMBERS _kombu.binding.requests; SADD _kombu.binding.submit x;
        SET celery-task-meta-r x; DEL celery-task-meta-r; PUBLISH celery-task-meta-r x; PSUBSCRIBE *;
        PUBLISH /0.celery.pidbox x; SUBSCRIBE /0.celery.pidbox; PSUBSCRIBE /0.celeryev/worker.*;
        CLIENT TRACKING ON BCAST; CLIENT PAUSE 1
    """,
    "worker": """
        HGETALL renderline:keys; HSET renderline:keys k x; DEL renderline:keys; HGETALL renderline:keys:used;
        EVAL "return redis.call('HGETALL', 'renderline:keys')" 0; CONFIG GET *; SCAN 0; RANDOMKEY; DBSIZE;
        LRANGE billing 0 -1; RPOP billing; PUBLISH /1.celery.pidbox x
    """,
    "gateway": """
        HGETALL renderline:token:default; GET renderline:token:default:failure; DEL renderline:token:default;
        EVAL "return redis.call('HGETALL', 'renderline:token:default')" 0; HSET renderline:keys k x;
        HDEL renderline:keys k; DEL renderline:keys; LPUSH requests x; RPOP submit; LRANGE submit 0 -1; BRPOP hooks 1;
        LPUSH billing x; HGETALL unacked; GET celery-task-meta-r; PUBLISH /0.celery.pidbox x; CONFIG GET *; INFO;
        SCAN 0; RANDOMKEY; HSET renderline:catalogue:default:models at 1; DEL renderline:catalogue:default:models;
        SET renderline:catalogue:default:models:failure x
    """,
    "flower": """
        HSET renderline:render:r state failed; DEL renderline:render:r; GET renderline:body:r; STRLEN renderline:body:r;
        XREAD STREAMS renderline:quarantine 0; GET renderline:answer:w; HGETALL renderline:catalogue:default:models;
        HGETALL renderline:token:default; GET renderline:token:default:lock; HGETALL renderline:keys;
        GET renderline:keys:board; SET renderline:x x; XADD renderline:events * id r; COPY renderline:render:r x;
        EVAL "return redis.call('GET', 'renderline:body:r')" 0; EVAL "return redis.call('LPUSH', 'submit', 'x')" 0;
        LPUSH requests x; LPUSH submit x; LRANGE requests 0 -1; RPOP requests; BRPOP hooks 1; DEL requests;
        HGETALL unacked; SET unacked_mutex x; GET celery-task-meta-r; SUBSCRIBE celery-task-meta-r; SCAN 0; INFO;
        CONFIG GET *; SADD _kombu.binding.requests x; CLIENT LIST; CLIENT TRACKING ON BCAST; SELECT 1
    """,
    "operator": "CONFIG RESETSTAT; PUBLISH /0.celeryev/worker.elect x; HGETALL unacked; DEBUG JMAP",
}


def acts(text: str) -> list[str]:
    return [act.strip() for act in text.split(";") if act.strip()]


TABLE = [(role, act) for role, text in FORBIDDEN.items() for act in acts(text + ";" + EVERYBODY)]


@pytest.mark.parametrize(("role", "act"), TABLE, ids=[f"{role}: {act}" for role, act in TABLE])
def test_a_role_may_not(server: Valkey, role: str, act: str) -> None:
    with Redis.from_url(url_of(server, role)) as redis, pytest.raises(ResponseError, match=r"(?i)permission"):
        redis.execute_command(*shlex.split(act))


def test_flowers_page_of_renders_names_a_user_without_the_rights(server: Valkey) -> None:
    reader = Reader(
        load({"REDIS_URL": url_of(server, "producer"), "FLOWER_BASIC_AUTH": ":".join(LOGIN)}, role="flower")
    )
    with pytest.raises(NotReadable, match=r"redis_users\.acl"):
        asyncio.run(reader.page("", None))


@pytest.mark.parametrize("command", ["PING", "GET x", "INFO"])
def test_nobody_comes_in_without_a_name(server: Valkey, command: str) -> None:
    with Redis.from_url(server.url) as redis, pytest.raises(AuthenticationError):
        redis.execute_command(*command.split())
