"""The examples in `examples/` and in the documentation are valid requests."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from harness import ROOT
from harness.requests import build
from renderline.kinds import KINDS
from renderline.requests import RequestRefused, as_request

PAGE = (ROOT / "docs" / "requests.md").read_text()
DOCUMENTED = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
COMPACT = [path for path in EXAMPLES if path.stem in ("compact-landscape", "compact-portrait")]


@pytest.mark.parametrize("text", DOCUMENTED)
def test_documented_requests_are_taken(load, text):
    assert build(load(json.loads(text)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_the_example_of_each_kind_and_it_gives_no_warning(load, kind):
    request = {"kind": kind, **KINDS[kind].example}
    assert request in [json.loads(text) for text in DOCUMENTED]
    assert load(request).warnings == ()


def test_the_files_of_the_examples_are_in_the_repository():
    files = (ROOT / "examples" / "files").iterdir()
    stored = {f"upload:{hashlib.sha256(path.read_bytes()).hexdigest()}/{path.name}" for path in files}
    examples = json.dumps([dict(kind.example) for kind in KINDS.values()])
    assert set(re.findall(r"upload:[^\"]+", examples)) == stored
    assert set(re.findall(r"upload:[0-9a-f]{64}/[^\"]+", PAGE)) == stored


def test_every_kind_has_its_line():
    assert {kind for kind in KINDS if f"\n| `{kind}` | " not in PAGE} == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_taken_without_a_warning(load, path):
    assert load(as_request(json.loads(path.read_text()))).warnings == ()


@pytest.mark.parametrize("path", COMPACT, ids=lambda path: path.stem)
def test_compact_examples_are_taken(load, path):
    loaded = load(json.loads(path.read_text()))
    assert f"compact-{loaded.body['orientation']}" == path.stem
    assert len(loaded.body["scenes"]) == 2


def test_documented_errors_are_the_ones_given(load):
    (documented,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    seed = json.loads((ROOT / "examples" / "v3-seed-landscape.json").read_text())
    place = {name: seed["scenes"][0]["clips"][0][name] for name in ("layer", "top", "left", "height", "width")}
    image = {**place, "type": "image", "source_url": "https://example.com/a.png"}
    seed["scenes"][0]["clips"] += [{**image, "id": str(at), "opacity": 100 if at < 2 else 0} for at in (1, 2)]
    hooks = [{"type": "download"}, {"type": "ftp"}]
    scene = {"avatar": {"model": "M1", "clothes": "B1"}}
    said = set()
    for data in (
        {"kind": "project", "payload": seed, "hooks": hooks},
        {"kind": "project", "scenes": [scene], "resolution": "2k"},
    ):
        with pytest.raises(RequestRefused) as refused:
            load(data)
        said |= set(str(refused.value).splitlines())
    assert said == set(documented.splitlines())
