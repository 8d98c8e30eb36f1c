"""Scenes of a v2 project: add, replace, delete. None of these calls renders."""

from collections.abc import Mapping
from typing import Any

from renderline.studio.endpoint import Endpoint, segment
from renderline.studio.progress import key_v2
from renderline.studio.v2.calls import ROOT, V2Calls

_PATH = f"{ROOT}/editor/scene/{{key}}"

ADD = Endpoint("POST", _PATH, effect=True, of_project=True)
UPDATE = Endpoint("PUT", _PATH, effect=True, of_project=True)
DELETE = Endpoint("DELETE", _PATH, effect=True, of_project=True)


class SceneCalls(V2Calls):
    """The calls on scenes; `index` counts from 0."""

    def add_scene(self, key: str, index: int, scene: Mapping[str, Any]) -> None:
        """Insert a scene at `index`; the scene that was there and those after it move on (v2 contract, add scene)."""
        self._scene(ADD, key, {"sceneIdx": index, "scene": scene})

    def update_scene(self, key: str, index: int, scene: Mapping[str, Any]) -> None:
        """Replace the scene at `index` (v2 contract, update scene)."""
        self._scene(UPDATE, key, {"sceneIdx": index, "scene": scene})

    def delete_scene(self, key: str, index: int) -> str:
        """Delete the scene at `index`; return the project's key, as the vendor names it (v2 contract, delete scene)."""
        return key_v2(self._scene(DELETE, key, {"sceneIdx": index})) or key

    def _scene(self, endpoint: Endpoint, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call(endpoint, f"{ROOT}/editor/scene/{segment(endpoint, key)}", body)
