"""A call plan: the vendor calls of a kind, in order, with their arguments and results.

A free stage may be repeated. A paid one is called once; what it started is followed by polls before the next stage
comes. A plan for a draft alone has only free stages, or ends with what its last paid stage made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from renderline.accounts.clients import AccountClients
from renderline.http import PageFinding
from renderline.studio import Progress, Upload

Poll = Callable[[AccountClients, str, Mapping[str, Any]], Progress]
"""Asks the vendor how far the work on a project is, given the data of the stages so far."""


class RequestUnfit(Exception):
    """The request does not fit what the vendor has, such as a tag that its project lacks. Nothing was called.

    `path` is the field of the request, `message` what is wrong with it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path, self.message = path, message


class OpenUpload(Protocol):
    """Opens a file that a request names, once its content is checked."""

    def __call__(self, reference: str, /, *, endings: Collection[str] = ..., path: str = ...) -> Upload:
        """Return the file; raises `RequestUnfit`, at `path`, for one that is missing, changed or of another type."""


def _no_files(reference: str, /, *, endings: Collection[str] = (), path: str = "file") -> Upload:
    raise RequestUnfit(path, "this worker opens no files")


@dataclass
class CallContext:
    """The arguments of the stages of one render."""

    body: Mapping[str, Any]
    """The checked body of the request."""
    vendor_body: Callable[[], dict[str, Any]]
    """Builds the vendor body."""
    webhook_url: str | None
    """Our URL for the vendor's webhooks; None if the vendor cannot reach the gateway."""
    project_id: str | None
    """The project made by an earlier stage."""
    name: str = ""
    """The name of a new project, with our tag."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the earlier stages recorded for later ones."""
    prepared: dict[str, Any] | None = None
    """What an earlier stage made ready for a later one. It is not recorded: a later run has to do without it."""
    check_page: Callable[[str], PageFinding] | None = None
    """Looks whether a page is there; None: nobody does."""
    open_upload: OpenUpload = _no_files
    """Opens a file that the request names."""

    def named_project(self) -> str:
        """Return the project that the request names. Raises LookupError if it names none."""
        return self._required("project_id", "the request names no project")

    def named_template(self) -> str:
        """Return the template that the request names. Raises LookupError if it names none."""
        return self._required("template_id", "the request names no template")

    def project(self) -> str:
        """Return the project made by an earlier stage, else the one that the request names."""
        return self.project_id or self.named_project()

    def export_options(self) -> dict[str, Any]:
        """Return the options of the export call. Without a webhook URL of ours, the caller's own is used."""
        given = self.body.get("payload", self.body)
        return {
            "resolution": given.get("resolution") or None,
            "workspace_id": given.get("workspaceId") or None,
            "webhook_url": self.webhook_url or given.get("webhookUrl") or None,
        }

    def _required(self, name: str, error: str) -> str:
        found = self.body.get(name)
        if not found:
            raise LookupError(error)
        return str(found)


@dataclass(frozen=True)
class CallResult:
    """The result of a stage: the project that it made or changed, the baseline, and what later stages need."""

    project_id: str | None = None
    baseline: str | None = None
    data: Mapping[str, Any] | None = None
    """A small JSON object, kept with the render for later stages and polls. It adds to that of earlier stages."""
    url: str | None = None
    """The download URL, if the answer of the last paid stage holds the finished file."""
    warnings: tuple[str, ...] = ()
    """What a free stage found doubtful, for the record."""


@dataclass(frozen=True)
class Stage:
    """One vendor call of a plan."""

    name: str
    call: Callable[[AccountClients, CallContext], CallResult]
    paid: bool = False
    findable: bool = False
    """Whether a project that it made can be found by name if the response is lost."""
    slow: bool = False
    """Whether its answer comes only when the work is done, or it sends a file: its claim lasts the longer lease."""
    poll: Poll | None = None
    """Follows what a paid stage started, until it is finished and the next stage comes. None: the last paid stage,
    which `Kind.poll` follows, or a free one.
    """
    progress: tuple[float, float] = (0.0, 100.0)
    """The part of the render's progress that it shows while this paid stage is followed."""
    exports: bool = False
    """Whether it belongs to the export. A draft alone leaves it out."""
