"""The tag of a draft, which ends its project's name at the vendor: by it people and we find it again."""

from __future__ import annotations


def tag(render_id: str, attempt: int = 1, draft: int = 1) -> str:
    """Return the tag of this draft of an attempt at a render."""
    # A retry renders anew, and a draft that was revoked is never used again: neither is the one to be found.
    if draft > 1:
        return f"[{render_id}.{attempt}.{draft}]"
    return f"[{render_id}]" if attempt == 1 else f"[{render_id}.{attempt}]"


def project_name(name: str, render_id: str, attempt: int = 1, draft: int = 1) -> str:
    """Return the vendor project's name: the caller's with our tag, by which a lost draft is found again."""
    return f"{name} {tag(render_id, attempt, draft)}"
