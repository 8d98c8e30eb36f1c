"""The pick lists: how each is read from the vendor, and which of its fields are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from renderline.studio import StudioV3

Row = dict[str, Any]

MODELS: Final = "models"
WORKSPACES: Final = "workspaces"
PROJECTS: Final = "projects"

_LONGEST: Final = 1000
"""Characters of one text that are kept."""


@dataclass(frozen=True)
class PickList:
    """One pick list. `id` is the field of its rows that a request names."""

    name: str
    id: str
    load: Callable[[StudioV3], Iterable[Mapping[str, Any]]]
    """Reads it from the vendor; raises a `StudioFault`."""
    fields: tuple[str, ...]
    """The fields that are kept besides the id: texts, or texts by language."""
    inner: str = ""
    """The field that holds rows of its own, with the same fields."""
    fresh: float | None = None
    """Seconds after which it is read again, if that is sooner than for other lists."""

    def rows(self, studio: StudioV3) -> list[Row]:
        """Return its rows as the vendor has them now, without what is not kept; raises a `StudioFault`."""
        return self._kept(self.load(studio), self.id)

    def _kept(self, rows: Any, key: str) -> list[Row]:
        found: dict[str, Row] = {}
        for row in rows if isinstance(rows, Iterable) else ():
            one = _text(row.get(key)) if isinstance(row, Mapping) else None
            if one is None or one in found:
                continue
            found[one] = {key: one, **{name: _texts(row[name]) for name in self.fields if name in row}}
            if self.inner and isinstance(row.get(self.inner), list):
                found[one][self.inner] = self._kept(row[self.inner], "id")
        return list(found.values())


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:_LONGEST] or None


def _texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name)[:20]: _text(text) for name, text in list(value.items())[:20]}
    return _text(value)


def _models(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    return studio.models()


def _workspaces(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    return studio.workspaces()


def _projects(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    # Without the links: they expire, and to open one takes no credentials.
    return ({"id": one.id, "name": one.name, "state": one.state} for one in studio.list_projects())


PICK_LISTS: Final[Mapping[str, PickList]] = {
    one.name: one
    for one in (
        PickList(MODELS, "id", _models, ("label", "thumbnail", "avatarType"), inner="clothes"),
        PickList(WORKSPACES, "workspaceId", _workspaces, ("workspaceName",)),
        # People look for the project that they have just made.
        PickList(PROJECTS, "id", _projects, ("name", "state"), fresh=60.0),
    )
}
"""Every pick list by its name (AI Studios v3 contract, model list, pick lists, list)."""
