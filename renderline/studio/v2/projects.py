"""Projects of the v2 API: create and export in one call, follow, edit, read and duplicate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.endpoint import MEGABYTE, Endpoint, segment
from renderline.studio.progress import Progress, key_v2, progress_v2
from renderline.studio.v2.calls import ROOT, V2Calls
from renderline.studio.values import Unreadable, first_text

CREATE = Endpoint("POST", f"{ROOT}/editor/project", effect=True)
EDIT = Endpoint("POST", f"{ROOT}/editor/project/{{key}}", effect=True, of_project=True)
GET_ONE = Endpoint("GET", f"{ROOT}/editor/project/{{key}}", of_project=True, max_bytes=16 * MEGABYTE)
GET_BY_NAME = Endpoint("GET", f"{ROOT}/editor/project/name/{{name}}", of_project=True, max_bytes=16 * MEGABYTE)
DUPLICATE = Endpoint(
    "POST", f"{ROOT}/editor/project/duplicate/{{key}}", effect=True, of_project=True, max_bytes=16 * MEGABYTE
)
PROGRESS = Endpoint("GET", f"{ROOT}/editor/progress/{{key}}", of_project=True)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A copy of a project. The vendor does not document where its answer has the copy's key, nor whether it has."""

    key: str | None
    project: dict[str, Any]


class ProjectCalls(V2Calls):
    """The calls on projects."""

    def create_project(self, body: Mapping[str, Any]) -> str:
        """Create a project and render it, which costs cubes; return its key (AI Studios v2 contract, create)."""
        return self._key(CREATE, CREATE.path, body)

    def edit_template(self, key: str, body: Mapping[str, Any]) -> str:
        """Change a project or template and render it, which costs cubes; return the key to follow (contract, edit)."""
        return self._key(EDIT, f"{ROOT}/editor/project/{segment(EDIT, key)}", body)

    def progress(self, key: str) -> Progress:
        """Return how far a render is (AI Studios v2 contract, progress)."""
        answer = self._call(PROGRESS, f"{ROOT}/editor/progress/{segment(PROGRESS, key)}")
        try:
            return progress_v2(answer)
        except Unreadable as unreadable:
            reason = str(unreadable)
        raise PROGRESS.unseen(reason, status=200)

    def read_project(self, key: str) -> dict[str, Any]:
        """Return a project with `projectName` and `scenes`, as the vendor sends it (v2 contract, one project)."""
        return self._project(GET_ONE, f"{ROOT}/editor/project/{segment(GET_ONE, key)}")

    def read_project_by_name(self, name: str) -> dict[str, Any]:
        """Return the newest project of that name, as `read_project` does (v2 contract, one project by name)."""
        return self._project(GET_BY_NAME, f"{ROOT}/editor/project/name/{segment(GET_BY_NAME, name)}")

    def duplicate(self, key: str) -> Duplicate:
        """Copy a project, without rendering it (v2 contract, duplicate)."""
        answer = self._call(DUPLICATE, f"{ROOT}/editor/project/duplicate/{segment(DUPLICATE, key)}", {})
        project = next((one for one in _candidates(answer, "projectData") if isinstance(one, dict)), None)
        if project is None:
            raise DUPLICATE.unseen("the vendor reports success but no copy", status=200)
        return Duplicate(first_text(project, "key", "_id", "id", "projectId") or key_v2(answer), project)

    def _project(self, endpoint: Endpoint, path: str) -> dict[str, Any]:
        for found in _candidates(self._call(endpoint, path), "response"):
            if isinstance(found, dict) and isinstance(found.get("scenes"), list):
                return found
        raise endpoint.unseen("the answer holds no project with scenes", status=200)


def _candidates(answer: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Return what may be the object `name` of a v2 answer: at the top, inside `data`, or `data` itself."""
    data = answer.get("data")
    return answer.get(name), data.get(name) if isinstance(data, dict) else None, data
