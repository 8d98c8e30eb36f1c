"""Media types: which ending a downloaded file gets, and the type of a file with an ending."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_ENDINGS: Final = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/aac": "aac",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
}
_DEFAULT: Final = "mp4"
# The first type of an ending is its registered one.
_TYPES: Final = {suffix: kind for kind, suffix in reversed(_ENDINGS.items())}


def ending(url: str, content_type: str) -> str:
    """Return the ending, without its dot, of the file at a URL: as the URL says, else as its content type says.

    Only endings of known media types count, so that a vendor's URL cannot have a file of another sort written.
    """
    # Object stores often have no better content type than a stream of bytes, so the URL comes first.
    _, dot, suffix = urlsplit(url).path.rpartition(".")
    if dot and suffix.lower() in _ENDINGS.values():
        return suffix.lower()
    return _ENDINGS.get(content_type.partition(";")[0].strip().lower(), _DEFAULT)


def media_type(name: str) -> str | None:
    """Return the media type of a file by the ending of its name; None for an ending that no downloaded file gets."""
    return _TYPES.get(name.rpartition(".")[2].lower())
