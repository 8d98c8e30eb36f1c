"""References to files in requests: `upload:<sha256>/<name>` for one that was uploaded, or an https URL."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from renderline.http import is_private_literal, url_fault
from renderline.uploads.errors import UploadRefused

PREFIX: Final = "upload:"
LONGEST_NAME: Final = 150
"""Bytes of a file's name in UTF-8."""

_REFERENCE: Final = re.compile(r"upload:([0-9a-f]{64})/(.+)", re.DOTALL)
_UNFIT: Final = re.compile(r'[*:?"<>|;%\s]+')
_FORMS: Final = f"must be {PREFIX}<sha256>/<name>, as POST /v1/uploads and `renderline upload` answer, or an https URL"


@dataclass(frozen=True)
class Reference:
    """A file that a tenant uploaded: its content's SHA-256 in hex, and its name."""

    sha256: str
    name: str

    def __str__(self) -> str:
        """Return what requests write."""
        return f"{PREFIX}{self.sha256}/{self.name}"


def parse(text: str) -> Reference | None:
    """Return the reference to an upload; None if it is not one."""
    match = _REFERENCE.fullmatch(text)
    if match is None or not _is_clean(match[2]):
        return None
    return Reference(match[1], match[2])


def fault_of(text: str, endings: Collection[str]) -> str | None:
    """Return what is wrong with a reference to a file with one of these endings; None if nothing is."""
    allowed = ", ".join(endings)
    if text.startswith(PREFIX):
        reference = parse(text)
        if reference is None:
            return f"{_FORMS}."
        if ending_of(reference.name) not in endings:
            return f"is a file of another type; allowed: {allowed}."
        return None
    if not text.lower().startswith("https://"):
        return f"{_FORMS}. A path is uploaded by `renderline submit` alone."
    if fault := url_fault(text):
        return fault
    if is_private_literal(text):
        return "must have a public address."
    ending = ending_of(name_in_url(text))
    # A URL need not end with a file's name: then the answer says what it is.
    if ending and ending not in endings and ending.isalpha() and len(ending) <= 5:
        return f"names a file of another type ({ending}); allowed: {allowed}."
    return None


def clean_name(name: str) -> str:
    """Return a file's name without folders, control characters and what shells and disks treat specially.

    Raises UploadRefused if nothing is left of it.
    """
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    text = "".join(one for one in text if one.isspace() or unicodedata.category(one)[0] != "C")
    text = _UNFIT.sub("-", text.strip()).strip("-. ~")
    stem, dot, ending = text.rpartition(".")
    if not dot or not stem.strip("-. ~"):
        raise UploadRefused("needs a name with an ending, such as deck.pptx", field="name")
    if len(ending.encode()) > LONGEST_NAME // 4:
        raise UploadRefused("has an ending that is too long", field="name")
    room = LONGEST_NAME - len(ending.encode()) - 1
    return f"{stem.encode()[:room].decode(errors='ignore').rstrip('-. ~')}.{ending}"


def ending_of(name: str) -> str:
    """Return the ending of a name in lower case, without the dot; empty if it has none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def name_in_url(url: str) -> str:
    """Return the last part of a URL's path, decoded."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _is_clean(name: str) -> bool:
    try:
        return clean_name(name) == name
    except UploadRefused:
        return False
