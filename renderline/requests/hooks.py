"""Checks the hooks of a render request against the kinds of hook that this deployment knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from marshmallow import Schema, ValidationError

from renderline.payloads.refusal import flattened, shown


class HookKind(Protocol):
    """What the door needs to know of a kind of hook."""

    @property
    def schema(self) -> Schema:
        """The schema of a hook object of this kind; it refuses unknown fields and gives back plain JSON values."""

    def problem(self, hook: dict[str, Any]) -> str | None:
        """Return why this hook cannot work with the present settings, or None."""


def hook_faults(
    hooks: list[dict[str, Any]], kinds: Mapping[str, HookKind]
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Return the hooks with their defaults filled in, and what is wrong with them by path (`hooks.1.type`)."""
    loaded: list[dict[str, Any]] = []
    errors: dict[str, list[str]] = {}
    for at, hook in enumerate(hooks):
        path, name = f"hooks.{at}", hook.get("type")
        kind = kinds.get(name) if isinstance(name, str) else None
        if name is None:
            errors[f"{path}.type"] = ["is required"]
        elif kind is None:
            errors[f"{path}.type"] = [f"unknown hook type{shown(name)}; known: {', '.join(sorted(kinds)) or 'none'}"]
        else:
            # A kind may leave `type`, which chose it, out of its schema.
            given = hook if "type" in kind.schema.fields else {key: hook[key] for key in hook if key != "type"}
            try:
                loaded.append({**kind.schema.load(given), "type": name})
            except ValidationError as error:
                errors |= flattened(error.messages, path)
                continue
            if problem := kind.problem(loaded[-1]):
                errors[path] = [" ".join(problem.split())]
    return loaded, errors
