"""The files of a render that has several, such as a dubbing: each is stored, and none stops the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from renderline.hooks.file_name import slug
from renderline.hooks.kind import HookFailed


def store_each(record: Mapping[str, Any], store: Callable[[Mapping[str, Any]], str]) -> dict[str, str]:
    """Have every finished output stored; return the fields for the record, or raise HookFailed with them.

    `store` takes the record as if it had this output alone, and returns where the file is. The record's own
    `stored_url` is that of its `download_url`. A repeat stores all of them again: each replaces its own file.
    """
    stored: dict[str, str] = {}
    fields: dict[str, str] = {}
    failures: list[tuple[str, HookFailed]] = []
    taken: set[str] = set()
    for index, output in enumerate(record["outputs"]):
        link = output.get("download_url")
        if output.get("state") != "completed" or not link:
            continue
        # An output without a known language has the name of its project.
        name = output.get("language") or output.get("project_id") or str(index)
        # Two names may be one as the name of a file.
        called = name if slug(name) not in taken else f"{index}-{name}"
        taken.add(slug(called))
        try:
            stored[str(index)] = store(
                {**record, "download_url": link, "language": called, "output": output.get("project_id")}
            )
        except HookFailed as failure:
            failures.append((name, failure))
            continue
        if link == record.get("download_url"):
            fields["stored_url"] = stored[str(index)]
    if stored:
        fields["stored_outputs"] = json.dumps(stored)
    if failures:
        raise _together(failures, fields)
    return fields


def _together(failures: list[tuple[str, HookFailed]], fields: Mapping[str, str]) -> HookFailed:
    """Return one failure for those of several files: final only if each is, and no host is blamed that answered."""
    found = [failure for _, failure in failures]
    waits = [failure.retry_after for failure in found if failure.retry_after is not None]
    return HookFailed(
        "; ".join(f"{name}: {failure}" for name, failure in failures),
        retry_after=max(waits, default=None),
        permanent=all(failure.permanent for failure in found),
        unreachable=not fields and all(failure.unreachable for failure in found),
        reason="; ".join(f"{name}: {failure.reason}" for name, failure in failures),
        fields=fields,
    )
