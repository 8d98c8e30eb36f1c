"""kombu's Redis transport, with what a worker needs when Redis goes away, when it goes away itself, and to be quick.

When Redis goes away, Celery closes its connection twice, and tasks that end later still acknowledge on its channel.
Both look for the address of a connection that is gone, and the AttributeError that this raises (kombu 5.7.0) ends the
worker, if a task was running. A connection error, which it is, is passed over, and the worker waits for Redis.
"""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from renderline.ledger.failover import LeavingConnection, LeavingSSLConnection
from workers import acknowledging, turns
from workers.guarded import GuardedChannel


class Channel(GuardedChannel):
    """A channel that says in a way that Celery understands that its connection was closed, and that can hand back."""

    QoS = acknowledging.QoS
    connection_class = LeavingConnection
    connection_class_ssl = LeavingSSLConnection
    _in_poll: Any
    _brpop_sent_at: Any
    _kept: Any = None
    _turn = 0

    def hand_back(self, *, but: Collection[str]) -> None:
        """Take no more, and put every message not acknowledged back into its queue, `but` those with these tags.

        A worker that leaves would keep them until its last task has ended: those that wait for their time, and what its
        last BRPOP (of up to 1 s) brings. Raises a connection error.
        """
        if self._in_poll:
            taken = self.client.parse_response(self.client.connection, "BRPOP")
            self._in_poll = None
            if taken:
                key, message = taken
                with self.conn_or_acquire() as client:
                    client.rpush(key, message)
        # What is done and not yet acknowledged must not go back.
        self.qos.settle()
        for tag in set(self.qos._delivered).difference(but):
            self.qos.restore_by_tag(tag)

    def _brpop_start(self, timeout: Any = None) -> None:
        """Ask for the next message as kombu does, but for the order of the queues."""
        self.write_out()
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        lanes = turns.lanes(queues, self.priority_steps, turn=self._turn)
        self._turn += 1
        wait = self.brpop_timeout if timeout is None else timeout
        command = ["BRPOP", *(self._q_for_pri(*lane) for lane in lanes), wait or 0]
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        if self.global_keyprefix:
            command = self.client._prefix_args(command)
        self.client.connection.send_command(*command)

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)
        # Kombu makes one for every message that it notes, acknowledges or sends, and for each redis-py builds a table
        # of some 150 commands: a tenth of a worker's CPU time. Clients of one pool are alike, and may be shared.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection of this channel was closed")
        return super()._connparams(asynchronous=asynchronous)


class Transport(redis.Transport):
    """The transport behind redis:// and rediss:// once it is installed."""

    Channel = Channel


def install() -> None:
    """Use it in this process. By the scheme: the `broker_transport` setting would drop the TLS of rediss://."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
