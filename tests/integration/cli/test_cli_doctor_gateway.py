"""`renderline doctor` says what answers at the gateway's address: a user sends the API key there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from redis import Redis
from werkzeug.serving import make_server

from harness import free_port
from harness.gateway_app import gateway_app
from workers.cli.checks.processes import of_gateway


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """Serve the application on a free port of 127.0.0.1."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_gateway_is_recognised(redis: Redis, host: str) -> None:
    with served(gateway_app(redis)) as port:
        found = of_gateway(f"{host}:{port}")
    assert (found.verdict, found.detail) == ("ok", f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("answer", [("<p>another page</p>", 200), ("", 404), ({"status": "fine"}, 200)])
def test_another_program_at_the_address_is_named(answer: tuple[object, int]) -> None:
    other = Flask("other")
    other.add_url_rule("/healthz", view_func=lambda: answer)
    with served(other) as port:
        found = of_gateway(f"127.0.0.1:{port}")
    assert found.verdict == "warn"
    assert f"another program answers at http://127.0.0.1:{port}" in found.detail
    assert "RENDERLINE_GATEWAY_BIND" in found.advice


def test_a_gateway_may_run_elsewhere() -> None:
    address = f"127.0.0.1:{free_port()}"
    found = of_gateway(address)
    assert (found.verdict, found.detail) == ("ok", f"none on this machine ({address})")
