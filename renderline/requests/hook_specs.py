"""Loads the hooks of a render request, each by the schema of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from marshmallow import ValidationError

from renderline.validation.errors import flattened, quoted

if TYPE_CHECKING:
    from renderline.hooks.kind import HookKind
    from renderline.retry import HookRetryPolicy

HookProblem: TypeAlias = "Callable[[HookKind, Mapping[str, Any]], str | None]"
"""Says why a hook of a kind may not be named; None if it may."""


def load_hooks(
    hooks: list[dict[str, Any]],
    kinds: Mapping[str, HookKind],
    problem_of: HookProblem | None = None,
    retries: HookRetryPolicy | None = None,
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Return the hooks with their defaults filled in, and the errors by path (`hooks.1.type`).

    `retries` is what the deployment allows; a hook may ask for less.
    """
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
            errors |= _beyond(path, loaded[-1], retries) if retries else {}
            if problem := problem_of(kind, loaded[-1]) if problem_of else kind.problem(loaded[-1]):
                errors[path] = [" ".join(problem.split())]
    return loaded, errors


def _beyond(path: str, hook: Mapping[str, Any], retries: HookRetryPolicy) -> dict[str, list[str]]:
    """Return an error for each field that asks for more retries than the deployment allows."""
    allowed = {
        "retry_for": (retries.retry_for, "RENDERLINE_HOOK_RETRY_FOR"),
        "attempts": (retries.attempts, "RENDERLINE_HOOK_ATTEMPTS"),
    }
    return {
        f"{path}.{name}": [f"must be at most {most:g}, which {variable} allows"]
        for name, (most, variable) in allowed.items()
        if most is not None and isinstance(hook.get(name), int) and hook[name] > most
    }
