"""A snapshot over the connection is the server's own file, which another server loads."""

import os
import socket
import threading

import pytest
from redis import ConnectionPool, Redis

from harness import Valkey
from renderline.ledger.snapshot import SnapshotRefused, write_snapshot


@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_another_server_has_what_the_first_one_had(valkey, redis, tmp_path, diskless):
    redis.config_set("repl-diskless-sync", diskless)
    redis.config_set("repl-diskless-sync-delay", "0")
    for number in range(2_000):
        redis.hset(f"renderline:render:{number}", mapping={"state": "accepted", "text": "é" * number})
    file = tmp_path / "dump.rdb"
    assert write_snapshot(redis, file) == file.stat().st_size
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert os.listdir(tmp_path) == ["dump.rdb"]
    # With an append-only file the server would not read it.
    with Valkey(tmp_path, "--appendonly", "no") as other, Redis.from_url(other.url, decode_responses=True) as restored:
        assert restored.dbsize() == redis.dbsize()
        assert restored.hget("renderline:render:1999", "text") == "é" * 1999


def test_a_server_that_refuses_leaves_no_file(valkey, redis, tmp_path):
    redis.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-sync"])
    refused = Redis(port=valkey.port, username="reader", password="any")
    with pytest.raises(SnapshotRefused, match="NOPERM"):
        write_snapshot(refused, tmp_path / "dump.rdb")
    assert os.listdir(tmp_path) == []
    redis.acl_deluser("reader")


def test_a_connection_that_breaks_leaves_the_earlier_file(tmp_path):
    file = tmp_path / "dump.rdb"
    file.write_bytes(b"earlier")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                seen = b""
                while b"SYNC" not in seen.replace(b"rdb-only", b""):
                    part = client.recv(4096)
                    seen += part
                    if b"SYNC" not in part:
                        client.sendall(b"+OK\r\n" * part.count(b"*"))
                client.sendall(b"\n$100\r\nREDIS0011 half")

        threading.Thread(target=serve, daemon=True).start()
        options = {"host": "127.0.0.1", "port": server.getsockname()[1], "protocol": 2}
        with pytest.raises(SnapshotRefused, match="before the snapshot was complete"):
            write_snapshot(Redis(connection_pool=ConnectionPool(**options)), file)
    assert file.read_bytes() == b"earlier"
