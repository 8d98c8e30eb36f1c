"""The Lua scripts as text: a key, record field or function that was renamed in one place only shows here."""

from __future__ import annotations

import re

import pytest

from harness import ROOT
from renderline.ledger.keys import SCRIPT_KEYS
from renderline.ledger.parsing import POLL_FIELDS
from renderline.ledger.script import _ONCE

FOLDER = ROOT / "renderline/ledger/scripts"
SHARED = ("version.lua", "prelude.lua", "quota.lua", "lanes.lua", "wake_up.lua")
SCRIPTS = {path.name: re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.lua")}
ALL = "\n".join(SCRIPTS.values())

BUILT_IN = {"ipairs", "pairs", "pcall", "tonumber", "tostring", "type", "unpack", "function"}
WORDS = {"and", "or", "not", "if", "elseif", "while", "in", "return", "until"}
# Written in ways that the patterns below do not see: nested calls, and names that a hook reports.
UNSEEN_WRITES = {"draft", "stored_url", "stored_outputs"}


def local_functions(text: str) -> set[str]:
    named = re.findall(r"\blocal function (\w+)", text)
    arguments = re.findall(r"\bfunction\b[^(]*\(([^)]*)\)", text)
    return {*named, *(one.strip() for group in arguments for one in group.split(","))}


def test_the_scripts_use_the_keys_of_the_table_and_all_of_them() -> None:
    assert set(re.findall(r"\bK\.(\w+)", ALL + _ONCE)) == set(SCRIPT_KEYS)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_function_that_a_script_calls_exists(name: str) -> None:
    text = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", SCRIPTS[name])
    shared = "\n".join(SCRIPTS[one] for one in SHARED)
    known = BUILT_IN | WORDS | local_functions(text) | local_functions(shared)
    assert set(re.findall(r"(?<![\w.:])([a-z_]\w*)\(", text)) <= known


def test_every_record_field_that_a_script_reads_is_written_by_one() -> None:
    arguments = r"((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)"
    writes = re.findall(r"\bset\(id," + arguments, ALL)
    writes += re.findall(r"'H(?:SET|SETNX|INCRBY)',\s*(?:render\(id\)|k)," + arguments, ALL)
    written = {field for text in writes for field in re.findall(r"'([a-z_]+)'", text)}
    read = set(re.findall(r"\bfield\(id, '([a-z_]+)'\)", ALL)) | {name for name in POLL_FIELDS if name[:2] != "t:"}
    for text in re.findall(r"'HMGET', render\(id\)," + arguments, ALL):
        read |= set(re.findall(r"'([a-z_]+)'", text))
    assert len(written) > 40
    assert len(read) > 20
    assert read - written <= UNSEEN_WRITES
