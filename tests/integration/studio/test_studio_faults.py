"""Every way a call can go wrong on a real connection, and the typed fault that it becomes."""

import gzip
import json
import socket
import time
import traceback
from dataclasses import replace
from email.utils import formatdate

import pytest
from scripted_vendor import bad, dribble, good, hang_up, no_answer, raw, reply, reset

from renderline.studio import OutcomeUnknown, PayloadRefused, RateLimited, StudioFault, StudioV3, VendorUnavailable
from renderline.studio.v3 import projects

ID = "65fa6b07dca2e367461a2925"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 200_000

UNREADABLE = {
    "hang up": hang_up,
    "reset": reset,
    "cut body": raw(HEAD + b'Content-Length: 500\r\n\r\n{"success": true'),
    "cut chunk": raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\nff\r\n{"succ'),
    "not http": raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "length is a word": raw(HEAD + b"Content-Length: many\r\nContent-Length: 3\r\n\r\n{}"),
    "bad gzip": reply(content=b"not gzip at all", headers={"Content-Encoding": "gzip"}),
    "html": reply(content=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"}),
    "empty": reply(content=b""),
    "half json": reply(content=b'{"success": true, "data": {"proj'),
    "json text": reply("done"),
    "json list": reply([1]),
    "too deep": reply(content=DEEP),
    "not utf-8": reply(content=b'{"success": true, "data": "\xff"}'),
    "no fields": reply({"success": True}),
    "null data": good(None),
    "500": bad("BOOM", "internal", status=500),
    "502 page": reply(content=b"<h1>502</h1>", status=502),
    "504 empty": reply(content=b"", status=504),
    "redirect": reply({}, status=302, headers={"Location": "http://127.0.0.2:1/steal"}),
    "408": reply({}, status=408),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_read_may_be_repeated_whatever_happened(studio, vendor, name):
    vendor.will(UNREADABLE[name])
    with pytest.raises(VendorUnavailable):
        studio.progress(ID)
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_side_effect_without_an_answer_is_unknown_and_sent_once(studio, vendor, name):
    vendor.will(UNREADABLE[name])
    with pytest.raises(OutcomeUnknown):
        studio.export_project(ID)
    assert len(vendor.seen) == 1


def test_a_missing_answer_ends_at_the_read_timeout(vendor, tokens):
    client = StudioV3(vendor.url, tokens=tokens, read_timeout=0.2)
    vendor.will(no_answer, no_answer)
    with pytest.raises(VendorUnavailable, match="timed out"):
        client.progress(ID)
    with pytest.raises(OutcomeUnknown, match="timed out"):
        client.export_project(ID)
    client.close()


@pytest.mark.parametrize("step", [reset, hang_up])
def test_a_kept_connection_that_dies_under_a_side_effect_is_unknown_and_not_sent_again(studio, vendor, step):
    vendor.will(good({"progress": 1}), step, good({"projectId": ID}))
    studio.progress(ID)
    with pytest.raises(OutcomeUnknown):
        studio.create_project({}, export=True)
    assert len(vendor.seen) == 2


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://name.invalid"])
def test_nothing_sent_is_certain_and_may_be_repeated_even_for_a_side_effect(tokens, origin):
    client = StudioV3(origin.format(port=_closed_port()), tokens=tokens, connect_timeout=1.0)
    with pytest.raises(VendorUnavailable, match="nothing was sent"):
        client.create_project({}, export=True)
    client.close()


def test_a_failed_tls_handshake_has_sent_nothing(vendor, tokens):
    client = StudioV3(vendor.url.replace("http://", "https://"), tokens=tokens, connect_timeout=1.0, read_timeout=1.0)
    with pytest.raises(VendorUnavailable, match="nothing was sent"):
        client.create_project({}, export=True)
    client.close()
    assert vendor.seen == []


def test_a_connect_timeout_has_sent_nothing(tokens):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]  # more than the backlog holds, so that the next SYN is dropped
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        client = StudioV3(f"http://127.0.0.1:{full.getsockname()[1]}", tokens=tokens, connect_timeout=0.2)
        with pytest.raises(VendorUnavailable, match=r"nothing was sent \(timed out\)"):
            client.create_project({}, export=True)
        client.close()
        for caller in waiting:
            caller.close()


@pytest.mark.parametrize(
    "step",
    [
        dribble(b"", b"HTTP/1.1 200 OK\r\nX-Slow: "),
        dribble(HEAD, b"X-More: 1\r\n"),
        dribble(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        dribble(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["status line", "headers", "body", "chunks"],
)
def test_a_dribbling_vendor_holds_a_call_no_longer_than_its_total(hasty_studio, vendor, step):
    vendor.will(step)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        hasty_studio.export_project(ID)
    # It would dribble on for ever; a busy machine may add some seconds.
    assert time.monotonic() - began < hasty_studio.total_timeout + 10.0


def test_the_message_says_that_the_total_ran_out(hasty_studio, vendor):
    vendor.will(dribble(HEAD + b"Content-Length: 100000\r\n\r\n", b" "))
    with pytest.raises(VendorUnavailable, match="longer than its total time"):
        hasty_studio.progress(ID)


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_above_the_limit_is_not_read(studio, vendor, declared):
    huge = json.dumps({"success": True, "data": "x" * (5 << 20)}).encode()
    packed = {"Content-Encoding": "gzip"}
    vendor.will(reply(content=huge) if declared else reply(content=gzip.compress(huge), headers=packed))
    vendor.will(good({"progress": 3}))
    with pytest.raises(VendorUnavailable, match="too large"):
        studio.progress(ID)
    assert studio.progress(ID).progress == 3.0
    assert [seen.connection for seen in vendor.seen] == ([1, 2] if declared else [1, 1])


def test_a_list_whose_wanted_fields_are_above_the_limit_is_not_kept(studio, vendor, monkeypatch):
    monkeypatch.setattr(projects, "LIST", replace(projects.LIST, max_bytes=1000))
    vendor.will(good([{"id": str(number), "other": "x" * 100} for number in range(10)]))
    assert len(studio.list_projects()) == 10, "what is not wanted does not count"
    vendor.will(good([{"id": str(number)} for number in range(1000)]))
    with pytest.raises(VendorUnavailable, match="too large"):
        studio.list_projects()


def test_a_packed_list_is_unpacked(studio, vendor):
    rows = json.dumps({"success": True, "data": [{"id": str(number)} for number in range(1000)]}).encode()
    vendor.will(reply(content=gzip.compress(rows), headers={"Content-Encoding": "gzip"}))
    assert len(studio.list_projects()) == 1000


LIMITS = {
    "none": (lambda: None, None),
    "seconds": (lambda: "7", 7.0),
    # Read when the test runs: collected long before, the date may have passed by then.
    "future date": (lambda: formatdate(time.time() + 3600, usegmt=True), 300.0),
    "past date": (lambda: "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    "nonsense": (lambda: "soon", None),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("call", ["progress", "export_project"])
def test_429_is_a_wait_for_reads_and_side_effects_alike(studio, vendor, name, call):
    asked, expected = LIMITS[name]
    headers = {"Retry-After": value} if (value := asked()) else {}
    vendor.will(reply({"success": False, "error": {"code": 4290, "msg": "slow down"}}, status=429, headers=headers))
    with pytest.raises(RateLimited, match="slow down") as caught:
        getattr(studio, call)(ID)
    assert caught.value.retry_after == (None if expected is None else pytest.approx(expected, abs=60))
    assert len(vendor.seen) == 1


def test_503_with_retry_after_is_a_wait_for_a_read_and_unknown_for_a_side_effect(studio, vendor):
    busy = reply(content=b"busy", status=503, headers={"Retry-After": "3"})
    vendor.will(busy, busy, reply({}, status=503))
    with pytest.raises(RateLimited) as limited:
        studio.progress(ID)
    with pytest.raises(OutcomeUnknown) as unknown:
        studio.export_project(ID)
    with pytest.raises(VendorUnavailable):
        studio.progress(ID)
    assert limited.value.retry_after == unknown.value.retry_after == 3.0


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_4xx_keeps_the_vendors_code_and_message(studio, vendor, status):
    vendor.will(bad("E42", "scenes are required", status=status))
    with pytest.raises(PayloadRefused) as caught:
        studio.create_project({}, export=True)
    assert type(caught.value) is PayloadRefused
    assert (caught.value.status, caught.value.code) == (status, "E42")
    assert str(caught.value) == f"POST /api/odin/v3/editor/project HTTP {status} [E42]: scenes are required"


def test_a_4xx_page_is_the_vendor_being_away_and_is_not_quoted(studio, vendor):
    vendor.will(reply(content=b"<html>you sent token-one-aaaaaaaaaaaaaaaa</html>", status=400))
    with pytest.raises(OutcomeUnknown) as caught:
        studio.create_project({}, export=True)
    assert "token" not in str(caught.value)
    assert "check the base URL" in str(caught.value)


def test_a_redirect_is_not_followed_and_points_at_the_base_url(studio, vendor):
    vendor.will(reply({}, status=307, headers={"Location": f"{vendor.url}/elsewhere"}))
    with pytest.raises(VendorUnavailable, match="check the base URL"):
        studio.progress(ID)
    assert len(vendor.seen) == 1


def test_no_fault_repeats_token_script_or_webhook_address(studio, vendor):
    script = "Our quarterly figures are strictly confidential until Monday."
    body = {
        "scenes": [{"scripts": [{"org": f"<p>{script}</p>"}], "clips": [{"type": "textImage", "text": "Secret!"}]}],
        "webhookUrl": "https://hooks.example.com/r1/0123456789abcdef",
    }
    echo = (
        f"cannot say '{script[5:45]}' or 'Secret!' for token-one-aaaaaaaaaaaaaaaa, hook 0123456789abcdef, " + "z" * 900
    )
    vendor.will(bad("X", echo, status=400), reset)
    with pytest.raises(PayloadRefused) as refused:
        studio.create_project(body, export=True)
    with pytest.raises(OutcomeUnknown) as unknown:
        studio.create_project(body, export=True)
    assert refused.value.message.startswith("cannot say '[...]' or '[...]' for [...], hook")
    assert len(refused.value.message) <= 300
    for caught in (refused, unknown):
        shown_text = _everything_shown_by(caught.value)
        for secret in ("token-one", "figures", "confidential", "Secret!", "0123456789abcdef"):
            assert secret not in shown_text


def _everything_shown_by(fault: BaseException) -> str:
    parts, link = [], fault
    while link is not None:
        parts += [str(link), repr(link), repr(vars(link))]
        assert isinstance(link, StudioFault), "a fault of a library below holds the request"
        link = link.__cause__ or link.__context__
    return "".join(parts) + "".join(traceback.format_exception(fault)).split("Traceback", 1)[0]


def test_the_reason_of_a_fault_is_its_own_even_while_another_exception_is_handled(studio, vendor):
    vendor.will(reset)
    try:
        raise RuntimeError("the caller's own trouble")
    except RuntimeError:
        with pytest.raises(VendorUnavailable, match="ConnectionResetError: Connection reset by peer"):
            studio.progress(ID)


def test_a_client_shows_its_host_and_nothing_else(studio, studio_v2, endpoint, vendor):
    assert [repr(client) for client in (studio, studio_v2, endpoint)] == [
        f"StudioV3('{vendor.url}')",
        f"StudioV2('{vendor.url}')",
        f"TokenEndpoint('{vendor.url}')",
    ]
