"""Words that hid what they meant do not come back: each has a plain one in `docs/glossary.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ROOT

ALLOWED = {
    "docs/glossary.md",
    "CHANGELOG.md",
    "renderline/ledger/migration.py",
    "tests/integration/cli/test_cli_migrate.py",
    "tests/integration/ledger/test_ledger_migration.py",
    "tests/integration/ledger/test_ledger_migration_flow.py",
    "tests/integration/ledger/schema_1/make.py",
    "tests/unit/docs/test_docs_words.py",
}
"""The glossary explains words, the change log is history, and the migration renames what the old words named."""

FOLDERS = ("benchmarks", "config", "docs", "examples", "harness", "renderline", "tasks", "tests", "workers")
SUFFIXES = {".py", ".lua", ".md", ".toml", ".yml", ".in", ".example"}

INSTEAD = {
    "poll": ["look_in", "first_in", "look at the vendor", "looks at the vendor", "looked at again", "looks in a row"],
    "poll, poll result": ["next look", "first look", "a look", "the look", "due look", "findings"],
    "polling decision, response classification": ["verdicts"],
    "webhook reported, webhooks alive, webhook hint": ["told", "heard", "hinted", "trusting"],
    "fallback interval": ["making_sure", "nets_of_trust"],
    "backoff, circuit open, rate limit": ["silence", "paced", "pacing", "is_absence"],
    "stalled": ["stood still", "stands still", "stand still"],
    "transition, unpark, wake": ["freed", "kick", "kicks"],
    "orphan drafts": ["suspect", "suspects", "orphan hunt", "hunt for orphans"],
    "capabilities": ["roster", "wanting"],
    "cleanup task": ["errand", "errands", "disposal"],
    "requeue, ack": ["handed back", "hand back", "acknowledging"],
    "shutdown": ["departure"],
    "json limits, redaction, kind detection, accept": ["soundness", "discretion", "recognition", "intake"],
    "request context, access log, response schemas": ["desk", "journal"],
    "blocked": ["barred"],
    "load, model, harness, scenario": ["crowd", "book", "arena", "ledgerplay"],
    "record, recorded": ["take note", "takes note", "took note", "is news"],
    "quarantined, unreadable, invalid": ["set aside", "sets aside", "messages that are none"],
    "rate limit, backoff, does not answer": ["the pace", "the vendor is away", "asked its account to wait"],
    "an unknown outcome": ["nobody saw", "nobody has seen"],
    "the worker, thread or caller that": ["whoever", "those who", "one who", "in other hands"],
    "queued, is in": ["stands in the queue", "stand in the queue", "what stands in"],
    "a shorter sentence": ["whose like", "for nothing but", "of which nobody", "for which it has", "is believed"],
}
FORBIDDEN = {word: plain for plain, words in INSTEAD.items() for word in words}


def texts() -> Iterator[tuple[str, str]]:
    """Yield the path and text of every file that people write and read."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    for path in sorted(files):
        name = str(path.relative_to(ROOT))
        written = path.suffix in SUFFIXES or path.name in {"Makefile", "Procfile", "Dockerfile", ".env.example"}
        if path.is_file() and written and name not in ALLOWED and "__pycache__" not in path.parts:
            yield name, path.read_text()


TEXTS = dict(texts())
LOWERED = {name: text.lower() for name, text in TEXTS.items()}


@pytest.mark.parametrize("word", FORBIDDEN)
def test_a_word_with_a_plain_one_beside_it_is_not_used(word: str) -> None:
    whole = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
    part_of_name = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.IGNORECASE)
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in TEXTS.items()
        if word.lower() in LOWERED[name]
        for number, line in enumerate(text.splitlines(), 1)
        # The names of tests are sentences: in them only whole words count.
        if (whole if name.startswith("tests/") else part_of_name).search(line)
    ]
    assert not found, f"say {FORBIDDEN[word]!r}:\n" + "\n".join(found)


def test_the_words_are_looked_for_in_all_of_the_code() -> None:
    assert {Path(name).parts[0] for name in TEXTS} >= set(FOLDERS) - {"examples"}
