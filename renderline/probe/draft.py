"""The one draft that a probe makes: it is free, it is never exported, and it is always deleted."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from renderline.drafts import tag
from renderline.studio import ProjectMissing, StudioFault, StudioV3


@dataclass
class ProbeDraft:
    """A draft with a telling name and a tag like that of renders."""

    studio: StudioV3
    name: str = field(
        default_factory=lambda: (
            f"Renderline probe, delete me {time.strftime('%F %T', time.gmtime())} " + tag(secrets.token_hex(16))
        )
    )
    project_id: str | None = None
    asked: bool = False
    """Whether the call was made: it may have taken effect without an answer."""
    gone: bool = False

    def make(self) -> str:
        """Make it; raises a `StudioFault`."""
        self.asked = True
        self.project_id = self.studio.create_project(self._body(), export=False)
        return self.project_id

    def delete(self) -> int:
        """Delete it; returns how many projects the vendor says it deleted. Raises a `StudioFault`."""
        assert self.project_id is not None
        count = self.studio.delete_projects([self.project_id])
        self.gone = True
        return count

    def clean_up(self) -> str | None:
        """Delete it if that was not done; returns what to delete by hand, None if nothing is left."""
        if not self.asked or self.gone:
            return None
        try:
            if self.project_id is None:
                listed = (one.id for one in self.studio.list_projects() if one.name == self.name)
                self.project_id = next(listed, None)
            if self.project_id is None:
                return f'perhaps a project named "{self.name}": its call got no answer, and the list does not show it'
            self.delete()
        except ProjectMissing:
            return None
        except StudioFault as fault:
            return f'the project {self.project_id or "?"}, named "{self.name}": {fault}'
        return None

    def _body(self) -> dict[str, Any]:
        background = {
            "id": "background",
            "type": "background",
            "source_type": "image",
            "source_url": "/images/background/bg_blue_gradient.png",
        }
        scene = {"sceneIdx": 0, "scripts": [], "background": background, "clips": [], "watermark": False}
        return {"name": self.name, "orientation": "landscape", "scenes": [scene]}
