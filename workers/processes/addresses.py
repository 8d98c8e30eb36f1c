"""The addresses at which the processes of a run will listen, and whether somebody listens there already."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from typing import Final

from config.settings import Settings

_TAKEN: Final = errno.EADDRINUSE


def problems(kinds: Iterable[str], settings: Settings) -> Iterator[str]:
    """Yield a sentence for each kind of process whose address another program has: what is taken, what to set."""
    flower = f"{settings.flower_address}:{settings.flower_port}"
    own = {"gateway": ("RENDERLINE_GATEWAY_BIND", settings.gateway_bind), "flower": ("FLOWER_PORT", flower)}
    for kind in kinds:
        if kind in own and taken(own[kind][1]):
            name, address = own[kind]
            yield f"another program listens at {address}, where {kind} would: stop it, or set {name}"


def taken(address: str) -> bool:
    """Return whether host:port of this machine is in use; an address that is not of this machine is not."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return False  # the process itself says what is wrong with it
    return any(_in_use(family, where) for family, _, _, _, where in found)


def _in_use(family: int, where: tuple[object, ...]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier run that are still closing do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            return error.errno == _TAKEN
    return False
