"""Parses the vendor's reports on a project leniently, since the forms of its answers differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.redaction import redact
from renderline.studio.values import COMPLETE, Unreadable, first_text, percent_of, rows, text_of

FAILED_STATES = frozenset({"fail", "failed", "error", "failure"})
"""Words, in lower case, for a failed render. The contract names none."""
FINISHED_STATES = frozenset({"exported", "complete", "completed"})
"""Words, in lower case, for a finished render: the list's, and the getting-started pages' (contract, progress)."""


@dataclass(frozen=True, slots=True)
class Output:
    """One of several files that one call makes, such as a dubbing's: `progress` 0-100, its URL once it has one."""

    language: str | None
    """None: the vendor does not say, and nobody can tell."""
    project_id: str | None = None
    progress: float = 0.0
    download_url: str | None = None
    failed: bool = False
    error: str | None = None

    @property
    def done(self) -> bool:
        """Whether it ended: with a file to fetch, or as failed."""
        return self.failed or (self.progress >= COMPLETE and self.download_url is not None)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a render is: `progress` 0-100, the video's URL once it has one, and the vendor's open state word.

    `error_code` and `error_message` describe a failed render; the contract documents neither. `outputs` are its files,
    if it has several.
    """

    progress: float
    download_url: str | None = None
    state: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    outputs: tuple[Output, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the render has ended, by its progress or its state; it may have no URL yet."""
        return self.progress >= COMPLETE or (self.state or "").lower() in FINISHED_STATES

    @property
    def done(self) -> bool:
        """Whether there is a video to fetch; 100 without a URL is not done, since the URL may come later."""
        return self.finished and self.download_url is not None


GENERATED_STATE = "finish"


@dataclass(frozen=True, slots=True)
class Generation(Progress):
    """How far the vendor is with a project that it generates; there is no video yet, so it never has a URL."""

    @property
    def finished(self) -> bool:
        """Whether the project is there: state `finish` and 100, both (contract, automation progress)."""
        return self.progress >= COMPLETE and (self.state or "").lower() == GENERATED_STATE

    @property
    def done(self) -> bool:
        """The same: nothing is to be fetched."""
        return self.finished


@dataclass(frozen=True, slots=True)
class Project:
    """One project, as in get-project; the format of the vendor's times is not documented, so they are texts."""

    id: str
    name: str | None
    state: str | None
    progress: float
    backend_task_id: str | None
    credit_subtracted: bool
    download_url: str | None
    updated_at: str | None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One row of the project list."""

    id: str
    name: str | None
    state: str | None
    download_url: str | None


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
    url = first_text(data, "downloadUrl", "download_url")
    state = text_of(data.get("state"))
    return Progress(_progress(data.get("progress"), (url, state)), url, state, *_error(data))


def generation_v3(data: Any) -> Generation:
    """Read `data` of the v3 automation progress (AI Studios v3 contract, automation progress); raise Unreadable."""
    found = progress_v3(data)
    return Generation(found.progress, None, found.state, found.error_code, found.error_message)


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
    return first_text(body, "key") or first_text(data, "key")


def whole_project_v3(data: Any) -> dict[str, Any]:
    """Return all of a v3 project, its scenes included, as the vendor sent it; raise Unreadable."""
    found = data.get("project", data) if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise Unreadable("the answer holds no project")
    return found


def project_v3(data: Any) -> Project:
    """Read `data` of the v3 get-project answer (AI Studios v3 contract, one project); raise Unreadable."""
    found = whole_project_v3(data)
    project_id = first_text(found, "_id", "id")
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
        download_url=first_text(found, "download_url", "downloadUrl"),
        updated_at=text_of(found.get("updatedAt")),
        created_at=text_of(found.get("createdAt")),
    )


SUMMARY_FIELDS = ("id", "_id", "name", "state", "download_url", "downloadUrl")
"""The fields of a row that `summaries_v3` reads."""


def summaries_v3(data: Any) -> list[ProjectSummary]:
    """Read `data` of the v3 project list, leaving out rows without an id (AI Studios v3 contract, list)."""
    summaries = []
    for row in rows(data):
        project_id = first_text(row, "id", "_id")
        if project_id is not None:
            url = first_text(row, "download_url", "downloadUrl")
            summaries.append(ProjectSummary(project_id, text_of(row.get("name")), text_of(row.get("state")), url))
    return summaries
