"""Which files an upload may be: by the end of the name, and by what the first bytes say."""

from collections.abc import Collection

from renderline.sandbox.multipart import Part
from renderline.sandbox.responses import BAD_BODY, Refusal

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STARTS: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "pptx": (_ZIP,),
    "docx": (_ZIP,),
    "xlsx": (_ZIP,),
    "ppt": (_OLE,),
    "doc": (_OLE,),
    "xls": (_OLE,),
    # The vendor's page lists "docs" next to doc and docx.
    "docs": (_ZIP, _OLE),
    "txt": (b"",),
}
SLIDES = ("pdf", "pptx", "ppt")
DOCUMENTS = ("txt", "pdf", "xls", "xlsx", "doc", "docs", "docx", "pptx", "ppt")


def check_file(part: Part, allowed: Collection[str]) -> None:
    """Raise Refusal (400) for a file that is empty, of another type, or not what its name says."""
    name = part.file_name or ""
    _, dot, ending = name.rpartition(".")
    kind = ending.lower() if dot else ""
    if kind not in allowed:
        raise Refusal(BAD_BODY, f"{part.name}: {name!r} must end in one of {', '.join(allowed)}")
    if not part.size:
        raise Refusal(BAD_BODY, f"{part.name}: {name!r} is empty")
    if not part.head.startswith(_STARTS[kind]):
        raise Refusal(BAD_BODY, f"{part.name}: {name!r} is not a {kind} file")
