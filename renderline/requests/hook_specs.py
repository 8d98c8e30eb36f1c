"""Loads the hooks of a render request, each by the schema of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from marshmallow import ValidationError

from renderline.validation.errors import flattened, quoted

if TYPE_CHECKING:
    from renderline.hooks.kind import HookKind

HookProblem: TypeAlias = "Callable[[HookKind, Mapping[str, Any]], str | None]"
"""Says why a hook of a kind may not be named; None if it may."""


def load_hooks(
    hooks: list[dict[str, Any]], kinds: Mapping[str, HookKind], problem_of: HookProblem | None = None
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Return the hooks with their defaults filled in, and the errors by path (`hooks.1.type`)."""
    loaded: list[dict[str, Any]] = []
    errors: dict[str, list[str]] = {}
    for at, hook in enumerate(hooks):
        path, name = f"hooks.{at}", hook.get("type")
        kind = kinds.get(name) if isinstance(name, str) else None
        if name is None:
            errors[f"{path}.type"] = ["is required"]
        elif kind is None:
            errors[f"{path}.type"] = [f"unknown hook type{quoted(name)}; known: {', '.join(sorted(kinds)) or 'none'}"]
        else:
            # The schema of a kind may leave out `type`.
            given = hook if "type" in kind.schema.fields else {key: hook[key] for key in hook if key != "type"}
            try:
                loaded.append({**kind.schema.load(given), "type": name})
            except ValidationError as error:
                errors |= flattened(error.messages, path)
                continue
            if problem := problem_of(kind, loaded[-1]) if problem_of else kind.problem(loaded[-1]):
                errors[path] = [" ".join(problem.split())]
    return loaded, errors
