"""Redaction finds every spelling of a secret, in time that grows with the lengths of message and secrets alone."""

from __future__ import annotations

import html
import json
import random
import string
import time
import timeit
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from renderline.studio.redaction import LONGEST_MESSAGE, SHORTEST_RUN, fold, private_texts, redact
from renderline.studio.spellings import undone

SCRIPT = 'Grüße, "Weltraum": 안녕하세요 & <willkommen>\nam Ende 100 % C:\\neu 😀 gesagt'

SPELLINGS = {
    "plain": str,
    "upper case": str.upper,
    "JSON": json.dumps,
    "JSON as UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "a URL": quote,
    "all of a URL": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "a URL in a URL": lambda text: quote(quote(text)),
    "HTML": html.escape,
    "HTML by number": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "repr": repr,
    "ASCII": ascii,
    "repr of bytes": lambda text: repr(text.encode(errors="replace")),
    "repr of JSON": lambda text: repr(json.dumps(text).encode()),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_script_is_hidden_in_every_spelling(spell):
    shown = redact(f"refused: {spell(SCRIPT)}, so there", [SCRIPT])
    assert shown.startswith("refused: ")
    assert shown.endswith("so there")
    for word in ("Weltraum", "willkommen", "gesagt", "uc548", "EC%95", "xec", "안녕"):
        assert word.lower() not in shown.lower()


texts = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyz")
    | st.sampled_from('äéßИ안😀"\\%&+<>/ \n')
    | st.characters(codec="utf-8"),
    min_size=SHORTEST_RUN,
    max_size=60,
)


@settings(deadline=None)
@given(secret=texts, before=st.text(max_size=20), after=st.text(max_size=20), spell=st.sampled_from([*SPELLINGS]))
@example(secret="a\\nbcdefghijklmnop", before="", after="", spell="JSON in JSON")
def test_no_run_of_a_secret_survives_in_any_spelling(secret, before, after, spell):
    written = SPELLINGS[spell](secret)
    shown = redact(f"{before} {written[:1000]} {after}", [secret])
    readings = [shown]
    for _ in range(3):
        readings.append(undone(readings[-1]))
    wanted = fold(" ".join(secret.split()))
    # Letters and digits are what a person could read; what is made of signs alone may itself look like an escape.
    runs = {wanted[at : at + SHORTEST_RUN] for at in range(len(wanted) - SHORTEST_RUN + 1)}
    readable = {run for run in runs if run.isalnum() and run not in fold(f"{before} {after}")}
    for reading in readings:
        assert not [run for run in readable if run in fold(reading)]


@settings(deadline=None)
@given(message=st.text(max_size=1500), secrets=st.lists(st.text(max_size=30), max_size=5))
def test_any_message_becomes_one_printable_line(message, secrets):
    shown = redact(message, secrets)
    assert shown.isprintable()
    assert len(shown) <= LONGEST_MESSAGE


def test_a_control_character_of_the_vendor_reaches_no_line():
    assert redact("bad\x1b[2J\x00 type\n2026 forged line", ()) == "bad\ufffd[2J\ufffd type 2026 forged line"


@pytest.mark.parametrize("length", range(1180, 1205))
def test_a_secret_that_is_cut_off_with_the_message_is_hidden(length):
    filler = "z" * 600 + " "
    padding = "pq " * 400
    message = (filler + padding)[:length] + " keyphrase and more that is not examined " * 20
    shown = redact(message, ["z" * 600, "keyphrase", padding])
    assert "keyp" not in shown


def test_a_text_is_hidden_without_its_markup_too():
    body = {"script": "<p>One <b>sentence</b> that <i>nobody</i> may read</p>"}
    assert redact("no: One sentence that nobody may read", private_texts(body)) == "no: [...]"


def _prose(words: list[str], size: int) -> str:
    return " ".join(random.Random(5).choices(words, k=size // 6))[:size]


WORDS = ["".join(random.Random(seed).choices(string.ascii_lowercase, k=3 + seed % 6)) for seed in range(500)]
ONE_MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("message", "secrets"),
    [
        (_prose(WORDS, 1200), [_prose(WORDS, ONE_MEGABYTE)]),
        ("ab" * 600, ["a" * ONE_MEGABYTE]),
        ("a" * 600 + "b", ["a" * ONE_MEGABYTE]),
        ("\\" * 1200, ["\\" * ONE_MEGABYTE]),
        (_prose(WORDS, 1200), [f"{number:x}" for number in range(ONE_MEGABYTE // 16)]),
    ],
    ids=["prose", "all but found", "found everywhere", "escapes", "tens of thousands of short ones"],
)
def test_a_megabyte_of_secrets_costs_no_more_than_reading_it_a_few_times(message, secrets):
    def seconds(work):
        return min(timeit.repeat(work, number=1, repeat=3, timer=time.process_time))

    def read_once():
        for secret in secrets:
            for at in range(0, max(len(secret), SHORTEST_RUN)):
                hash(secret[at : at + SHORTEST_RUN])

    assert seconds(lambda: redact(message, secrets)) < 4 * seconds(read_once)
