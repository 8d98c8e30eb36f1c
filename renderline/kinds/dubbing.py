"""Kind `dubbing`: one video, dubbed into up to ten languages; each language is an output of the render (v3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.dubbing_languages import AUTO, LanguageCode
from renderline.kinds.dubbing_rows import folder_progress
from renderline.kinds.files import FileReference
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.source_page import page_check, web_address
from renderline.kinds.v3_fields import optional
from renderline.studio import Progress
from renderline.validation.errors import quoted
from renderline.validation.fields import Boolean, ByJsonType, Integer, List, Object, Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import OneOf, Range
from renderline.validation.weight import Firm

MAX_TARGETS: Final = 10
MAX_SPEAKERS: Final = 5

_SPEAKERS: Final = ByJsonType(
    {
        int: Integer(validate=Range(min=1, max=MAX_SPEAKERS)),
        str: Text(validate=[OneOf((AUTO, *(str(count) for count in range(1, MAX_SPEAKERS + 1))))]),
    },
    error=f"must be '{AUTO}' or a number from 1 to {MAX_SPEAKERS}",
    allow_none=True,
)


def _few_and_unique(codes: list[Any]) -> None:
    if not 1 <= len(codes) <= MAX_TARGETS:
        raise ValidationError(Firm(f"must name 1 to {MAX_TARGETS} languages"))
    repeated = sorted({code for code in codes if isinstance(code, str) and codes.count(code) > 1})
    if repeated:
        raise ValidationError(Firm(f"must be different languages: {quoted(repeated[0]).strip()} is given twice"))


class _Dubbing(VendorSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_source(self, _data: Any, body: Any, **_: Any) -> None:
        """Refuse a request without a source, or with two, and subtitles for a language that is not asked for."""
        if not isinstance(body, dict):
            return
        errors: dict[str, Any] = {}
        sources = [name for name in ("file", "url") if body.get(name) is not None]
        if not sources:
            errors["file"] = [Firm("is required, unless url is given")]
        elif len(sources) > 1:
            errors["url"] = [Firm("must be left out when file is given: one video is dubbed")]
        srts, targets = body.get("targetSrts"), body.get("targets")
        if isinstance(srts, dict):
            wrong = self._wrong_srts(srts, targets if isinstance(targets, list) else [])
            errors |= {"targetSrts": wrong} if wrong else {}
        if errors:
            raise ValidationError(errors)

    @staticmethod
    def _wrong_srts(srts: Mapping[Any, Any], targets: list[Any]) -> dict[Any, list[str]]:
        asked = ", ".join(code for code in targets if isinstance(code, str) and quoted(code)) or "none"
        wrong: dict[Any, list[str]] = {}
        for language, file in srts.items():
            if language not in targets:
                wrong[language] = [Firm(f"is not among the targets, which are: {asked}")]
            else:
                try:
                    _SUBTITLE.deserialize(file)
                except ValidationError as error:
                    wrong[language] = error.messages  # type: ignore[assignment]
        return wrong


VIDEOS: Final = ("mp4", "m4v", "mov", "webm", "mkv", "avi")
SUBTITLES: Final = ("srt",)


_SUBTITLE: Final = FileReference(*SUBTITLES, allow_none=True)
_PAGE: Final = page_check("url")

BODY: Final = _Dubbing.from_dict(
    {
        "file": FileReference(*VIDEOS, allow_none=True),
        "url": web_address(**optional()),
        "targets": List(Text(validate=[LanguageCode()]), required=True, validate=_few_and_unique),
        "original": Text(**optional(validate=[LanguageCode(AUTO)])),
        "originalSrt": _SUBTITLE,
        "targetSrts": Object(**optional()),
        "isDubbingOnly": Boolean(**optional()),
        "isRemoveBGM": Boolean(**optional()),
        "isCaptionFile": Boolean(**optional()),
        "numberOfSpeakers": _SPEAKERS,
    },
    name="Dubbing",
)
"""AI Studios v3 contract, dubbing. The vendor takes a form: `targets` and `targetSrts` become its numbered parts."""


def _check(clients: AccountClients, context: CallContext) -> CallResult:
    # Noted before the call that costs: an operator may give the folder of a call whose answer was lost.
    found = _PAGE.call(clients, context)
    return replace(found, data={"targets": context.body["payload"]["targets"]})


def _dub(clients: AccountClients, context: CallContext) -> CallResult:
    payload = context.body["payload"]
    srts = payload.get("targetSrts") or {}
    file, original_srt = payload.get("file"), payload.get("originalSrt")
    folder = clients.use_v3().dub(
        file=context.open_upload(file, endings=VIDEOS) if file else None,
        url=payload.get("url"),
        targets=payload["targets"],
        original=payload.get("original") or AUTO,
        original_srt=context.open_upload(original_srt, endings=SUBTITLES, path="source_srt") if original_srt else None,
        target_srts={
            language: context.open_upload(srt, endings=SUBTITLES, path=f"target_srts.{language}")
            for language, srt in srts.items()
        },
        dubbing_only=bool(payload.get("isDubbingOnly")),
        remove_background_music=bool(payload.get("isRemoveBGM")),
        captions=bool(payload.get("isCaptionFile")),
        speakers=str(payload.get("numberOfSpeakers") or AUTO),
    )
    return CallResult(folder)


def _poll(clients: AccountClients, folder_id: str, data: Mapping[str, Any]) -> Progress:
    return folder_progress(clients.use_v3().dubbed_videos(folder_id), data.get("targets", ()))


def _matches(body: Mapping[str, Any]) -> bool:
    return "targets" in body and ("file" in body or "url" in body)


# The vendor makes no draft of it, and a folder is in no list of projects.
_PLAN: Final = (Stage("check", _check), Stage("dub", _dub, paid=True, slow=True))

KIND: Final = Kind(
    name="dubbing",
    matches=_matches,
    schema=BODY(),
    example={
        "file": "upload:d5ddc7aac2f4b55bd18fa5ac824006a6d17eff7ea8e7e06e1b027c527783e156/welcome.mp4",
        "targets": ["ko-KR", "ja-JP", "es-ES"],
    },
    fields={
        **{name: name for name in ("file", "url", "targets")},
        "source_language": "original",
        "source_srt": "originalSrt",
        "target_srts": "targetSrts",
        "dubbing_only": "isDubbingOnly",
        "remove_background_music": "isRemoveBGM",
        "captions": "isCaptionFile",
        "speakers": "numberOfSpeakers",
    },
    # Theirs are the names in the body, ours those at the top of a request.
    file_fields=("file", "originalSrt", "targetSrts", "source_srt", "target_srts"),
    webhook_field=None,
    defaults={"original": AUTO, "numberOfSpeakers": AUTO},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=_poll,
    inspect=None,
)
