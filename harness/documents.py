"""Small documents of every type that requests may name."""

from __future__ import annotations

import io
import zipfile
from typing import Final

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_FOLDERS: Final = {"pptx": "ppt/presentation.xml", "docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


def document(ending: str, text: str = "one") -> bytes:
    """Return a document with this ending; each text makes another one."""
    if ending in _FOLDERS:
        return archive("[Content_Types].xml", "_rels/.rels", _FOLDERS[ending], text=text)
    content = text.encode()
    if ending == "pdf":
        return b"%PDF-1.7\n" + content + b"\n%%EOF\n"
    if ending in ("txt", "srt"):
        return content
    if ending in ("mp4", "mov", "m4v"):
        return b"\x00\x00\x00\x18ftypisom" + content
    return OLE + content


def archive(*names: str, text: str = "one") -> bytes:
    """Return a zip archive with entries of these names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            # Without a time: two processes make the same bytes.
            file.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return made.getvalue()
