"""Kind `dubbing`: its fields, their errors, the call that costs and the poll that follows it."""

from __future__ import annotations

from typing import Any

import pytest

from renderline.kinds import KINDS, named_files
from renderline.kinds.dubbing_languages import LANGUAGES
from renderline.studio import DubbedVideo

DUBBING = KINDS["dubbing"]
YOUTUBE = "https://www.youtube.com/watch?v=aqz-KE-bpKQ"
FILE, SRT = f"upload:{'a' * 64}/talk.mp4", f"upload:{'b' * 64}/talk.srt"
REQUEST = {"kind": "dubbing", "url": YOUTUBE, "targets": ["ko-KR", "ja-JP"]}
BY_FILE = {"kind": "dubbing", "file": FILE, "targets": ["ko-KR"]}


class Vendor:
    """The two calls of dubbing, noted."""

    def __init__(self) -> None:
        self.dubbed: dict[str, Any] = {}

    def use_v3(self) -> Vendor:
        return self

    def dub(self, **given: Any) -> str:
        self.dubbed = given
        return "f1"

    def dubbed_videos(self, folder_id: str) -> list[DubbedVideo]:
        return [
            DubbedVideo(f"{folder_id}-b", "talk (ja-JP)", 100.0, "https://v/ja", None),
            DubbedVideo(f"{folder_id}-a", "talk (ko-KR)", 30.0, None, None),
        ]


def dub(load: Any, request: dict[str, Any]) -> dict[str, Any]:
    context = DUBBING.context(load(request).body, name="n", webhook_url="https://gw/hook", project_id=None)
    context.open_upload = lambda reference, /, *, endings=(), path="file": (reference, next(iter(endings)))  # type: ignore
    vendor = Vendor()
    stage = DUBBING.plan("two_phase", at="dub")[0]
    assert stage.paid
    assert stage.call(vendor, context).project_id == "f1"  # type: ignore[arg-type]
    return vendor.dubbed


def test_what_is_left_out_has_the_vendors_defaults(load: Any) -> None:
    assert dub(load, REQUEST) == {
        "file": None,
        "url": YOUTUBE,
        "targets": ["ko-KR", "ja-JP"],
        "original": "auto",
        "original_srt": None,
        "target_srts": {},
        "dubbing_only": False,
        "remove_background_music": False,
        "captions": False,
        "speakers": "auto",
    }


def test_everything_that_is_given_is_sent(load: Any) -> None:
    given = {
        **BY_FILE,
        "source_language": "en-US",
        "source_srt": SRT,
        "target_srts": {"ko-KR": SRT},
        "dubbing_only": True,
        "remove_background_music": True,
        "captions": True,
        "speakers": 2,
    }
    assert dub(load, given) == {
        "file": (FILE, "mp4"),
        "url": None,
        "targets": ["ko-KR"],
        "original": "en-US",
        "original_srt": (SRT, "srt"),
        "target_srts": {"ko-KR": (SRT, "srt")},
        "dubbing_only": True,
        "remove_background_music": True,
        "captions": True,
        "speakers": "2",
    }


def test_the_targets_are_noted_before_the_call_that_costs_and_the_poll_reads_them(load: Any) -> None:
    context = DUBBING.context(load(REQUEST).body, name="n", webhook_url=None, project_id=None)
    noted = DUBBING.plan("two_phase", at="")[0].call(Vendor(), context).data  # type: ignore[arg-type]
    assert noted == {"targets": ["ko-KR", "ja-JP"]}
    seen = DUBBING.poll(Vendor(), "f1", noted)  # type: ignore[arg-type]
    assert [(one.language, one.project_id, one.progress) for one in seen.outputs] == [
        ("ko-KR", "f1-a", 30.0),
        ("ja-JP", "f1-b", 100.0),
    ]


@pytest.mark.parametrize("speakers", ["auto", "1", "5", 1, 5, None])
def test_up_to_five_speakers(errors: Any, speakers: Any) -> None:
    assert errors({**REQUEST, "speakers": speakers}) == {}


def test_ten_of_the_thirty_languages_at_most(errors: Any) -> None:
    assert errors({**REQUEST, "targets": list(LANGUAGES[:10])}) == {}
    assert errors({**REQUEST, "targets": list(LANGUAGES[:11])}) == {"targets": ["must name 1 to 10 languages"]}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"kind": "dubbing"}, {"file": "is required, unless url is given", "targets": "is required"}),
        ({**REQUEST, "file": FILE}, {"url": "must be left out when file is given"}),
        ({**REQUEST, "targets": []}, {"targets": "must name 1 to 10 languages"}),
        ({**REQUEST, "targets": "ko-KR"}, {"targets": "must be a list"}),
        ({**REQUEST, "targets": ["ko-KR", "ko-KR"]}, {"targets": "different languages: 'ko-KR' is given twice"}),
        ({**REQUEST, "targets": ["ko-KR", "ja"]}, {"targets.1": "did you mean 'ja-JP'?"}),
        ({**REQUEST, "targets": ["klingon"]}, {"targets.0": "must be one of en-US, hi-IN"}),
        ({**REQUEST, "source_language": "english"}, {"source_language": "must be one of auto, en-US"}),
        ({**REQUEST, "target_srts": {"de-DE": SRT}}, {"target_srts.de-DE": "the targets, which are: ko-KR, ja-JP"}),
        ({**REQUEST, "target_srts": {"ko-KR": FILE}}, {"target_srts.ko-KR": "another type; allowed: srt"}),
        ({**REQUEST, "target_srts": [SRT]}, {"target_srts": "must be an object"}),
        ({**REQUEST, "source_srt": "talk.srt"}, {"source_srt": "must be upload:"}),
        ({**BY_FILE, "file": "https://example.com/talk.pdf"}, {"file": "another type (pdf)"}),
        ({**REQUEST, "url": "youtube"}, {"url": "must be a"}),
        ({**REQUEST, "speakers": 6}, {"speakers": "between 1 and 5"}),
        ({**REQUEST, "speakers": "six"}, {"speakers": "must be one of auto, 1"}),
        ({**REQUEST, "captions": "yes"}, {"captions": "true or false"}),
        ({**REQUEST, "export": False}, {"export": "has no draft"}),
        ({**REQUEST, "resolution": "720"}, {"resolution": "unknown field"}),
    ],
)
def test_a_wrong_field_is_named(errors: Any, request_: dict[str, Any], expected: dict[str, str]) -> None:
    found = errors(request_)
    assert found.keys() == expected.keys()
    for path, words in expected.items():
        assert words in found[path][0]


def test_what_renderline_relies_on_is_refused_even_where_all_else_passes(errors: Any) -> None:
    wrong = {**REQUEST, "file": FILE, "targets": ["ko-KR", "ko-KR"], "target_srts": {"de-DE": SRT}}
    assert errors({**wrong, "validation": "warn"}).keys() == {"url", "targets", "target_srts.de-DE"}
    assert errors({**REQUEST, "targets": ["xx-XX"], "validation": "warn"}) == {}


def test_every_file_that_it_names_is_known(load: Any) -> None:
    given = {**BY_FILE, "source_srt": SRT, "target_srts": {"ko-KR": SRT}}
    assert {(file.path, file.reference) for file in named_files(DUBBING, given)} == {
        ("file", FILE),
        ("source_srt", SRT),
        ("target_srts.ko-KR", SRT),
    }
    assert {file.path for file in named_files(DUBBING, load(given).body)} == {
        "payload.file",
        "payload.originalSrt",
        "payload.targetSrts.ko-KR",
    }
