"""Loads the hooks of a render request, each by the schema of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError

from renderline.validation.errors import flattened, quoted

if TYPE_CHECKING:
    from renderline.hooks.kind import HookKind


def load_hooks(
    hooks: list[dict[str, Any]], kinds: Mapping[str, HookKind]
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
            if problem := kind.problem(loaded[-1]):
                errors[path] = [" ".join(problem.split())]
    return loaded, errors
