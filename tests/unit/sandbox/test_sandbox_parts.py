"""Small parts: tokens, packing, fault rules, video boxes and ranges, routes, options."""

import random
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest

from renderline.sandbox.calls import Route
from renderline.sandbox.compression import BodyCompressor
from renderline.sandbox.faults import Fault, FaultRules, garbled, refusal
from renderline.sandbox.options import parse_options
from renderline.sandbox.projects import ProjectStore
from renderline.sandbox.responses import Refusal, Response, failure
from renderline.sandbox.routes import Router
from renderline.sandbox.tokens import Tokens, v2_account
from renderline.sandbox.video import box, byte_range, template, video

NOW = 1_800_000_000.25


def test_token_is_a_jwt_of_the_vendors_shape() -> None:
    tokens = Tokens(credentials={}, lifetime=86400)
    token = tokens.issue("studioV3.me", "key", now=NOW)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {"appId": "studioV3.me", "platform": "web", "iat": int(NOW), "exp": int(NOW) + 86400}
    assert len(token.rsplit(".", 1)[1]) == 43
    assert tokens.account(token, now=NOW) == "studioV3.me"


def test_tokens_that_are_refused() -> None:
    tokens = Tokens(credentials={}, lifetime=60)
    token, other = tokens.issue("a", "k", now=NOW), tokens.issue("b", "k", now=NOW)
    cases = {None: "missing", "": "missing", f"Bearer {token}": "without 'Bearer'", "nonsense": "not known"}
    for header, words in cases.items():
        with pytest.raises(Refusal, match=words) as caught:
            tokens.account(header, now=NOW)
        assert caught.value.status == 401
    with pytest.raises(Refusal, match="expired"):
        tokens.account(token, now=NOW + 61)
    tokens.revoke(token)
    with pytest.raises(Refusal, match="revoked"):
        tokens.account(token, now=NOW)
    assert tokens.account(other, now=NOW) == "b"


def test_a_token_after_a_revocation_is_another_text() -> None:
    tokens = Tokens(credentials={}, lifetime=60)
    token = tokens.issue("a", "k", now=NOW)
    assert tokens.issue("a", "k", now=NOW) == token
    assert tokens.revoke_all() == 1
    assert tokens.issue("a", "k", now=NOW) != token


@pytest.mark.parametrize(("app_id", "key"), [("a", "wrong"), ("b", "k")])
def test_only_given_credentials(app_id: str, key: str) -> None:
    tokens = Tokens(credentials={"a": "k"}, lifetime=60)
    assert tokens.issue("a", "k", now=NOW)
    with pytest.raises(Refusal, match="wrong"):
        tokens.issue(app_id, key, now=NOW)


def test_v2_keys() -> None:
    name = v2_account("secret", keys=frozenset())
    assert "secret" not in name
    assert name == v2_account("secret", keys=frozenset({"secret"}))
    for header, keys in [(None, frozenset[str]()), ("Bearer x", frozenset[str]()), ("x", frozenset({"secret"}))]:
        with pytest.raises(Refusal):
            v2_account(header, keys=keys)


def test_packing_restores_and_shrinks() -> None:
    packing = BodyCompressor()
    bodies = [b'{"scenes": [{"same words everywhere": %d, "text": "\xc3\xa9"}]}' % index * 20 for index in range(5)]
    packed = [packing.pack(body) for body in bodies]
    assert [packing.unpack(each) for each in packed] == bodies
    assert len(packed[4]) < len(bodies[4]) / 5


def test_ids_accounts_and_deletion() -> None:
    store = ProjectStore(random.Random(1))
    mine = store.create("a", api="v3", name="n", body=b"{}", now=NOW)
    other = store.create("b", api="v3", name="n", body=b"{}", now=NOW)
    assert len(mine.id) == 24
    assert int(mine.id, 16) + 1 == int(other.id, 16)
    with pytest.raises(Refusal) as caught:
        store.get("a", other.id)
    assert caught.value.status == 404
    assert store.delete("a", [mine.id, other.id, "unknown", 7], now=1.0) == 1
    assert store.peek("a", mine.id) is None
    assert [project.deleted for project in store.all()] == [True, False]


def rules(*wishes: dict[str, Any]) -> FaultRules:
    made = FaultRules(random.Random(1))
    for wish in wishes:
        made.add(wish, known_calls={"GET /a", "GET /b"})
    return made


def test_rules_by_call_times_and_name() -> None:
    made = rules({"call": "GET /a", "fault": "drop", "times": 2, "name": "blue"}, {"fault": "500", "times": 1})

    def kind(call: str, name: str | None, vendor: bool = True) -> str | None:
        fault = made.choose(call, vendor=vendor, name=name)
        return fault.kind if fault else None

    assert kind("GET /b", "blue", vendor=False) is None
    assert [kind("GET /a", "a blue one") for _ in range(4)] == ["drop", "drop", "500", None]


def test_rules_by_rate() -> None:
    made = rules({"fault": "hang", "rate": 0.25, "seconds": 3})
    hits = [made.choose("GET /a", vendor=True, name=None) for _ in range(2000)]
    assert 400 < sum(hit is not None for hit in hits) < 600
    assert {hit.seconds for hit in hits if hit} == {3}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"call": "GET /c", "fault": "drop"}, "GET /c is not one of"),
        ({"fault": "explode"}, "fault: must be one of"),
        ({"fault": "drop", "time": 1}, "time: not known"),
        ({"fault": "drop", "rate": "much"}, "rate: must be a number"),
        ([], "must be an object"),
    ],
)
def test_rules_with_mistakes(wish: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        rules(wish)


def test_retry_after_forms() -> None:
    def header(fault: Fault) -> str | None:
        answer = refusal(fault, now=NOW)
        assert answer.status == 429
        return dict(answer.headers).get("Retry-After")

    assert header(Fault("429")) == "1"
    assert header(Fault("429", seconds=2.5)) == "2.5"
    assert header(Fault("429", form="none")) is None
    date = parsedate_to_datetime(header(Fault("429", seconds=2, form="date")) or "")
    assert NOW + 2 <= date.timestamp() <= NOW + 3.01


@pytest.mark.parametrize(("form", "starts"), [("html", b"<html"), ("json", b'{"succ'), ("empty", b"")])
def test_garbled_bodies(form: str, starts: bytes) -> None:
    spoiled = garbled(Response(200, b'{"success":true}'), Fault("malformed", form=form), rng=random.Random(1))
    assert spoiled.status == 200
    assert spoiled.body.startswith(starts)
    assert not spoiled.body.endswith(b"}")


@pytest.mark.parametrize(("code", "as_200", "status"), [(40001, False, 400), (40001, True, 200), (42900, True, 429)])
def test_failures_as_200(code: int, as_200: bool, status: int) -> None:
    assert failure(Refusal(code, "no"), as_200=as_200).status == status


def test_videos_differ_by_a_box_at_the_end() -> None:
    one, two = (video(name * 24, name="Ünï", orientation="landscape") for name in "ab")
    assert one != two
    assert one.startswith(template("landscape"))
    tail = box("a" * 24, "Ünï")
    assert one.endswith(tail)
    assert int.from_bytes(tail[:4], "big") == len(tail)
    assert tail[4:8] == b"uuid"
    assert video("a" * 24, name="", orientation="portrait")[: len(template("portrait"))] == template("portrait")
    for orientation in ("landscape", "portrait"):
        content = template(orientation)
        assert content[4:8] == b"ftyp"
        assert content.index(b"moov") < content.index(b"mdat")
        assert len(content) < 60_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", (0, 9)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
    ],
)
def test_ranges(header: str | None, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0"])
def test_ranges_out_of_reach(header: str) -> None:
    with pytest.raises(ValueError, match="range"):
        byte_range(header, 100)


def test_literal_routes_before_patterns() -> None:
    def handler(_: Any) -> Response:
        return Response(200)

    names = ["POST /p/{key}", "POST /p/export", "GET /p/{key}", "GET /p"]
    router = Router([Route(*name.split(), handler, "v3") for name in names])
    assert router.match("POST", "/p/export")[0].name == "POST /p/export"
    assert router.match("POST", "/p/other") == (router.routes[0], "other")
    assert router.match("GET", "/p/export") == (router.routes[2], "export")
    for method, path, status in [("PUT", "/p/x", 405), ("DELETE", "/p", 405), ("GET", "/p/", 404), ("GET", "/q", 404)]:
        with pytest.raises(Refusal) as caught:
            router.match(method, path)
        assert caught.value.status == status


def test_options() -> None:
    options = parse_options(["--port", "0", "--app-id", "a", "--user-key", "k", "--v2-key", "x", "--curve", "mixed"])
    assert (options.credentials, options.v2_keys, options.curve) == ({"a": "k"}, frozenset({"x"}), "mixed")


@pytest.mark.parametrize("wrong", [["--app-id", "a"], ["--spread", "1"], ["--curve", "up"], ["--render-seconds", "-1"]])
def test_wrong_options(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(wrong)
    assert "usage:" in capsys.readouterr().err
