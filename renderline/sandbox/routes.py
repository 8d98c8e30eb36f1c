"""Which call a request is: literal paths first, then paths with a key at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renderline.sandbox.answers import NO_SUCH_CALL, WRONG_METHOD, Answer, Refusal

if TYPE_CHECKING:
    from renderline.sandbox.calls import Call

Handler = Callable[["Call"], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API.

    `template` may end in one `{key}` segment. `api` decides the authentication and the form of failures: "v3", "v2",
    "open" (v3 without a token), "files" or "control". `subject` says where the project is named that the call is
    about: "key" in the path, "projectId" in the body, "body" for the body itself, None for no project. `stages` are
    the names under which a magic tag can choose this call; those of a call that may render depend on its body.
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


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self._literal: dict[str, dict[str, Route]] = {}
        self._pattern: dict[str, dict[str, Route]] = {}
        for route in routes:
            prefix, brace, _ = route.template.partition("{")
            table = self._pattern if brace else self._literal
            table.setdefault(prefix, {})[route.method] = route

    def match(self, method: str, path: str) -> tuple[Route, str]:
        """The route and the key in the path ("" if none); raises Refusal (404 or 405)."""
        methods = self._literal.get(path)
        if methods is not None and method in methods:
            return methods[method], ""
        cut = path.rfind("/") + 1
        patterned = self._pattern.get(path[:cut]) if len(path) > cut else None
        if patterned is not None and method in patterned:
            return patterned[method], path[cut:]
        if methods or patterned:
            raise Refusal(WRONG_METHOD, f"{method} is not possible here")
        raise Refusal(NO_SUCH_CALL, "there is no such call")
