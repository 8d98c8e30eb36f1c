"""File names of downloads: path templates that cannot leave the storage."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

_NAME_BYTES = 200  # of one part of a path; with the ending of a partial file it stays below the usual 255
_PATH_CHARACTERS = 512
_UNFIT = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|\[\]{}]')
_RECORD_FIELDS = frozenset({"id", "name", "kind"})
_TEMPLATE_FIELDS = _RECORD_FIELDS | {"language", "ext"}
_NO_LANGUAGE = "original"


def path_fault(template: str) -> str | None:
    """Return what is wrong with a hook's `path`, a template with fields such as {id} and {ext}; None if nothing is."""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError:
        return "has an unpaired { or }."
    if any(
        field is not None and (field not in _TEMPLATE_FIELDS or spec or conversion)
        for _, field, spec, conversion in pieces
    ):
        return "may hold the fields {id}, {name}, {kind}, {language} and {ext}, and no others."
    return _name_fault("".join(text + ("x" if field is not None else "") for text, field, _, _ in pieces))


def file_name(template: str, record: Mapping[str, Any], *, ext: str = "mp4") -> str:
    """Return the path below a folder that the template gives for this render; raises ValueError if it is unfit.

    `ext` is the ending of the file, without its dot. The `language` of a record is that of one of its several videos.
    """
    given = {field: slug(str(record.get(field) or "")) for field in _RECORD_FIELDS}
    language = slug(str(record.get("language") or _NO_LANGUAGE))
    name = template.format_map({**given, "language": language, "ext": ext})
    fault = _name_fault(name)
    if fault:
        raise ValueError(fault)
    return name


def by_language(template: str) -> str:
    """Return the template with `{language}`, if it has none before its ending, so that each video has its own file."""
    if any(field == "language" for _, field, _, _ in string.Formatter().parse(template)):
        return template
    folder, slash, leaf = template.rpartition("/")
    stem, dot, ending = leaf.rpartition(".")
    return f"{folder}{slash}{stem}.{{language}}.{ending}" if dot else f"{template}.{{language}}"


def _name_fault(name: str) -> str | None:
    if len(name) > _PATH_CHARACTERS:
        return f"must be at most {_PATH_CHARACTERS} characters long."
    if name.startswith("/"):
        return "must be relative: it names a file below the storage."
    if _UNFIT.search(name):
        return 'must not hold \\ : * ? " < > | [ ] { } or control characters.'
    for part in name.split("/"):
        if not part.strip():
            return "must name a file, with no empty part."
        if part.startswith((".", "~")):
            return "must have no part that begins with a dot or a tilde; .. would leave the storage."
        if len(part.encode(errors="replace")) > _NAME_BYTES:
            return f"must have no part longer than {_NAME_BYTES} bytes."
    return None


def slug(text: str) -> str:
    """Return the letters and digits of any script, joined by single hyphens; `render` if there are none."""
    slug = re.sub(r"[^\w-]+", "-", text).strip("-_")
    return slug.encode()[:100].decode(errors="ignore").rstrip("-_") or "render"
