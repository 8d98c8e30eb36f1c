"""All pages name files that exist, the walk through one render each of its files once; the domain has few modules."""

from __future__ import annotations

import re

import pytest

from harness import ROOT

PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"`((?:config|harness|renderline|tasks|workers)/[\w/]+\.(?:py|lua))`")
PATH = re.compile(
    r"(?<![\w./-])((?:benchmarks|config|docs|examples|harness|renderline|tasks|tests|workers)/[\w./-]*\w)"
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def read(page: str) -> str:
    return (ROOT / page).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    named = {ROOT / path for path in PATH.findall(LINK.sub("", read(page)))}
    named |= {(ROOT / page).parent / link for link in LINK.findall(read(page))}
    assert [str(file) for file in named if not file.exists()] == []


def test_the_pages_that_show_the_way_name_many_files() -> None:
    assert all(len(FILE.findall(read(f"docs/{page}.md"))) > 10 for page in ("architecture", "glossary", "changing"))


def test_the_walk_through_one_render_goes_from_the_request_to_the_last_hook_and_names_no_file_twice() -> None:
    walk = read("docs/architecture.md").split("## A walk through one render")[1].split("\n## ")[0]
    files = FILE.findall(walk)
    assert files[0] == "tasks/request.py"
    assert "renderline/retry.py" in files
    assert len(files) == len(set(files)) > 20


def test_every_package_of_the_domain_is_in_the_module_map() -> None:
    packages = {folder.parent.name for folder in (ROOT / "renderline").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `renderline/(\w+)` \|", read("docs/architecture.md"), re.MULTILINE))


@pytest.mark.parametrize(
    ("question", "file"),
    [
        ("poll interval", "renderline/polling/policy.py"),
        ("429", "renderline/accounts/guard.py"),
        ("hook retried", "renderline/retry.py"),
        ("new kind", "docs/changing.md"),
        ("fence", "docs/glossary.md"),
    ],
)
def test_the_readme_answers_where(question: str, file: str) -> None:
    rows = [line for line in read("README.md").splitlines() if line.startswith("| Wh") and question in line]
    assert len(rows) == 1
    assert f"]({file})" in rows[0]


@pytest.mark.parametrize(
    "word", ["ledger", "fence", "epoch", "lease", "pump", "slot", "ticket", "lane", "park, unpark"]
)
def test_the_glossary_explains_our_own_words(word: str) -> None:
    assert f"\n| {word} | " in read("docs/glossary.md")


def test_the_domain_has_at_most_eighteen_plain_modules() -> None:
    modules = [file.stem for file in (ROOT / "renderline").glob("*.py") if file.stem != "__init__"]
    assert len(modules) <= 18, sorted(modules)
