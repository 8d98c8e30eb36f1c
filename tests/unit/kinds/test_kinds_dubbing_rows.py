"""Which row of a dubbing folder is which language."""

from __future__ import annotations

import pytest

from renderline.kinds.dubbing_languages import LANGUAGES, likely_code
from renderline.kinds.dubbing_rows import languages_of

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


def test_all_thirty_codes_are_told_apart() -> None:
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
