"""A scripted HTTP server in a thread: every test says itself how each request is answered."""

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class ScriptedServer(ThreadingHTTPServer):
    """Answers each request by calling `script(handler)`; keeps what was asked, and counts connections."""

    daemon_threads = True

    def __init__(self, script):
        self.script = script
        self.asked = []
        self.connections = []
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """Say nothing: a client that hangs up is part of the script."""


class ScriptedHandler(BaseHTTPRequestHandler):
    """One request, as the script sees it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self)
        self.server.script(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_):
        """Keep the test's output clean."""

    def reply(self, status=200, body=b"", **headers):
        """Send a whole answer; header names with `_` for `-`."""
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def serve():
    """Start servers, each with its script; stop them, and cut what is still open, after the test."""
    with contextlib.ExitStack() as stack:

        def start(script):
            server = ScriptedServer(script)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

            def stop():
                server.ended.set()
                server.shutdown()
                thread.join()
                for connection in server.connections:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                server.server_close()

            thread.start()
            stack.callback(stop)
            return server

        yield start
