"""`python -m benchmarks.stub --port N`: serves until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import functools
import signal

from benchmarks.stub.vendor import Vendor
from benchmarks.stub.wire import Wire


async def serve(port: int, vendor: Vendor, latency: float) -> None:
    """Listen on the loopback interface and answer until asked to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(functools.partial(Wire, vendor.handle, latency), "127.0.0.1", port, backlog=1024)
    await stop.wait()
    server.close()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", default="1-1", metavar="A-B", help="how long renders take (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="S", help="latency of every answer, in seconds")
    chosen = parser.parse_args()
    least, _, most = chosen.seconds.partition("-")
    asyncio.run(serve(chosen.port, Vendor(least=float(least), most=float(most or least)), chosen.latency))


if __name__ == "__main__":
    main()
