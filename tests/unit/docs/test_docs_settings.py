"""docs/settings.md, .env.example and the declarations in config/ agree on every setting."""

from __future__ import annotations

import pytest

from config.settings import VARIABLES, Settings, load
from config.variable import Environment
from harness.docs.settings_page import PAGE, described, kind_of, read_by, with_tables

EVERY = sorted(VARIABLES)


def test_the_page_has_the_tables_of_the_declarations() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "write it anew: python -m harness.docs.settings_page"


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(described()) == set(VARIABLES)


@pytest.mark.parametrize("name", EVERY)
def test_each_says_what_it_does_and_who_reads_it(name: str) -> None:
    assert described()[name].text.endswith((".", ")", "on.", "!"))
    assert read_by(name)
    assert kind_of(name)


def test_only_the_files_of_secrets_share_a_text() -> None:
    texts: dict[str, list[str]] = {}
    for name, one in described().items():
        texts.setdefault(one.text, []).append(name)
    assert [names for names in texts.values() if len(names) > 1 and not all(n.endswith("_FILE") for n in names)] == []


@pytest.mark.parametrize("name", [name for name in EVERY if described()[name].shown])
def test_the_default_shown_is_the_default(name: str) -> None:
    shown = Environment({name: described()[name].shown}, VARIABLES)
    assert shown.problems == []
    assert shown.value(VARIABLES[name]) == VARIABLES[name].default


@pytest.mark.parametrize("name", [name for name in EVERY if not described()[name].shown])
def test_what_shows_no_default_has_none(name: str) -> None:
    assert not VARIABLES[name].default


def test_a_setting_that_matters_to_one_process_says_so() -> None:
    assert read_by("RENDERLINE_GATEWAY_HEADER_TIMEOUT") == "gateway"
    assert read_by("RENDERLINE_EVIDENCE_WINDOW") == "worker"
    assert read_by("RENDERLINE_FLOWER_RENDERS") == "Flower"
    assert {"worker", "gateway"} <= set(read_by("RENDERLINE_STORAGE_URL").split(", "))
    assert isinstance(load({}, role="gateway"), Settings)
