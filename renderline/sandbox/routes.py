"""Matches requests to routes: literal paths first, then paths with a key at the end."""

from renderline.sandbox.calls import Route
from renderline.sandbox.responses import NO_SUCH_CALL, WRONG_METHOD, Refusal


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
