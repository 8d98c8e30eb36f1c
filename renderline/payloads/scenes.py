"""Schema of a v3 scene, and its rule that every avatar on show has exactly one source of speech."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from .clips import clip, optional
from .fields import Choice, Flag, Record, Text, Whole
from .refusal import shown
from .structure import Many, Part, Vendor

BACKGROUND: Final = Vendor.from_dict(
    {
        "id": Text(**optional(blank=True)),
        "type": Choice(("background",), allow_none=True),
        "source_type": Text(**optional()),
        "source_url": Text(**optional(blank=True)),  # the vendor's own are host-relative paths: no URL check
        "source_color": Text(**optional(blank=True)),
    },
    name="Background",
)


class _Voiced(Vendor):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def voice_fits(self, _data: Any, script: Any, **_: Any) -> None:
        """Refuse a voice that does not fit `isTTS`: an object exactly when it is true (v3 contract, scenes)."""
        if not isinstance(script, dict) or "tts" not in script:
            return
        if script.get("isTTS") is True and script["tts"] is None:
            raise ValidationError({"tts": ["must be an object when isTTS is true"]})
        if script.get("isTTS") is False and script["tts"] is not None:
            raise ValidationError({"tts": ["must be null when isTTS is false"]})


SCRIPT: Final = _Voiced.from_dict(
    {
        "org": Text(required=True, blank=True),
        "isTTS": Flag(required=True),
        "tts": Record(required=True, allow_none=True),
        "modelId": Text(required=True),
        "clothId": Text(required=True),
    },
    name="Script",
)


class _Spoken(Vendor):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def speech_fits(self, _data: Any, scene: Any, **_: Any) -> None:
        """Refuse references to no avatar, avatars without a script, and an id used twice; any shape is survived."""
        if not isinstance(scene, dict):
            return
        clips, scripts = _entries(scene.get("clips")), _entries(scene.get("scripts"))
        avatars = [(at, clip) for at, clip in clips if clip.get("type") == "aiModel"]
        errors = {
            "scripts": _lost_references(scripts, avatars) | _empty_scripts(scripts, avatars),
            "clips": _silent_avatars(scripts, avatars) | _repeated_ids(clips),
        }
        if any(errors.values()):
            raise ValidationError({name: found for name, found in errors.items() if found})


SCENE: Final = _Spoken.from_dict(
    {
        "sceneIdx": Whole(required=True, least=0),  # not unique in the vendor's own bodies: array order counts
        "background": Part(BACKGROUND, required=True),
        "clips": Many(clip(), required=True),
        "scripts": Many(Part(SCRIPT), allow_none=True),
    },
    name="Scene",
)

_Entries = list[tuple[int, dict[str, Any]]]
_Errors = dict[int, dict[str, list[str]]]
_MOST_KNOWN: Final = 10


def _entries(value: Any) -> _Entries:
    entries = enumerate(value) if isinstance(value, list) else ()
    return [(at, entry) for at, entry in entries if isinstance(entry, dict)]


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _look(model: Any, clothes: Any) -> tuple[str, str] | None:
    """Return what a script and its avatar must have in common, if both are named as they should be."""
    return (model, clothes) if isinstance(model, str) and isinstance(clothes, str) else None


def _look_of(avatar: dict[str, Any]) -> tuple[str, str] | None:
    model = avatar.get("model")
    return _look(model.get("ai_name"), model.get("emotion")) if isinstance(model, dict) else None


def _look_meant(script: dict[str, Any]) -> tuple[str, str] | None:
    return _look(script.get("modelId"), script.get("clothId"))


def _lost_references(scripts: _Entries, avatars: _Entries) -> _Errors:
    """Refuse a script for an avatar that the scene does not have (v3 contract, scenes)."""
    errors: _Errors = {}
    looks = {look for _, avatar in avatars if (look := _look_of(avatar))}
    clothes: dict[str, list[str]] = {}
    for model, worn in sorted(looks):
        clothes.setdefault(model, []).append(worn)
    for at, script in scripts:
        meant = _look_meant(script)
        if meant is None or meant in looks:
            continue
        field, value, known = ("modelId", meant[0], list(clothes))
        if meant[0] in clothes:
            field, value, known = ("clothId", meant[1], clothes[meant[0]])
        names = ", ".join(shown(name).strip() or "?" for name in known[:_MOST_KNOWN]) or "none"
        errors[at] = {field: [f"unknown reference{shown(value)}; the avatars of this scene have: {names}"]}
    return errors


def _empty_scripts(scripts: _Entries, avatars: _Entries) -> _Errors:
    """Refuse a script without words for an avatar on show."""
    on_show = {_look_of(avatar) for _, avatar in avatars if avatar.get("isDelete") is not True} - {None}
    return {
        at: {"org": ["may not be empty: an avatar of this scene speaks it"]}
        for at, script in scripts
        if "org" in script and _blank(script["org"]) and _look_meant(script) in on_show
    }


def _silent_avatars(scripts: _Entries, avatars: _Entries) -> _Errors:
    """Refuse an avatar on show for which neither `scripts` (which win) nor its own `script` has words."""
    errors: _Errors = {}
    spoken = {_look_meant(script) for _, script in scripts} - {None}
    for at, avatar in avatars:
        own = avatar.get("script")
        if avatar.get("isDelete") is True or _look_of(avatar) in spoken:
            continue
        if own is None:
            errors[at] = {"script": ["is required: no entry of the scene's scripts is for this avatar"]}
        elif isinstance(own, dict) and "org" in own and _blank(own["org"]):
            errors[at] = {"script": ["may not be empty: no entry of the scene's scripts is for this avatar"]}
    return errors


def _repeated_ids(clips: _Entries) -> _Errors:
    errors: _Errors = {}
    seen: set[str] = set()
    for at, entry in clips:
        name = entry.get("id")
        if isinstance(name, str) and name in seen:
            errors[at] = {"id": ["is used twice in this scene"]}
        elif isinstance(name, str):
            seen.add(name)
    return errors
