"""Schema of a v3 scene, and the rule that one of its visible avatars speaks."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from renderline.kinds.clips import clip
from renderline.validation.errors import quoted
from renderline.validation.fields import Boolean, Choice, Integer, List, Nested, Object, Sampled, Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import Range
from renderline.validation.weight import Guess, Guessed

# The pages describe no field of a background, samples alone do.
BACKGROUND: Final = VendorSchema.from_dict(
    {
        "id": Sampled(Text(blank=True)),
        "type": Sampled(Choice(("background",))),
        "source_type": Sampled(Choice(("image",))),
        "source_url": Sampled(Text(blank=True)),  # the vendor's own are host-relative paths: no URL check
        "source_color": Sampled(Text(blank=True)),
    },
    name="Background",
)


class _Script(VendorSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def tts_matches_flag(self, _data: Any, script: Any, **_: Any) -> None:
        """Refuse a voice that does not fit `isTTS`: an object exactly when it is true (v3 contract, scenes)."""
        if not isinstance(script, dict) or "tts" not in script:
            return
        if script.get("isTTS") is True and script["tts"] is None:
            raise ValidationError({"tts": ["must be an object when isTTS is true"]})
        if script.get("isTTS") is False and script["tts"] is not None:
            raise ValidationError({"tts": ["must be null when isTTS is false"]})


SCRIPT: Final = _Script.from_dict(
    {
        "org": Text(required=True, blank=True),
        "isTTS": Boolean(required=True),
        "tts": Object(required=True, allow_none=True),
        "modelId": Text(required=True),
        "clothId": Text(required=True),
    },
    name="Script",
)


class _Scene(VendorSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def scripts_match_avatars(self, _data: Any, scene: Any, **_: Any) -> None:
        """Refuse scripts for no avatar, a scene in which nobody speaks, and an id used twice.

        `scene` may have any shape.
        """
        if not isinstance(scene, dict):
            return
        clips, scripts = _entries(scene.get("clips")), _entries(scene.get("scripts"))
        avatars = [(at, clip) for at, clip in clips if clip.get("type") == "aiModel"]
        unspoken, unscripted = _unspoken(scripts, avatars)
        errors = {
            "scripts": _unknown_avatars(scripts, avatars) | unspoken,
            "clips": unscripted | _repeated_ids(clips),
        }
        if any(errors.values()):
            raise ValidationError({name: found for name, found in errors.items() if found})


SCENE: Final = _Scene.from_dict(
    {
        # Not unique in the vendor's own bodies: array order counts.
        "sceneIdx": Integer(required=True, validate=Guessed(Range(min=0))),
        "background": Nested(BACKGROUND, required=True),
        "clips": List(clip(), required=True),
        "scripts": List(Nested(SCRIPT), allow_none=True),
    },
    name="Scene",
)

_Entries = list[tuple[int, dict[str, Any]]]
_Errors = dict[int, dict[str, list[str]]]
_MAX_LISTED: Final = 10


def _entries(value: Any) -> _Entries:
    entries = enumerate(value) if isinstance(value, list) else ()
    return [(at, entry) for at, entry in entries if isinstance(entry, dict)]


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _appearance(model: Any, clothes: Any) -> tuple[str, str] | None:
    """Return model and clothes, which a script and its avatar have in common; None if either is not a string."""
    return (model, clothes) if isinstance(model, str) and isinstance(clothes, str) else None


def _appearance_of(avatar: dict[str, Any]) -> tuple[str, str] | None:
    model = avatar.get("model")
    return _appearance(model.get("ai_name"), model.get("emotion")) if isinstance(model, dict) else None


def _named_avatar(script: dict[str, Any]) -> tuple[str, str] | None:
    return _appearance(script.get("modelId"), script.get("clothId"))


def _unknown_avatars(scripts: _Entries, avatars: _Entries) -> _Errors:
    """Refuse a script for an avatar that the scene does not have (v3 contract, scenes)."""
    errors: _Errors = {}
    appearances = {one for _, avatar in avatars if (one := _appearance_of(avatar))}
    clothes: dict[str, list[str]] = {}
    for model, worn in sorted(appearances):
        clothes.setdefault(model, []).append(worn)
    for at, script in scripts:
        named = _named_avatar(script)
        if named is None or named in appearances:
            continue
        field, value, known = ("modelId", named[0], list(clothes))
        if named[0] in clothes:
            field, value, known = ("clothId", named[1], clothes[named[0]])
        names = ", ".join(quoted(name).strip() or "?" for name in known[:_MAX_LISTED]) or "none"
        errors[at] = {field: [f"unknown reference{quoted(value)}; the avatars of this scene have: {names}"]}
    return errors


def _speaks(script: Any) -> bool:
    return isinstance(script, dict) and not _blank(script.get("org"))


def _unspoken(scripts: _Entries, avatars: _Entries) -> tuple[_Errors, _Errors]:
    """Return what is wrong with the scripts, and with the clips, of a scene: somebody visible must speak.

    One speech is enough for a scene: the create call has one for each, so a second avatar can only be silent.
    """
    visible = [(at, avatar) for at, avatar in avatars if avatar.get("isDelete") is not True]
    looks = {_appearance_of(avatar) for _, avatar in visible} - {None}
    spoken = [script for _, script in scripts if _speaks(script) and _named_avatar(script) in looks]
    silent = not spoken and not any(_speaks(avatar.get("script")) for _, avatar in visible)
    empty = Guess("is empty: its avatar stays silent")
    in_scripts = {
        at: {"org": ["may not be empty: an avatar of this scene speaks it" if silent else empty]}
        for at, script in scripts
        if "org" in script and _blank(script["org"]) and _named_avatar(script) in looks
    }
    in_clips: _Errors = {}
    for at, avatar in visible if silent and not in_scripts else ():
        own = avatar.get("script")
        if own is None:
            in_clips[at] = {"script": ["is required: no entry of the scene's scripts is for this avatar"]}
        elif isinstance(own, dict) and "org" in own:
            in_clips[at] = {"script": ["may not be empty: no entry of the scene's scripts is for this avatar"]}
    return in_scripts, in_clips


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
