"""Magic tags: their grammar, where they are found, and how often they work."""

from typing import Any

import pytest

from renderline.sandbox.magic import Spent, find_tags, script_texts
from renderline.sandbox.responses import Refusal


def tags(text: str, *, name: str = "", account: str = "a") -> Any:
    return find_tags(account, name=name, texts=[text])


@pytest.mark.parametrize(
    ("text", "kind", "value", "times", "stage"),
    [
        ("[sandbox:slow]", "slow", None, None, "export"),
        ("Hi [sandbox:slow=5] there", "slow", "5", None, "export"),
        ("<p>[sandbox:fail*1]</p>", "fail", None, 1, "export"),
        ("[sandbox:429=date@draft]", "429", "date", 1, "draft"),
        ("[sandbox:500*3@progress#my own mark]", "500", None, 3, "progress"),
        ("[sandbox:drop@progress*2]", "drop", None, 2, "progress"),
        ("[sandbox:hang=2.5]", "hang", "2.5", 1, "export"),
        ("[sandbox:refuse]", "refuse", None, None, "create"),
        ("[sandbox:credit]", "credit", None, None, "export"),
        ("[sandbox:fail=30@generate]", "fail", "30", None, "generate"),
        ("[sandbox:stuck@fil-PH]", "stuck", None, None, "fil-PH"),
    ],
)
def test_grammar(text: str, kind: str, value: str | None, times: int | None, stage: str) -> None:
    (tag,) = tags(text)
    assert (tag.kind, tag.value, tag.times, tag.stage) == (kind, value, times, stage)


@pytest.mark.parametrize(
    "text",
    [
        "[sandbox:slwo]",
        "[sandbox:drop@token]",
        "[sandbox:hang=long]",
        "[sandbox:Drop]",
        "[sandbox:drop",
        "[sandbox:fail@audio]",
    ],
)
def test_typing_errors_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match="sandbox:"):
        tags(text)


def test_once_holds_for_a_project_made_again() -> None:
    spent = Spent()
    (first,) = tags("[sandbox:drop]", name="Welcome 01JABCDEFGHJKMNPQRSTVWXYZ0")
    (again,) = tags("[sandbox:drop]", name="Welcome 01JZZZZZZZZZZZZZZZZZZZZZZ9")
    assert spent.take(first)
    assert not spent.take(again)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Other words [sandbox:drop]"},
        {"text": "[sandbox:drop#2]"},
        {"text": "[sandbox:drop]", "name": "Other name"},
        {"text": "[sandbox:drop]", "account": "b"},
    ],
)
def test_once_counts_apart(other: dict[str, str]) -> None:
    spent = Spent()
    (first,) = tags("[sandbox:drop]")
    (second,) = tags(**other)
    assert spent.take(first)
    assert spent.take(second)


def test_unlimited_and_counted_tags() -> None:
    spent = Spent()
    (always,) = tags("[sandbox:fail]")
    (twice,) = tags("[sandbox:fail*2]")
    assert [spent.take(always) for _ in range(3)] == [True, True, True]
    assert [spent.take(twice) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    "body",
    [
        {"scenes": [{"scripts": [{"org": "spoken"}]}]},
        {"scenes": [{"clips": [{"type": "aiModel", "script": {"org": "spoken"}}]}]},
        {"scenes": [{"clips": [{"type": "aiModel", "script": "spoken"}]}]},
        {"scenes": [{"AIModel": {"script": "spoken"}}]},
        {"text": "spoken"},
        {"updates": [{"values": {"script": "spoken"}}]},
        {"updates": {"value": [{"values": {"script": {"org": "spoken"}}}]}},
    ],
)
def test_script_texts_of_every_form(body: dict[str, Any]) -> None:
    assert list(script_texts(body)) == ["spoken"]


@pytest.mark.parametrize("body", [{}, {"scenes": 3}, {"scenes": [None, {"scripts": 1, "clips": [4]}]}, {"updates": 1}])
def test_script_texts_survive_wrong_types(body: dict[str, Any]) -> None:
    assert list(script_texts(body)) == []
