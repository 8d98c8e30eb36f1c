"""Every fenced block of the documentation is run by a test, checked as its language asks, or left out for a reason."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib

import click
import pytest
import yaml

from harness import ROOT
from harness.docs import diagrams
from harness.docs.snippets import Block, blocks, blocks_of
from harness.requests import load
from workers.cli.program import cli

BLOCKS = list(blocks())
LISTED = tomllib.loads((ROOT / "tests/unit/docs/blocks.toml").read_text(encoding="utf-8"))
ALONE = {"json", "toml", "yaml", "mermaid"}
"""Languages whose blocks hold data: to parse them says enough. Requests among them are loaded below."""


def name(block: Block) -> str:
    return f"{block.page}:{block.line}"


def entry(block: Block) -> dict[str, str] | None:
    return next((one for one in LISTED.get(block.page, []) if block.first.startswith(one["begins"])), None)


def runs_in_readme_test(block: Block) -> bool:
    """Whether tests/acceptance/test_docs_system.py runs the block: it takes each of these two languages in its part."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    line = readme[: readme.index("## Enqueue a render")].count("\n")
    end = readme[: readme.index("## Processes and scaling")].count("\n")
    return block.page == "README.md" and block.language in ("sh", "python") and line < block.line <= end


@pytest.mark.parametrize("block", BLOCKS, ids=name)
def test_somebody_answers_for_it(block: Block) -> None:
    assert block.language in ALONE or runs_in_readme_test(block) or entry(block), (
        f"no test runs this block: add one, and name it in tests/unit/docs/blocks.toml: {block.first}"
    )


@pytest.mark.parametrize("page", LISTED)
def test_what_answers_is_there_and_still_needed(page: str) -> None:
    for one in LISTED[page]:
        assert len(one.keys() & {"test", "why"}) == 1
        assert [block for block in BLOCKS if entry(block) is one and block.page == page], f"{page}: {one['begins']}"
        path, _, test = one.get("test", "").partition("::")
        assert (ROOT / path).exists()
        assert not test or re.search(rf"^def {test}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language not in ("", "text")], ids=name)
def test_it_is_of_its_language(block: Block) -> None:
    match block.language:
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "yaml":
            list(yaml.safe_load_all(block.text))
        case "python":
            ast.parse(block.text)
        case "mermaid":
            assert diagrams.picture(block.text)
        case "sh":
            done = subprocess.run(["sh", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        case "js" | "go" | "php" | "jsonc" | "ini" | "nginx":
            pass  # the test that the list names runs it
        case other:
            pytest.fail(f"{other}: name the language as the others are named, or say here how it is checked")


def requests_shown() -> list[tuple[str, dict[str, object]]]:
    """Return the render requests that blocks show, alone or in a batch, without templates and records."""
    found = []
    for block in BLOCKS:
        if block.language == "json" and "{{" not in block.text:
            shown = json.loads(block.text)
            batch = shown.get("requests", []) if isinstance(shown, dict) else []
            several = [shown, *(one.get("request") for one in batch if isinstance(one, dict))]
            found += [
                (name(block), one) for one in several if isinstance(one, dict) and "kind" in one and "state" not in one
            ]
    return found


@pytest.mark.parametrize(("place", "request_shown"), requests_shown())
def test_a_request_shown_is_taken(place: str, request_shown: dict[str, object]) -> None:
    plain = {field: value for field, value in request_shown.items() if field not in ("hooks", "account")}
    assert load(plain).kind == request_shown["kind"], place


def commands() -> list[tuple[str, str]]:
    """Return the commands of Renderline that blocks show, each with its place."""
    found = []
    for block in BLOCKS:
        joined = block.text.replace("\\\n", " ")
        for line in joined.splitlines():
            shown = re.match(r"^\s*(?:\$ )?(?:\.venv/bin/)?renderline ([a-z].*)$", line)
            # A form with placeholders in brackets is compared elsewhere.
            if shown and "[-" not in line and block.language in ("", "sh"):
                found.append((name(block), re.split(r" [|&#<>]| \d?>|;", shown[1])[0].strip()))
    return found


@pytest.mark.parametrize(("place", "line"), [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in commands()])
def test_a_command_shown_exists_with_its_options(place: str, line: str) -> None:
    words, command = shlex.split(line), cli
    while words and isinstance(command, click.Group) and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert command is not cli, f"{place}: no such command"
    known = {option for one in [*command.params, *cli.params] for option in (*one.opts, *one.secondary_opts)}
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} - known <= {"-h", "--help"}


def test_a_block_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="page:2"):
        list(blocks_of("page", "text\n```sh\nls\n"))
