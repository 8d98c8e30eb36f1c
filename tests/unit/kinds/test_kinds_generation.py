"""The kinds whose project the vendor generates: their fields, their errors, the stages of their plans, their calls."""

from __future__ import annotations

from typing import Any

import pytest

from harness.requests import build
from renderline.http import PageFinding
from renderline.kinds import KINDS, CallContext, RequestUnfit
from renderline.studio import Generated, Progress

PAGE = "https://example.com/news"
REQUESTS = {
    "topic_video": {"kind": "topic_video", "topic": "K-culture"},
    "url_video": {"kind": "url_video", "url": PAGE},
    "script_video": {"kind": "script_video", "scripts": "Our shop opens."},
}
SUBJECTS = {"topic_video": "topic", "url_video": "url", "script_video": "scripts"}


class Vendor:
    """The calls of the v3 client that a plan makes, noted."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def use_v3(self) -> Vendor:
        return self

    def generate(self, what: str, subject: str, options: Any) -> Generated:
        self.calls.append((what, subject, options))
        return Generated("p1", "job")

    def generation_progress(self, project_id: str) -> Progress:
        return Progress(40.0, state=project_id)


def context(load: Any, request: dict[str, Any], **more: Any) -> CallContext:
    kind = KINDS[request["kind"]]
    made = kind.context(load(request).body, name="n", webhook_url="https://gw/hook", project_id=None)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_subject_and_the_options_are_sent_and_the_rest_with_the_export(load: Any, kind: str) -> None:
    options = {"language": "en", "tone": None, "speed": 0.5}
    request = {**REQUESTS[kind], "options": options, "resolution": "720", "workspace_id": "w1"}
    subject = SUBJECTS[kind]
    assert build(load(request)) == {subject: request[subject], "options": options}
    vendor, given = Vendor(), context(load, request)
    (generate,) = [stage for stage in KINDS[kind].plan("two_phase", at="") if stage.name == "generate"]
    assert generate.call(vendor, given).project_id == "p1"  # type: ignore[arg-type]
    assert vendor.calls == [(subject, request[subject], {"language": "en", "speed": 0.5})]
    assert given.export_options() == {"resolution": "720", "workspace_id": "w1", "webhook_url": "https://gw/hook"}


@pytest.mark.parametrize("kind", REQUESTS)
def test_both_paid_stages_show_half_of_the_progress_and_the_generation_is_followed(kind: str) -> None:
    stages = KINDS[kind].plan("two_phase", at="")
    names = ["check"] * (kind == "url_video") + ["generate", "baseline", "export"]
    assert [stage.name for stage in stages] == names
    assert [stage.progress for stage in stages if stage.paid] == [(0.0, 50.0), (50.0, 100.0)]
    assert stages == KINDS[kind].plan("direct", at="")
    follow = stages[-3].poll
    assert follow is not None
    assert follow(Vendor(), "p1", {}).state == "p1"  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_vendor_body_is_known_by_its_subject(kind: str) -> None:
    body = {name: value for name, value in REQUESTS[kind].items() if name != "kind"}
    matching = [one for one, found in KINDS.items() if found.matches({**body, "options": {}})]
    assert matching == [kind]


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_draft_is_a_project_that_was_generated_and_not_exported(load: Any, kind: str) -> None:
    loaded = load({**REQUESTS[kind], "export": False})
    assert loaded.body["export"] is False
    assert KINDS[kind].plan("two_phase", at="", draft=True)[-1].name == "generate"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"kind": "topic_video"}, {"topic": "is required"}),
        ({"kind": "topic_video", "topic": " "}, {"topic": "may not be empty"}),
        ({"kind": "script_video", "scripts": ["a"]}, {"scripts": "must be a string"}),
        ({"kind": "script_video", "script": "a"}, {"script": "did you mean 'scripts'?", "scripts": "is required"}),
        ({"kind": "url_video", "url": "ftp://example.com/x"}, {"url": "must be an http or https URL"}),
        ({"kind": "url_video", "url": "https://user:pw@example.com/"}, {"url": "must not hold a user name"}),
        ({"kind": "url_video", "url": f"https://example.com/{'x' * 2048}"}, {"url": "at most 2048 characters"}),
        ({**REQUESTS["url_video"], "options": {"duration": 31}}, {"options.duration": "must be one of 30, 60"}),
        (
            {"kind": "topic_video", "payload": {"topic": "x", "options": {"scriptOption": "ai"}}},
            {"payload.options.scriptOption": "kind script_video only"},
        ),
        ({**REQUESTS["topic_video"], "resolution": "8k"}, {"resolution": "must be one of 4k"}),
    ],
)
def test_a_wrong_field_is_named(errors: Any, request_: dict[str, Any], expected: dict[str, str]) -> None:
    found = errors(request_)
    assert found.keys() == expected.keys()
    for path, words in expected.items():
        assert words in found[path][0]


def test_a_url_that_nobody_could_check_is_refused_even_where_all_else_passes(errors: Any) -> None:
    assert errors({"kind": "url_video", "url": "javascript:alert(1)", "validation": "warn"}).keys() == {"url"}


@pytest.mark.parametrize(
    ("finding", "warnings"),
    [
        (PageFinding("there"), ()),
        (PageFinding("unclear", "it answers 403"), ("url: not seen from here, it answers 403",)),
        (None, ()),
    ],
)
def test_doubts_about_a_page_are_warnings(load: Any, finding: PageFinding | None, warnings: tuple[str, ...]) -> None:
    asked: list[str] = []

    def check_page(url: str) -> PageFinding:
        asked.append(url)
        assert finding
        return finding

    given = context(load, REQUESTS["url_video"], check_page=check_page if finding else None)
    check = KINDS["url_video"].plan("two_phase", at="")[0]
    assert check.call(Vendor(), given).warnings == warnings  # type: ignore[arg-type]
    assert asked == [PAGE] * (finding is not None)
    assert not check.paid


def test_a_page_that_is_gone_makes_the_request_unfit(load: Any) -> None:
    given = context(load, REQUESTS["url_video"], check_page=lambda _: PageFinding("gone", "it answers 404"))
    with pytest.raises(RequestUnfit) as unfit:
        KINDS["url_video"].plan("two_phase", at="")[0].call(Vendor(), given)  # type: ignore[arg-type]
    assert (unfit.value.path, unfit.value.message) == (
        "url",
        "nobody can read this page: it answers 404; nothing was charged",
    )
