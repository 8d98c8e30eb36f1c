"""JSON as strangers write it: odd numbers, names and texts, deep and wide, half of it broken."""

from __future__ import annotations

import json

from hypothesis import strategies as st

NUMBERS = (
    st.sampled_from(
        [
            "0",
            "-0",
            "-0.0",
            "1e999",
            "-1e999",
            "1e-999",
            "NaN",
            "Infinity",
            "-Infinity",
            "5",
            "100",
            "00",
            "1_0",
            "9" * 20,
            "9" * 4300,
            "9" * 5000,
            "-" + "9" * 5000,
            "0." + "9" * 5000,
            "1e308",
            "100.0000001",
            str(2**53),
            str(2**63),
            str(2**64),
        ]
    )
    | st.integers().map(str)
    | st.floats().map(json.dumps)
)
TEXTS = (
    st.sampled_from(
        [
            '""',
            '"\\ud83d"',
            '"\\ud83d\\ude00"',
            '"\\u0000"',
            '"\u2028"',
            '"\x85"',
            '"\u202e"',
            '"\\n"',
            '"\x1b[2J"',
            '"100 %"',
            '"1e999"',
            '"nan"',
            '"https://v.test/a.mp4"',
            '"https://[::1"',
            '"//"',
            '"ai-video/key/"',
            '"true"',
            '"<b>"',
            '"../x"',
        ]
    )
    | st.text(max_size=12).map(json.dumps)
    | st.text(max_size=12).map(lambda text: json.dumps(text, ensure_ascii=False))
)
DEEP = st.sampled_from(["[" * 70 + "]" * 70, '{"a":' * 70 + "1" + "}" * 70, "[" * 100_000, "[" * 5000 + "]" * 5000])


def json_texts(names: list[str], *, leaves: int = 12) -> st.SearchStrategy[str]:
    """Return JSON texts whose objects mostly have these names; now and then one that is cut or has more behind it."""
    keys = st.sampled_from([json.dumps(name) for name in names]) | TEXTS
    scalars = NUMBERS | TEXTS | st.sampled_from(["null", "true", "false", "[]", "{}", "nul", ""]) | DEEP

    def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        objects = st.lists(st.tuples(keys, inner), max_size=5).map(
            lambda pairs: "{" + ",".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
        return objects | st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]")

    sound = st.recursive(scalars, nested, max_leaves=leaves)
    broken = st.tuples(sound, st.integers(0, 60), TEXTS).map(lambda parts: parts[0][: parts[1]] + parts[2])
    return sound | sound | sound | broken


def json_bytes(names: list[str], *, leaves: int = 12) -> st.SearchStrategy[bytes]:
    """Return `json_texts` in the encodings that occur, and plain bytes."""
    encodings = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
    written = st.tuples(json_texts(names, leaves=leaves), encodings).map(
        lambda parts: parts[0].encode(parts[1], errors="replace")
    )
    return written | st.binary(max_size=200)
