"""The pick lists: how each is read from the vendor, and which of its fields are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from renderline.kinds.editor.outline import outline
from renderline.studio import PayloadRefused, ProjectMissing, StudioV3

Row = dict[str, Any]

MODELS: Final = "models"
WORKSPACES: Final = "workspaces"
PROJECTS: Final = "projects"
BUSINESS_TEMPLATES: Final = "business_templates"
CATEGORIES: Final = ("social", "business", "education")
"""The categories of automation templates."""

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
    kept: float | None = None
    """Seconds for which it is kept, if that is shorter than for other lists."""
    granted: bool = False
    """Whether a tenant sees only rows that an operator granted it: templates."""
    whole: bool = False
    """Whether its rows are ours, and kept as they are."""

    def rows(self, studio: StudioV3) -> list[Row]:
        """Return its rows as the vendor has them now, without what is not kept; raises a `StudioFault`."""
        loaded = self.load(studio)
        return [dict(row) for row in loaded] if self.whole else self._kept(loaded, self.id)

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
    """Yield the avatars of both of the vendor's lists: one has their clothes, the other their types."""
    models = studio.models()
    try:
        types = {str(row.get("id")): row for row in studio.model_list()}
    except PayloadRefused:
        types = {}
    for row in models:
        found = types.pop(str(row.get("id")), {})
        yield {**row, "avatarType": found.get("avatarType")}
    yield from types.values()


def _workspaces(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    return studio.workspaces()


def _business_templates(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    return studio.business_templates()


def automation_templates(category: str) -> str:
    """Return the name of the list of the automation templates of a category."""
    return f"automation_templates.{category}"


def _of_category(category: str) -> PickList:
    def load(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
        # Those with a background from the caller's file are for documents, which have no social videos.
        for file_background in (False, True) if category != "social" else (False,):
            for orientation in ("web", "mobile"):
                for row in studio.automation_templates(
                    category, orientation=orientation, file_background=file_background
                ):
                    yield {**row, "category": category, "orientation": orientation}

    kept = ("name", "thumbnailUrl", "category", "orientation")
    return PickList(automation_templates(category), "id", load, kept, granted=True)


def _projects(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
    # Without the links: they expire, and to open one takes no credentials.
    return ({"id": one.id, "name": one.name, "state": one.state} for one in studio.list_projects())


PICK_LISTS: Final[Mapping[str, PickList]] = {
    one.name: one
    for one in (
        PickList(MODELS, "id", _models, ("label", "thumbnail", "avatarType"), inner="clothes"),
        PickList(WORKSPACES, "workspaceId", _workspaces, ("workspaceName",)),
        PickList(BUSINESS_TEMPLATES, "id", _business_templates, ("name",), granted=True),
        *map(_of_category, CATEGORIES),
        # People look for the project that they have just made.
        PickList(PROJECTS, "id", _projects, ("name", "state"), fresh=60.0),
    )
}
"""Every pick list by its name (AI Studios v3 contract, model list, pick lists, list)."""

_PROJECT: Final = "project:"


def outline_of(project_id: str) -> str:
    """Return the name of the list whose one row is the outline of a project; none, if there is no such project."""
    return f"{_PROJECT}{project_id}"


def find(name: str) -> PickList | None:
    """Return the list of that name; None if there is none."""
    project_id = name.removeprefix(_PROJECT)
    if project_id == name or not project_id:
        return PICK_LISTS.get(name)

    def load(studio: StudioV3) -> Iterable[Mapping[str, Any]]:
        try:
            return [{**outline(studio.read_project(project_id)), "id": project_id}]
        except ProjectMissing:
            return []

    return PickList(name, "id", load, (), fresh=30.0, kept=600.0, whole=True)


def known(name: str) -> PickList:
    """Return the list of that name; raises LookupError if there is none."""
    found = find(name)
    if found is None:
        raise LookupError(f"there is no list {name}")
    return found
