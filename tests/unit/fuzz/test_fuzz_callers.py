"""Whatever callers, operators and other programs write, parsers return a documented shape or a documented error.

A long run: pytest tests/unit/fuzz --hypothesis-profile long
"""

from __future__ import annotations

import bz2
import json
import lzma
import tracemalloc
import zlib
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.accounts import read_accounts
from config.tenants import read_tenants
from harness.json_texts import json_bytes, json_texts
from harness.odd_messages import envelopes
from renderline.hooks.file_name import file_name, path_fault
from renderline.kinds import KINDS
from renderline.requests import RequestRefused
from tests.integration.workers.poison import envelope, task
from tests.unit.requests.conftest import load  # noqa: F401 (a fixture)
from workers.cli.request_files import Unreadable, items, value_at
from workers.message_check import InvalidMessage, check_broadcast, check_envelope, check_task, is_plain, read
from workers.repairs.quarantine import unrestorable

REQUEST_NAMES = [
    "kind",
    "name",
    "scenes",
    "script",
    "avatar",
    "hooks",
    "type",
    "url",
    "payload",
    "metadata",
    "priority",
    "deadline",
    "account",
    "updates",
    "project_id",
    "clips",
    "tts",
    "background",
    "requests",
    "orientation",
]
KIND_TEXTS = st.sampled_from([json.dumps(kind) for kind in KINDS])


@given(raw=envelopes())
def test_a_message_is_sound_or_invalid(raw):
    for check in (check_envelope, check_broadcast, check_task):
        try:
            check(read(raw), plain=is_plain(raw))
        except InvalidMessage as problem:
            assert str(problem).isprintable()
            assert len(str(problem)) < 400
            assert problem.kind in ("malformed", "unknown task", "later version")


@pytest.mark.parametrize(
    ("name", "pack"), [("zlib", zlib.compress), ("application/x-bz2", bz2.compress), ("lzma", lzma.compress)]
)
def test_a_body_that_unpacks_to_far_more_is_invalid_and_takes_no_memory(name, pack):
    sound = envelope(pack(b'[["' + b"f" * 32 + b'"], {}, {}]'), task("renderline.submit", compression=name))
    check_task(sound)
    bomb = pack(b" " * 70_000_000)
    tracemalloc.start()
    with pytest.raises(InvalidMessage, match="once it is unpacked"):
        check_task(envelope(bomb, task("renderline.submit", compression=name)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60_000_000
    for cut in (pack(b"[]")[:-1], pack(b"[]") + b"x"):
        with pytest.raises(InvalidMessage, match="cannot be unpacked"):
            check_task(envelope(cut, task("renderline.submit", compression=name)))


@given(raw=envelopes(), around=json_texts(["delivery_info", "headers"]))
def test_an_unacked_entry_can_be_restored_or_says_why(raw, around):
    for entry in (raw, b"[" + raw + b',"","x"]', around.encode(errors="replace")):
        why = unrestorable(entry)
        assert why is None or why.isprintable()


@given(text=json_texts(REQUEST_NAMES, leaves=25), kind=KIND_TEXTS)
def test_a_request_is_loaded_or_refused_with_reasons(load, text, kind):  # noqa: F811
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(data, dict):
        data = {**data, "kind": json.loads(kind)}
    try:
        loaded = load(data)
    except RequestRefused as refusal:
        assert refusal.errors
        assert len(str(refusal)) < 20_000
        return
    json.dumps(loaded.body, allow_nan=False)
    assert loaded.fingerprint()


@given(raw=json_bytes(REQUEST_NAMES) | st.lists(json_bytes(REQUEST_NAMES, leaves=4), max_size=4).map(b"\n".join))
@example(b"9" * 5000)
@example(b'{"kind": "project"}\n' + b"9" * 5000)
def test_a_request_file_is_read_or_says_which_line_is_wrong(raw):
    try:
        found = items("file", raw)
    except Unreadable as fault:
        assert fault.lines
        assert all(line.startswith("file") and "\n" not in line for line in fault.lines)
        return
    assert found
    for item in found:
        assert item.place.startswith("file")
        value_at(item.data, "metadata.order")


def test_a_line_of_a_request_file_may_hold_any_character_of_unicode():
    lines = [{"name": "a\u2028b\x85c\u2029\x0bd"}, {"name": "second"}]
    raw = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).replace("\\u000b", "\\u000b").encode()
    assert [item.data for item in items("file", raw)] == lines


TEMPLATES = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [
            "{id}",
            "{name}",
            "{kind}",
            "{",
            "}",
            "{{",
            "}}",
            "{id!r}",
            "{id:9}",
            "{0}",
            "{}",
            "/",
            "..",
            ".",
            "~",
            "a",
            "\x00",
            "\ud800",
            "é" * 99,
            "{id.__class__}",
            "{name[0]}",
        ]
    ),
    max_size=6,
).map("".join)


@given(template=TEMPLATES, name=st.text(max_size=300), kind=st.text(max_size=10))
def test_a_file_name_stays_below_its_folder(template, name, kind):
    fault = path_fault(template)
    assert fault is None or isinstance(fault, str)
    if fault:
        return
    record: Mapping[str, Any] = {"id": "f" * 32, "name": name, "kind": kind}
    try:
        path = file_name(template, record)
    except ValueError:
        return
    parts = path.split("/")
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(parts)
    assert all(part[0] not in ".~" for part in parts)


TOML = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "[[account]]",
            "[[tenant]]",
            "[[tenant.endpoint]]",
            "[account]",
            "account = []",
            "tenant = 5",
            'name = "a"',
            "name = []",
            "name = {}",
            'name = "\\u0000"',
            "name = 1979-05-27",
            "max_requests_per_second = inf",
            "max_requests_per_second = nan",
            "max_concurrent_renders = 9" + "9" * 30,
            "max_concurrent_renders = " + "9" * 5000,
            'base_url = "http://[::1"',
            "x = 1e999",
            'base_url = "http://a:b"',
            'base_url = "http://a:99999"',
            'app_id = ""',
            'user_key = "k"',
            "v2_secret_key = 5",
            "accounts = [5]",
            "hook_hosts = [[]]",
            'celery_hooks = ["a@b"]',
            'url = "x"',
            "projects = 5",
            "a = " + "[" * 5000,
            "a = " + "{a=" * 2000,
            "endpoint = 5",
            "endpoint = [5]",
            "max_per_day = true",
            'hook_secrets = ["whsec_5"]',
        ]
    ),
    max_size=8,
).map("\n".join)


@pytest.mark.parametrize("read", [read_accounts, read_tenants])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TOML | st.binary(max_size=40))
@example("[[account]]\nname = []")
@example("[[account]]\nmax_concurrent_renders = " + "9" * 5000)
@example("[[tenant]]\nname = " + "[" * 5000)
def test_a_settings_file_is_read_or_every_bad_field_is_named(tmp_path, read, text):
    path = tmp_path / "file.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(errors="replace"))
    options = {"defaults": {}} if read is read_accounts else {}
    try:
        found = read(str(path), **options)
    except ma.ValidationError as problem:
        assert problem.messages
        return
    assert isinstance(found, tuple)
