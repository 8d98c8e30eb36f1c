"""The registry of hook kinds: the built-in ones and those that installed packages add."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points

from renderline.hooks.kind import HookKind

GROUP = "renderline.hooks"

_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def load_kinds(*builtin: HookKind) -> dict[str, HookKind]:
    """Return every hook kind by its type: the given ones and those of the entry points `renderline.hooks`.

    An entry point names a HookKind object, or a class or function that returns one when called without
    arguments. Raises ValueError, naming the package, for one that cannot be loaded, is no HookKind or takes
    a type that is already taken: a worker that silently lacks a kind would fail renders later.
    """
    kinds: dict[str, HookKind] = {}
    for kind in builtin:
        _add(kinds, kind, origin="a built-in hook kind")
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        origin = _origin(entry)
        _add(kinds, _load(entry, origin), origin=origin)
    return kinds


def _add(kinds: dict[str, HookKind], kind: HookKind, *, origin: str) -> None:
    if not _TYPE.fullmatch(kind.type):
        raise ValueError(f"{origin}: the type {kind.type!r} must be a lower-case word of at most 32 characters")
    if kind.type in kinds:
        raise ValueError(f"{origin}: there is already a hook kind of the type {kind.type!r}")
    kinds[kind.type] = kind


def _load(entry: EntryPoint, origin: str) -> HookKind:
    try:
        loaded = entry.load()
        # A class satisfies the protocol's attribute check by itself, so whether to call comes first.
        kind = loaded() if isinstance(loaded, type) or not isinstance(loaded, HookKind) else loaded
    except Exception as error:
        raise ValueError(f"{origin}: cannot be loaded ({type(error).__name__}: {error})") from error
    if not isinstance(kind, HookKind):
        raise ValueError(f"{origin}: is no hook kind; it needs type, schema, wants, problem and deliver")
    return kind


def _origin(entry: EntryPoint) -> str:
    package = f" of {entry.dist.name}" if entry.dist else ""
    return f"entry point {entry.name!r}{package} ({entry.value}) in group {GROUP!r}"
