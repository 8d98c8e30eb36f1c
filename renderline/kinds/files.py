"""The fields of requests that name files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from marshmallow import ValidationError

from renderline.kinds.kind import Kind
from renderline.uploads import fault_of
from renderline.validation.fields import Text
from renderline.validation.validators import MaxLength

_LONGEST: Final = 4096
"""Characters of a reference: a signed URL may be long."""


class FileReference(Text):
    """A file with one of these endings: an upload, or an https URL."""

    def __init__(self, *endings: str, **options: Any) -> None:
        super().__init__(validate=[MaxLength(_LONGEST), self._check], **options)
        self.endings = endings

    def _check(self, value: str) -> None:
        if fault := fault_of(value, self.endings):
            raise ValidationError(fault)


class NamedFile(NamedTuple):
    """A file that a request names, and the path of the field."""

    path: str
    reference: str


def named_files(kind: Kind, request: Mapping[str, Any]) -> Iterator[NamedFile]:
    """Yield the files that a request or a body of this kind names, checked or not."""
    for path, value in _files(kind, request):
        if isinstance(value, str):
            yield NamedFile(path, value)


def vendor_files(kind: Kind, request: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of what names a file that the vendor has already, instead of one of ours."""
    for path, value in _files(kind, request):
        if isinstance(value, Mapping):
            yield path


def _files(kind: Kind, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    payload = request.get("payload")
    places = [("", request), *([("payload.", payload)] if isinstance(payload, Mapping) else [])]
    for prefix, fields in places:
        for name in kind.file_fields:
            yield from _values(f"{prefix}{name}", fields.get(name))


def _values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"{path}.{index}", each) for index, each in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((f"{path}.{key}", each) for key, each in value.items())
    elif value is not None:
        yield path, value
