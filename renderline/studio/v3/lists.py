"""Pick lists of the v3 API: avatars, workspaces, templates."""

from typing import Any
from urllib.parse import urlencode

from renderline.studio.endpoint import MEGABYTE, Endpoint
from renderline.studio.faults import PayloadRefused
from renderline.studio.v3.calls import ROOT, V3Calls
from renderline.studio.values import rows

_LIST_BYTES = 32 * MEGABYTE

MODELS = Endpoint("GET", f"{ROOT}/model", max_bytes=_LIST_BYTES)
MODELS_SHORT = Endpoint("GET", f"{ROOT}/dropdown/models", max_bytes=_LIST_BYTES)
WORKSPACES = Endpoint("GET", f"{ROOT}/dropdown/workspaces", max_bytes=_LIST_BYTES)
BUSINESS_TEMPLATES = Endpoint("GET", f"{ROOT}/dropdown/templates_business", max_bytes=_LIST_BYTES)
AUTOMATION_TEMPLATES = Endpoint("POST", f"{ROOT}/dropdown/templates_automation", max_bytes=_LIST_BYTES)


class ListCalls(V3Calls):
    """The pick lists, each as the vendor's rows."""

    def models(self) -> list[dict[str, Any]]:
        """Return the avatars with their clothes, or without them where that list is gone (v3 contract, model list)."""
        try:
            return self._read(MODELS, MODELS.path, rows)
        except PayloadRefused as refusal:
            if refusal.status != 404:
                raise
        return self.model_list()

    def model_list(self) -> list[dict[str, Any]]:
        """Return the avatars without clothes, each with `id`, `label` and `avatarType` (v3 contract, pick lists)."""
        return self._read(MODELS_SHORT, MODELS_SHORT.path, rows)

    def workspaces(self) -> list[dict[str, Any]]:
        """Return the workspaces, each with `workspaceId` and `workspaceName` (v3 contract, pick lists)."""
        return self._read(WORKSPACES, WORKSPACES.path, rows)

    def business_templates(self) -> list[dict[str, Any]]:
        """Return the templates for `create_from_template`, each with `id` and `name` (v3 contract, pick lists)."""
        return self._read(BUSINESS_TEMPLATES, BUSINESS_TEMPLATES.path, rows)

    def automation_templates(
        self, category: str, *, orientation: str = "web", file_background: bool = False
    ) -> list[dict[str, Any]]:
        """Return the templates of generated projects: `id`, `name`, `thumbnailUrl` of each (v3 contract, pick lists).

        The vendor's samples disagree on where its POST carries the three texts, so they are sent in both places.
        """
        asked = {
            "category": category,
            "orientation": orientation,
            "fileBackground": "true" if file_background else "false",
        }
        path = f"{AUTOMATION_TEMPLATES.path}?{urlencode(asked)}"
        return self._read(AUTOMATION_TEMPLATES, path, rows, asked)
