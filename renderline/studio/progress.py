"""Parses the vendor's reports on a project leniently, since the forms of its answers differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.redaction import redact

COMPLETE = 100.0
FINISHED_STATES = frozenset({"exported", "complete", "completed"})
"""Words, in lower case, for a finished render: the list's, and the getting-started pages' (contract, progress)."""


class Unreadable(ValueError):
    """The answer has none of the documented forms."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a render is: `progress` 0-100, the video's URL once it has one, and the vendor's open state word.

    `error_code` and `error_message` describe a failed render; the contract documents neither.
    """

    progress: float
    download_url: str | None = None
    state: str | None = None
    error_code: str | None = None
    error_message: str | None = None

    @property
    def finished(self) -> bool:
        """Whether the render has ended, by its progress or its state; it may have no URL yet."""
        return self.progress >= COMPLETE or (self.state or "").lower() in FINISHED_STATES

    @property
    def done(self) -> bool:
        """Whether there is a video to fetch; 100 without a URL is not done, since the URL may come later."""
        return self.finished and self.download_url is not None


@dataclass(frozen=True, slots=True)
class Project:
    """One project, as in get-project; the format of the vendor's text `updated_at` is not documented."""

    id: str
    name: str | None
    state: str | None
    progress: float
    backend_task_id: str | None
    credit_subtracted: bool
    download_url: str | None
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One row of the project list."""

    id: str
    name: str | None
    state: str | None
    download_url: str | None


LONGEST_TEXT = 8192
"""Characters; no id, URL or name of a project is that long."""


def text_of(value: Any) -> str | None:
    """Return a non-empty string stripped of blanks, an integer as text, and None for everything else."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def percent_of(value: Any) -> float:
    """Return a progress given as int, float or numeric text as a float within 0-100; raise Unreadable otherwise."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            raise Unreadable("progress is not a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unreadable("progress is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("progress is not a finite number")
    return float(min(max(value, 0), COMPLETE))


def _progress(value: Any, others: tuple[Any, ...]) -> float:
    # A waiting render may have no figure yet; but an answer without any known field is no progress answer.
    if value is None:
        if all(other is None for other in others):
            raise Unreadable("the answer holds no progress")
        return 0.0
    return percent_of(value)


def _error(found: Mapping[str, Any]) -> tuple[str | None, str | None]:
    error = found.get("error")
    inner: Mapping[str, Any] = error if isinstance(error, dict) else {"msg": error}
    message = text_of(inner.get("msg")) or text_of(inner.get("message"))
    return text_of(inner.get("code")), redact(message, ()) if message else None


def progress_v3(data: Any) -> Progress:
    """Read `data` of the v3 progress answer (AI Studios v3 contract, render progress); raise Unreadable."""
    if not isinstance(data, dict):
        raise Unreadable("the answer holds no data object")
    url = text_of(data.get("downloadUrl")) or text_of(data.get("download_url"))
    state = text_of(data.get("state"))
    return Progress(_progress(data.get("progress"), (url, state)), url, state, *_error(data))


def progress_v2(body: Mapping[str, Any]) -> Progress:
    """Read a v2 progress answer, whose documented and sampled forms differ (AI Studios v2 contract, progress).

    The URL is `data.url`, then `data.videoUrl`, then `videoUrl` at the top; raise Unreadable if no form fits.
    """
    data = body.get("data")
    inner: Mapping[str, Any] = data if isinstance(data, dict) else {}
    candidates = (inner.get("url"), inner.get("videoUrl"), body.get("videoUrl"), body.get("url"))
    url = next((found for found in map(text_of, candidates) if found), None)
    state = text_of(inner.get("state")) or text_of(body.get("state"))
    value = inner.get("progress")
    progress = _progress(body.get("progress") if value is None else value, (url, state))
    return Progress(progress, url, state, *_error(inner if "error" in inner else body))


def key_v2(body: Mapping[str, Any]) -> str | None:
    """Return the project key of a v2 answer, from the top level or from `data`; None if there is none."""
    data = body.get("data")
    return text_of(body.get("key")) or (text_of(data.get("key")) if isinstance(data, dict) else None)


def project_v3(data: Any) -> Project:
    """Read `data` of the v3 get-project answer (AI Studios v3 contract, one project); raise Unreadable."""
    found = data.get("project", data) if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise Unreadable("the answer holds no project")
    project_id = text_of(found.get("_id")) or text_of(found.get("id"))
    if project_id is None:
        raise Unreadable("the project has no id")
    credit = found.get("creditSubstracted", found.get("creditSubtracted"))
    return Project(
        id=project_id,
        name=text_of(found.get("name")),
        state=text_of(found.get("state")),
        progress=0.0 if found.get("progress") is None else percent_of(found["progress"]),
        backend_task_id=text_of(found.get("backendTaskId")),
        credit_subtracted=credit.strip().lower() == "true" if isinstance(credit, str) else bool(credit),
        download_url=text_of(found.get("download_url")) or text_of(found.get("downloadUrl")),
        updated_at=text_of(found.get("updatedAt")),
    )


def rows(data: Any) -> list[dict[str, Any]]:
    """Return the objects of a list answer: `data` itself, or the first list inside it; raise Unreadable."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list):
        raise Unreadable("the answer holds no list")
    return [row for row in data if isinstance(row, dict)]


SUMMARY_FIELDS = ("id", "_id", "name", "state", "download_url", "downloadUrl")
"""The fields of a row that `summaries_v3` reads."""


def summaries_v3(data: Any) -> list[ProjectSummary]:
    """Read `data` of the v3 project list, leaving out rows without an id (AI Studios v3 contract, list)."""
    summaries = []
    for row in rows(data):
        project_id = text_of(row.get("id")) or text_of(row.get("_id"))
        if project_id is not None:
            url = text_of(row.get("download_url")) or text_of(row.get("downloadUrl"))
            summaries.append(ProjectSummary(project_id, text_of(row.get("name")), text_of(row.get("state")), url))
    return summaries
