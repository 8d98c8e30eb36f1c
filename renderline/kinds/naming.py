"""What a request names that the vendor has lists of: avatars, their clothes, workspaces, templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from renderline.kinds.kind import Kind

What = Literal["model", "clothes", "workspace", "template", "automation template"]


class Named(NamedTuple):
    """One thing that a request names, and the path of its field in the checked body."""

    what: What
    id: str
    path: str
    model: str | None = None
    """The avatar that wears these clothes."""
    custom: bool = False
    """Whether it may be the caller's own, which lists may leave out."""


_AVATARS: Final = (
    ("scenes.*.avatar", "model", "clothes"),
    ("replace.*.avatar", "model", "clothes"),
    ("scenes.*.scripts.*", "modelId", "clothId"),
    ("scenes.*.clips.*.model", "ai_name", "emotion"),
    ("updates.value.*.values.model", "ai_name", "emotion"),
    ("", "model", "clothes"),
    ("", "aiName", "clothId"),
    ("options", "model", ""),
)
"""Where the bodies of the v3 API name an avatar and its clothes: the object, and its two fields."""

_CUSTOM: Final = frozenset({"simple_custom"})
"""Kinds whose avatar is the caller's own."""


def named_in(kind: Kind, body: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> Iterator[Named]:
    """Yield what the checked `body` of a request of this kind names, each thing once.

    With the `request` that it is the body of, paths are those that the caller wrote. The vendor has no lists for its v2
    API.
    """
    if kind.api == "v2":
        return
    seen = set()
    for inner in (body, body.get("payload")):
        if isinstance(inner, Mapping):
            below = "" if inner is body else "payload."
            for one in _named(kind, inner, below):
                if (one.what, one.id, one.model) not in seen:
                    seen.add((one.what, one.id, one.model))
                    yield one if request is None else one._replace(path=_written(kind, one.path, request))


def _written(kind: Kind, path: str, request: Mapping[str, Any]) -> str:
    """Return the path at which the caller wrote the field with this path in the body."""
    name, dot, rest = path.removeprefix("payload.").partition(".")
    theirs = kind.target[1] if kind.target and name == kind.target[0] else name
    for ours, vendors in kind.fields.items():
        if vendors == theirs and request.get(ours) is not None:
            return f"{ours}{dot}{rest}"
    return f"payload.{theirs}" if theirs != name else path


def _named(kind: Kind, body: Mapping[str, Any], below: str) -> Iterator[Named]:
    for pattern, model_field, clothes_field in _AVATARS:
        for found, path in _objects(body, pattern.split(".") if pattern else [], below):
            model = _id(found.get(model_field))
            if model is None:
                continue
            yield Named("model", model, path + model_field, custom=kind.name in _CUSTOM)
            clothes = _id(found.get(clothes_field)) if clothes_field else None
            if clothes is not None:
                yield Named("clothes", clothes, path + clothes_field, model=model)
    if (workspace := _id(body.get("workspaceId"))) is not None:
        yield Named("workspace", workspace, f"{below}workspaceId")
    target, _ = kind.target or ("", "")
    if target == "template_id" and (template := _id(body.get(target))) is not None:
        yield Named("template", template, below + target)
    options = body.get("options")
    if isinstance(options, Mapping) and (template := _id(options.get("templateId"))) is not None:
        yield Named("automation template", template, f"{below}options.templateId")


def _objects(value: Any, pattern: list[str], path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the objects at a pattern of field names, in which `*` stands for each entry of a list, and their paths."""
    if isinstance(value, Mapping) and value.get("isDelete") is True:
        # The avatar is not in the picture.
        return
    if not pattern:
        if isinstance(value, Mapping):
            yield value, path
        return
    first, rest = pattern[0], pattern[1:]
    if first == "*" and isinstance(value, list):
        for index, one in enumerate(value):
            yield from _objects(one, rest, f"{path}{index}.")
    elif first != "*" and isinstance(value, Mapping) and first in value:
        yield from _objects(value[first], rest, f"{path}{first}.")


def _id(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
