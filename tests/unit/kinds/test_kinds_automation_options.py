"""The options of generated videos: every enum and range, and what is refused together."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from renderline.kinds.automation_options import DURATIONS, MEDIA, SCRIPT_OPTIONS, STYLES, options, sent_options
from renderline.validation.errors import flattened
from renderline.validation.schemas import VendorSchema

EVERYTHING = {
    "language": "en",
    "duration": 60,
    "objective": "education",
    "audience": "students",
    "tone": "",
    "speed": 1,
    "media": "generative",
    "useGenerativeHighQuality": True,
    "style": "digitalPainting",
    "templateId": "## template id ##",
    "model": "## model id ##",
    "voiceOnly": False,
}
GENERATIVE = {"media": "generative"}


def errors(given: Any, **rules: bool) -> dict[str, list[str]]:
    schema = VendorSchema.from_dict({"options": options(**rules)}, name="Body")()
    try:
        schema.load({"options": given})
    except ValidationError as error:
        return flattened(error.messages)
    return {}


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        EVERYTHING,
        dict.fromkeys(EVERYTHING),
        *({"duration": one} for one in DURATIONS),
        *({"media": one} for one in MEDIA),
        *({**GENERATIVE, "style": one} for one in STYLES),
        *({"speed": one} for one in (0.5, 1, 1.25, 1.5)),
        {"useGenerativeHighQuality": False},
        {"media": "free", "useGenerativeHighQuality": None, "style": None},
        {"somethingNew": {"of": "theirs"}},
    ],
)
def test_documented_options_pass(given: Any) -> None:
    assert errors(given) == {}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        (5, "options", "object"),
        ({"language": "en-US"}, "options.language", "ISO 639-1"),
        ({"language": "EN"}, "options.language", "ISO 639-1"),
        ({"language": ""}, "options.language", "may not be empty"),
        ({"duration": 45}, "options.duration", "must be one of 30, 60, 90, 120, 150, 180, not 45"),
        ({"duration": "60"}, "options.duration", "must be a number"),
        ({"duration": True}, "options.duration", "must be a number"),
        ({"speed": 0.4}, "options.speed", "must be between 0.5 and 1.5"),
        ({"speed": 1.6}, "options.speed", "must be between 0.5 and 1.5"),
        ({"media": "stock"}, "options.media", "must be one of search, free, premium, generative, not 'stock'"),
        ({**GENERATIVE, "style": "comic"}, "options.style", "must be one of realistic, digitalPainting"),
        ({"style": "anime"}, "options.style", "media 'generative'"),
        ({"media": "free", "style": "realistic"}, "options.style", "media 'generative'"),
        ({"useGenerativeHighQuality": True}, "options.useGenerativeHighQuality", "media 'generative'"),
        ({**GENERATIVE, "useGenerativeHighQuality": 1}, "options.useGenerativeHighQuality", "true or false"),
        ({"voiceOnly": "yes"}, "options.voiceOnly", "true or false"),
        ({"tone": 3}, "options.tone", "must be a string"),
        ({"model": " "}, "options.model", "may not be empty"),
        ({"template_id": "t1"}, "options.template_id", "did you mean 'templateId'?"),
        ({"voiceonly": True}, "options.voiceonly", "did you mean 'voiceOnly'?"),
        ({"scriptOption": "ai"}, "options.scriptOption", "kind script_video only"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(given: Any, path: str, words: str) -> None:
    found = errors(given)
    assert list(found) == [path]
    assert words in found[path][0]


def test_only_scripts_have_a_script_option() -> None:
    for one in SCRIPT_OPTIONS:
        assert errors({"scriptOption": one}, script_option=True) == {}
    wrong = errors({"scriptOption": "human"}, script_option=True)
    assert wrong == {"options.scriptOption": ["must be one of ai, original, not 'human'"]}


def test_documents_have_no_duration() -> None:
    assert "documents decide" in errors({"duration": 60}, duration=False)["options.duration"][0]
    assert errors({"language": "ko", "duration": None}, duration=False) == {}


def test_options_without_a_value_are_not_sent() -> None:
    assert sent_options({"options": {"language": "en", "tone": None, "speed": 0.5}}) == {"language": "en", "speed": 0.5}
    assert sent_options({"options": None}) == {} == sent_options({})
