"""Signed deliveries to real receivers, from willing to hostile."""

import email.utils
import json
import logging
import socket
import threading
import time
import traceback

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from renderline.hooks import Delivery, HookFailed, HttpHook
from renderline.http import Client, PrivateAddress
from renderline.tenants import Tenant, Tenants

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TENANTS = Tenants(unlisted=Tenant(name="default", hook_secrets=(SECRET,)))
RECORD = {"id": "r1", "name": "Grüße, 세계", "progress": 100.0, "error": None}


def delivery(webhook_id="msg_r1_0", record=RECORD):
    return Delivery("render.completed", webhook_id, time.time(), record)


def hook(server, path="/done?token=topsecret"):
    return {"type": "http", "url": server.url + path}


@pytest.fixture
def deliverer():
    return HttpHook(TENANTS, allow_private=True, timeout=30.0)


def failure(deliverer, target, what=None):
    """Deliver, and return the failure, after a search for what no message and no traceback may show."""
    with pytest.raises(HookFailed) as caught:
        deliverer.deliver(target, what or delivery())
    shown_text = "".join(traceback.format_exception(caught.value))
    assert "topsecret" not in shown_text
    assert "/done" not in shown_text
    assert SECRET not in shown_text
    return caught.value


def test_the_receiver_verifies_what_it_got(serve, deliverer):
    server = serve(lambda request: request.reply(200, b"ok"))
    sent = delivery()
    assert deliverer.deliver(hook(server), sent) == {"status": 200}
    (request,) = server.asked
    assert request.command == "POST"
    assert request.path == "/done?token=topsecret"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("Renderline")
    assert request.headers["webhook-id"] == "msg_r1_0"
    assert not {"Authorization", "Cookie"} & set(request.headers)
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == sent.body()
    assert request.body == json.dumps(sent.body(), separators=(",", ":")).encode()


def test_a_name_that_utf_8_cannot_say(serve, deliverer):
    server = serve(lambda request: request.reply())
    deliverer.deliver(hook(server), delivery(record={"id": "r1", "name": "\ud83d"}))
    (request,) = server.asked
    assert Webhook(SECRET).verify(request.body, dict(request.headers))["data"]["name"] == "\ud83d"


def test_another_secret_or_body_does_not_verify(serve, deliverer):
    server = serve(lambda request: request.reply())
    deliverer.deliver(hook(server), delivery())
    (request,) = server.asked
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"r1", b"r2"), dict(request.headers))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_success(serve, deliverer, status):
    server = serve(lambda request: request.reply(status))
    assert deliverer.deliver(hook(server), delivery()) == {"status": status}


@pytest.mark.parametrize(
    "status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 422, 425, 429, 500, 503, 599]
)
def test_everything_else_is_worth_a_retry(serve, deliverer, status):
    server = serve(lambda request: request.reply(status, b"no", Location="/done"))
    failed = failure(deliverer, hook(server))
    assert str(failed).startswith(f"{server.url} answered {status}")
    assert not failed.permanent
    assert failed.retry_after is None
    assert len(server.asked) == 1, "a redirect was followed"


def test_gone_is_permanent(serve, deliverer):
    server = serve(lambda request: request.reply(410))
    assert failure(deliverer, hook(server)).permanent


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retry_after_is_passed_on(serve, deliverer, status):
    server = serve(lambda request: request.reply(status, Retry_After="17"))
    assert failure(deliverer, hook(server)).retry_after == 17.0


def test_retry_after_as_a_date(serve, deliverer):
    date = email.utils.formatdate(time.time() + 120, usegmt=True)
    server = serve(lambda request: request.reply(503, Retry_After=date))
    assert 60 < failure(deliverer, hook(server)).retry_after <= 120


def test_retry_after_of_other_answers_means_nothing(serve, deliverer):
    server = serve(lambda request: request.reply(500, Retry_After="17"))
    assert failure(deliverer, hook(server)).retry_after is None


@pytest.mark.parametrize("status", [200, 500])
def test_deliveries_share_a_connection(serve, deliverer, status):
    server = serve(lambda request: request.reply(status, b"x" * 3000))
    for _ in range(5):
        try:
            deliverer.deliver(hook(server), delivery())
        except HookFailed:
            assert status == 500
    assert len(server.asked) == 5
    assert len(server.connections) == 1


def test_a_long_answer_is_cut_off_and_costs_its_connection(serve, deliverer):
    written = []

    def endless(request):
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 40))
        request.end_headers()
        while not request.server.ended.is_set():
            request.wfile.write(b"x" * 65536)
            written.append(65536)

    server = serve(endless)
    assert deliverer.deliver(hook(server), delivery()) == {"status": 200}
    assert deliverer.deliver(hook(server), delivery()) == {"status": 200}
    assert len(server.connections) == 2


def test_a_cookie_is_not_kept(serve, deliverer):
    server = serve(lambda request: request.reply(Set_Cookie="seen=1; Path=/"))
    deliverer.deliver(hook(server), delivery())
    deliverer.deliver(hook(server), delivery())
    assert "Cookie" not in server.asked[1].headers


@pytest.mark.parametrize("part", ["status line", "headers", "body"])
def test_the_time_limit_holds_for_the_whole_answer(serve, part):
    """Every byte comes well within the timeout; the answer as a whole would take for ever."""

    def dribble(request):
        if part == "headers":
            request.wfile.write(b"HTTP/1.1 500 No\r\nX-Slow: ")
        elif part == "body":
            request.wfile.write(b"HTTP/1.1 500 No\r\nContent-Length: 300\r\n\r\n")
        else:
            request.wfile.write(b"HTTP/1.1 ")
        for _ in range(300):
            if request.server.ended.wait(0.02):
                return
            request.wfile.write(b"5")
        request.wfile.write(b"\r\n\r\n")

    server = serve(dribble)
    failed = failure(HttpHook(TENANTS, allow_private=True, timeout=0.3), hook(server))
    # Where the status has come, it counts, however the rest of the answer comes.
    assert str(failed).endswith("it must answer 2xx" if part == "body" else "it did not answer in time")


def test_a_receiver_that_hangs_up(serve, deliverer):
    server = serve(lambda request: request.connection.shutdown(socket.SHUT_RDWR))
    assert "connection broke" in str(failure(deliverer, hook(server)))


@pytest.mark.parametrize("answer", [b"\x00\x01\x02\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b""])
def test_a_receiver_that_does_not_speak_http(serve, deliverer, answer):
    def babble(request):
        request.wfile.write(answer)
        request.close_connection = True

    assert "was not reached" in str(failure(deliverer, hook(serve(babble))))


def test_nobody_listens(deliverer):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/done?token=topsecret"
    failed = failure(deliverer, {"type": "http", "url": url})
    assert str(failed).endswith("the connection was refused")
    assert not failed.permanent


def test_a_name_that_does_not_resolve(deliverer):
    failed = failure(deliverer, {"type": "http", "url": "http://receiver.invalid/done?token=topsecret"})
    assert str(failed) == "http://receiver.invalid was not reached: its name could not be resolved"


def test_a_private_name_and_an_unknown_one_look_the_same_to_an_outsider(serve, monkeypatch):
    """The test's own resolver stands in for one that knows names of the inner network."""
    server = serve(lambda request: request.reply())
    resolve = socket.getaddrinfo
    known = {
        "inner.example.com": "127.0.0.1",
        "site-local.example.com": "fec0::1",
        "azure.example.com": "168.63.129.16",
    }

    def getaddrinfo(host, port, *args, **kwargs):
        if not host.endswith(".example.com"):
            return resolve(host, port, *args, **kwargs)
        if host not in known or kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(known[host], port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    shown, logged = set(), {}
    for name in [*known, "unknown.example.com"]:
        for port in (server.server_port, 9):
            url = f"http://{name}:{port}/done?token=topsecret"
            failed = failure(HttpHook(TENANTS), {"type": "http", "url": url})
            shown.add((str(failed).replace(f"{name}:{port}", ""), failed.permanent, failed.unreachable))
            logged[name] = failed.reason
    assert shown == {("http:// was not reached: no public address was found for its name", False, True)}
    assert server.connections == []
    assert "private address; to allow those, set RENDERLINE_ALLOW_PRIVATE_HOOKS" in logged["inner.example.com"]
    assert logged["unknown.example.com"].endswith("its name could not be resolved")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.1", "0.0.0.0"])
def test_private_addresses_are_not_connected_to(serve, name, caplog):
    server = serve(lambda request: request.reply())
    url = f"http://{name}:{server.server_port}/done?token=topsecret"
    with caplog.at_level(logging.INFO):
        failed = failure(HttpHook(TENANTS), {"type": "http", "url": url})
    assert failed.permanent
    assert "RENDERLINE_ALLOW_PRIVATE_HOOKS" in str(failed)
    # Nor where the door did not know the name: when the connection is made.
    with pytest.raises(PrivateAddress):
        Client(user_agent="test", allow_private=False).post(url, headers={}, body=b"", timeout=5.0)
    assert server.connections == []
    assert "topsecret" not in caplog.text


def test_without_a_secret_nothing_is_sent(serve):
    server = serve(lambda request: request.reply())
    failed = failure(HttpHook(Tenants(), allow_private=True), hook(server))
    assert "RENDERLINE_HOOK_SECRET" in str(failed)
    assert server.asked == []


def test_the_environment_does_not_reach_a_delivery(serve, deliverer, monkeypatch, tmp_path):
    proxy = serve(lambda request: request.reply(418))
    server = serve(lambda request: request.reply())
    (tmp_path / "netrc").write_text("default login user password topsecret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    deliverer.deliver(hook(server), delivery())
    assert "Authorization" not in server.asked[0].headers
    assert proxy.asked == []


def test_one_object_serves_many_threads(serve, deliverer):
    together = threading.Barrier(8, timeout=60)

    def meet(request):
        together.wait()
        request.reply(200, b"ok")

    server = serve(meet)
    sent = [delivery(f"msg_{number}", {"id": str(number)}) for number in range(8)]
    threads = [threading.Thread(target=deliverer.deliver, args=(hook(server), one)) for one in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = {request.headers["webhook-id"]: Webhook(SECRET).verify(request.body, dict(request.headers))
           for request in server.asked}  # fmt: skip
    assert got == {one.webhook_id: one.body() for one in sent}
