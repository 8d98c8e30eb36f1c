"""The calls of the API: a route, and a request that matched it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from renderline.sandbox.magic import MARKER, Tag, find_tags, script_texts
from renderline.sandbox.multipart import Form, FormReader
from renderline.sandbox.responses import BAD_BODY, BAD_JSON, Refusal, Response

_UNREAD: Any = object()

Handler = Callable[["Call"], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API.

    `template` may end in one `{key}` segment. `api` decides the authentication and the form of failures: "v3", "v2",
    "open" (v3 without a token), "files" or "control". `subject` says where the project is named that the call is
    about: "key" in the path, "projectId" in the body or query, "body" for the body itself, None for no project.
    `stages` are the names under which a magic tag can choose this call; those of a call that may render depend on its
    body.
    """

    method: str
    template: str
    handler: Handler
    api: str
    subject: str | None = None
    stages: tuple[str, ...] = ()
    export_default: bool | None = None

    @property
    def name(self) -> str:
        """How the call is counted: "GET /api/odin/v3/editor/progress/{key}"."""
        return f"{self.method} {self.template}"


class Call:
    """A request that matched a route; `account` is set once its token was accepted."""

    __slots__ = ("_body", "_form", "_tags", "account", "headers", "host", "key", "lag", "now", "query", "raw", "route")

    def __init__(
        self,
        route: Route,
        key: str,
        *,
        query: str,
        headers: Mapping[str, str],
        raw: bytes,
        now: float,
        form: FormReader | None = None,
    ) -> None:
        self.route = route
        self.key = key
        self.query = query
        self.headers = headers
        self.host = headers.get("Host", "")
        self.raw = raw
        self.now = now
        self.account = ""
        self.lag = 0.0
        self._body: Any = _UNREAD
        self._form = form
        self._tags: tuple[Tag, ...] | None = None

    @property
    def seen_at(self) -> float:
        """The moment whose state a read shows: now, unless reads are stale."""
        return self.now - self.lag

    def body(self) -> dict[str, Any]:
        """The JSON object in the body; raises Refusal (400)."""
        if self._body is _UNREAD:
            try:
                self._body = json.loads(self.raw)
            except (ValueError, RecursionError):
                raise Refusal(BAD_JSON, "the body is not JSON") from None
        if not isinstance(self._body, dict):
            raise Refusal(BAD_JSON, "the body must be a JSON object")
        return self._body

    def form(self) -> Form:
        """The multipart form in the body; raises Refusal (400)."""
        if self._form is None:
            raise Refusal(BAD_BODY, "the body must be multipart/form-data, with its boundary in Content-Type")
        return self._form.form()

    @property
    def marked(self) -> bool:
        """Whether there may be a magic tag in the body."""
        return MARKER in self.raw or self._form is not None

    def merged(self) -> dict[str, Any]:
        """Query, form and JSON fields merged; later ones win. The vendor's samples of one call use all three."""
        fields: dict[str, Any] = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.raw.lstrip()[:1] in (b"{", b"["):
            fields.update(self.body())
        elif self._form is not None:
            fields.update(self.form().fields())
        elif self.raw:
            fields.update(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True))
        # axios samples put everything one level deeper
        params = fields.pop("params", None)
        return {**fields, **params} if isinstance(params, dict) else fields

    def peek(self) -> dict[str, Any]:
        """The JSON object in the body or the fields of its form, {} if there is neither."""
        try:
            return self.body() if self._form is None else dict(self._form.form().fields())
        except Refusal:
            return {}

    def tags(self) -> tuple[Tag, ...]:
        """The magic tags in the body; raises Refusal (400) for one that does not exist."""
        if self._tags is None:
            self._tags = ()
            if self.marked:
                body = self.peek()
                name = body.get("name") or body.get("projectName")
                self._tags = find_tags(self.account, name=name, texts=self._texts(body))
        return self._tags

    def _texts(self, body: dict[str, Any]) -> Iterable[str]:
        return script_texts(body) if self._form is None else map(unquote, self.form().texts())

    def subject_id(self) -> Any:
        """The project id that the body names, or the query of a call without one."""
        fields = self.merged() if self.route.method == "GET" else self.peek()
        return fields.get("projectId")

    def wants_export(self) -> bool:
        """Whether the body asks for a render, given the default of this call."""
        wish = self.peek().get("isExport")
        return bool(self.route.export_default if wish is None else wish)

    def stages(self) -> tuple[str, ...]:
        """The stage names of this call; of one that may render: "export" if it does, else "draft"."""
        if self.route.export_default is None:
            return self.route.stages
        return (*self.route.stages, "export" if self.wants_export() else "draft")
