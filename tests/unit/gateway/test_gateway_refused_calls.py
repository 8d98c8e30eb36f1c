"""Answers that the gateway's server gives itself, because it has no room for the application's."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from tornado.httputil import HTTPHeaders, RequestStartLine

from renderline.gateway.server.call import Call

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"X-Request-ID": "call-17"}, "call-17"),
        ({"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}, TRACE),
        ({"X-Request-ID": "two words"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_refusal_for_lack_of_room_has_the_id_of_its_request(given, expected):
    sent = []
    connection = Mock(context=SimpleNamespace(protocol="http", remote_ip="127.0.0.1"))
    connection.stream.closed.return_value = False
    connection.write_headers = lambda start, headers, chunk: sent.append((start.code, headers)) or Mock()
    server = Mock(address=("127.0.0.1", 80), has_room=lambda count: False, stopping=False)
    server.body_limit.return_value, server.streamed.return_value = 1000, False
    start = RequestStartLine("POST", "/v1/renders", "HTTP/1.1")
    Call(server, connection).headers_received(start, HTTPHeaders({"Host": "gateway", **given, "Content-Length": "5"}))
    ((code, headers),) = sent
    assert code == 503
    assert headers["X-Request-ID"] == expected or (expected is None and len(headers["X-Request-ID"]) == 32)
