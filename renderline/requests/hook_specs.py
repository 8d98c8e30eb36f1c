"""Loads the hooks of a render request, each by the schema of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from marshmallow import ValidationError

from renderline.retry import MOST_CALLS
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

    `retries` is what the deployment allows; a hook may ask for less, and for other waits that lead to few calls.
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
    errors = {
        f"{path}.{name}": [f"must be at most {most:g}, which {variable} allows"]
        for name, (most, variable) in allowed.items()
        if most is not None and isinstance(hook.get(name), int) and hook[name] > most
    }
    return errors or _too_often(path, hook, retries)


def _too_often(path: str, hook: Mapping[str, Any], allowed: HookRetryPolicy) -> dict[str, list[str]]:
    """Return an error if the waits of a hook would make us call its endpoint often: it may be somebody else's."""
    own = allowed.of_hook(hook)
    if own.waits == allowed.waits:
        return {}
    least = min(allowed.waits)
    early = {
        f"{path}.waits.{at}": [f"must be at least {least:g}, the shortest of RENDERLINE_HOOK_WAITS"]
        for at, wait in enumerate(own.waits)
        if wait < least
    }
    if early or own.calls <= MOST_CALLS:
        return early
    why = f"lead to {own.calls} calls within {own.retry_for:g} s; at most {MOST_CALLS} are allowed"
    return {f"{path}.waits": [f"{why}: choose a longer last wait, a shorter retry_for or fewer attempts"]}
