"""Which row of a dubbing folder is which language, and what the rows say together."""

from __future__ import annotations

import pytest

from renderline.kinds.dubbing_languages import LANGUAGES, likely_code
from renderline.kinds.dubbing_rows import folder_progress, languages_of
from renderline.studio import DubbedVideo

KO, JA, EN = "ko-KR", "ja-JP", "en-US"


@pytest.mark.parametrize(
    ("names", "targets", "languages"),
    [
        # by the code in the name, in any order, form and case
        (["talk_ja-JP", "talk_ko-KR", "talk_en-US"], [KO, JA, EN], [JA, KO, EN]),
        (["talk JA_JP", "(ko-kr) talk", "talk.en-us.mp4"], [KO, JA, EN], [JA, KO, EN]),
        (["talk ko-KR"], [KO, JA], [KO]),
        # by order, where no name has a code
        (["talk", "talk", "talk"], [KO, JA, EN], [KO, JA, EN]),
        ([None, "", "x"], [KO, JA, EN], [KO, JA, EN]),
        (["talk"], [KO], [KO]),
        # a code that several names have is part of the title
        (["ko-KR talk", "ko-KR talk"], [KO, JA], [KO, JA]),
        (["ko-KR talk ja-JP", "ko-KR talk en-US", "ko-KR talk"], [KO, JA, EN], [JA, EN, KO]),
        # a name with two codes of its own tells nothing; the rest follows
        (["en-US to ja-JP", "ko-KR"], [KO, JA], [JA, KO]),
        (["en-US ja-JP", "b", "c"], [EN, JA, KO], [EN, JA, KO]),
        # some by name, the others in order
        (["a", "b ja-JP", "c"], [KO, JA, EN], [KO, JA, EN]),
        (["a en-US", "b", "c"], [KO, JA, EN], [EN, KO, JA]),
        # not as many rows as targets: only names count
        (["a", "b"], [KO, JA, EN], [None, None]),
        (["a", "b ja-JP"], [KO, JA, EN], [None, JA]),
        (["a", "b", "c"], [KO, JA], [None, None, None]),
        (["a", "b ja-JP", "c"], [KO, JA], [None, JA, None]),
        ([], [KO], []),
        # a part of another word is no code; a language that nobody asked for is none either
        (["xko-KRx"], [KO, JA], [None]),
        (["talk fr-FR"], [KO, JA], [None]),
    ],
)
def test_each_row_gets_the_language_that_is_certain(
    names: list[str | None], targets: list[str], languages: list[str | None]
) -> None:
    assert languages_of(names, targets) == languages


def test_no_code_is_taken_for_another() -> None:
    assert len(set(LANGUAGES)) == 30
    names = [f"lesson {code.lower()}" for code in reversed(LANGUAGES)]
    assert languages_of(names, LANGUAGES) == list(reversed(LANGUAGES))


@pytest.mark.parametrize(
    ("given", "likely"),
    [
        ("ko", KO),
        ("ko_kr", KO),
        ("KO-KR", KO),
        ("kr", KO),
        ("en-GB", EN),
        ("zh-TW", "zh-CN"),
        ("pt-BR", "pt-PT"),
        ("xx-JP", JA),
        ("tl-PH", "fil-PH"),
        ("hi", "hi-IN"),
        ("en-USA", EN),
        ("klingon", None),
        ("", None),
    ],
)
def test_a_wrong_code_has_a_likely_meaning(given: str, likely: str | None) -> None:
    assert likely_code(given) == likely


def row(language: str, progress: float = 0.0, url: str | None = None, state: str | None = None) -> DubbedVideo:
    return DubbedVideo(f"p-{language}", f"talk {language}", progress, url, state)


def test_a_dubbing_is_done_with_its_last_language_and_its_url_is_that_of_the_first() -> None:
    rows = [row(JA, 100, "https://v/ja"), row(KO, 50)]
    seen = folder_progress(rows, [KO, JA])
    assert (seen.progress, seen.done, [one.language for one in seen.outputs]) == (75.0, False, [KO, JA])
    seen = folder_progress([rows[0], row(KO, 100, "https://v/ko")], [KO, JA])
    assert (seen.progress, seen.done, seen.download_url) == (100.0, True, "https://v/ko")


def test_a_hundred_without_a_url_is_not_yet_a_video() -> None:
    seen = folder_progress([row(KO, 100), row(JA, 100, "https://v/ja")], [KO, JA])
    assert (seen.progress, seen.finished) == (99.0, False)


def test_a_language_without_a_row_is_waited_for() -> None:
    seen = folder_progress([row(KO, 100, "https://v/ko")], [KO, JA])
    assert [(one.language, one.project_id, one.done) for one in seen.outputs] == [
        (KO, f"p-{KO}", True),
        (JA, None, False),
    ]
    assert not seen.finished
    assert [one.language for one in folder_progress([], [KO, JA]).outputs] == [KO, JA]
    nameless = folder_progress([DubbedVideo("p1", "talk", 10.0, None, None)], [KO, JA])
    assert [(one.language, one.project_id) for one in nameless.outputs] == [(None, "p1"), (None, None)]


def test_one_failed_language_leaves_the_others() -> None:
    seen = folder_progress([row(KO, 30, state="FAIL"), row(JA, 100, "https://v/ja")], [KO, JA])
    assert (seen.done, seen.download_url) == (True, "https://v/ja")
    assert [(one.failed, one.error) for one in seen.outputs] == [
        (True, "the vendor reports state 'FAIL' at 30 %"),
        (False, None),
    ]


def test_a_dubbing_fails_only_with_every_language() -> None:
    seen = folder_progress([row(KO, 30, state="failed"), row(JA, 0, state="error")], [KO, JA])
    assert (seen.state, seen.finished) == ("failed", False)
    assert seen.error_message == (
        "no language could be dubbed; ja-JP: the vendor reports state 'error' at 0 %; "
        "ko-KR: the vendor reports state 'failed' at 30 %"
    )


def test_a_folder_of_any_number_of_rows_is_a_few_outputs() -> None:
    rows = [DubbedVideo(f"p{number}", "talk", 1.0, None, None) for number in range(5000)]
    assert len(folder_progress(rows, [KO, JA]).outputs) == 20


def test_a_row_that_comes_twice_is_one_output() -> None:
    rows = [DubbedVideo("p1", "talk ko-KR", 100.0, "https://v/1", None)] * 2
    rows.append(DubbedVideo("p2", "talk ja-JP", 100.0, "https://v/2", None))
    assert [one.language for one in folder_progress(rows, [KO, JA]).outputs] == [KO, JA]
