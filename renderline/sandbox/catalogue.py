"""The sandbox's avatars, workspaces and templates: ids from the contract's samples, all else invented."""

import json
import re
from dataclasses import dataclass
from typing import Any

from renderline.sandbox.responses import NO_SUCH_TEMPLATE, Refusal

AVATARS = (
    ("M000045058", "Jonathan", "조나단", (("BG00002320", "Navy suit"), ("BG00002321", "Grey suit"))),
    ("M000004017", "Ruby", "루비", (("BG00006160", "White blouse"), ("BG00006161", "Black jacket"))),
    ("M000000045", "Haylyn", "헤일린", (("BG00000188", "Blue dress"),)),
)
_THUMBNAILS = "https://cdn.aistudios.com/ai/model-introduce/thumbnails"

MODELS: list[dict[str, Any]] = [
    {
        "id": model,
        "label": {"ko": korean, "en": english},
        "thumbnail": f"{_THUMBNAILS}/{model}_{clothes[0][0]}.png",
        "clothes": [
            {"id": cloth, "label": {"ko": words, "en": words}, "thumbnail": f"{_THUMBNAILS}/{model}_{cloth}.png"}
            for cloth, words in clothes
        ],
    }
    for model, english, korean, clothes in AVATARS
]
MODEL_CHOICES = [{"id": model, "label": english, "avatarType": "aiModel"} for model, english, _, _ in AVATARS]
WORKSPACES = [
    {"workspaceId": "64d0c1f2a7b8c9d0e1f20001", "workspaceName": "My workspace"},
    {"workspaceId": "64d0c1f2a7b8c9d0e1f20002", "workspaceName": "Team workspace"},
]
TEMPLATES = {
    "65fa6b07dca2e367461a2925": ("Welcome", "landscape", ("Welcome to the team.", "Here is what comes next.")),
    "65fa6b07dca2e367461a2926": ("Weekly news", "landscape", ("This is the news of the week.",)),
    "65fa6b07dca2e367461a2927": ("Short story", "portrait", ("A short story, in portrait.",)),
}
"""Template id to name, orientation and one script per scene."""


@dataclass(frozen=True, slots=True)
class AutomationTemplate:
    """A template of the generating calls; `orientation` is `web` or `mobile`."""

    name: str
    category: str
    orientation: str = "web"
    file_background: bool = False


AUTOMATION_TEMPLATES = {
    "66a0c1d2e3f4a5b6c7d80001": AutomationTemplate("Company news", "business"),
    "66a0c1d2e3f4a5b6c7d80002": AutomationTemplate("Company story", "business", "mobile"),
    "66a0c1d2e3f4a5b6c7d80003": AutomationTemplate("Report", "business", file_background=True),
    "66a0c1d2e3f4a5b6c7d80004": AutomationTemplate("Lesson", "education"),
    "66a0c1d2e3f4a5b6c7d80005": AutomationTemplate("Lecture", "education", file_background=True),
    "66a0c1d2e3f4a5b6c7d80006": AutomationTemplate("Short clip", "social", "mobile"),
    "66a0c1d2e3f4a5b6c7d80007": AutomationTemplate("Post", "social"),
}
BUSINESS_TEMPLATES = [{"id": template, "name": name} for template, (name, _, _) in TEMPLATES.items()]

DEFAULT_LOOK = ("M000045058", "BG00002320")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")


def scene(index: int, words: str, *, model: str, clothes: str, caption: str | None = None) -> dict[str, Any]:
    """A scene as get-project shows it: background, one avatar with its script, and a caption on request."""
    clips: list[dict[str, Any]] = [
        {
            "id": f"aiModel-{index:011x}",
            "type": "aiModel",
            "layer": 1,
            "top": 146.74129135713008,
            "left": 630.2493927359487,
            "height": 2229,
            "width": 679,
            "scaleX": 1,
            "scaleY": 1,
            "model": {"ai_name": model, "emotion": clothes},
        }
    ]
    if caption is not None:
        place = {"top": 880, "left": 240, "height": 90, "width": 1440}
        style = {"text": caption, "fontSize": 48, "fill": "rgb(255,255,255)"}
        clips.append({"id": f"textImage-{index:011x}", "type": "textImage", "layer": 2, **place, **style})
    return {
        "sceneIdx": index,
        "scripts": [{"org": words, "isTTS": False, "tts": None, "modelId": model, "clothId": clothes}],
        "background": {
            "id": "background",
            "type": "background",
            "source_type": "image",
            "source_url": "/images/background/bg_blue_gradient.png",
            "source_color": "rgb(54,188,37)",
        },
        "clips": clips,
        "watermark": False,
        "thumbnailUrl": None,
    }


def from_template(template_id: str, *, model: str | None, clothes: str | None) -> tuple[str, dict[str, Any]]:
    """Name and body of a project made from a template; raises Refusal (404).

    Any id of 24 lowercase hex characters is a template here, so that real ids can be tried.
    """
    known = TEMPLATES.get(template_id)
    if known is None and not _OBJECT_ID.fullmatch(template_id):
        raise Refusal(NO_SUCH_TEMPLATE, "there is no such template")
    name, orientation, scripts = known or next(iter(TEMPLATES.values()))
    look = {"model": model or DEFAULT_LOOK[0], "clothes": clothes or DEFAULT_LOOK[1]}
    scenes = [scene(index, words, **look, caption=words) for index, words in enumerate(scripts)]
    # A deep copy: callers must not change the catalogue.
    return name, json.loads(json.dumps({"orientation": orientation, "scenes": scenes}))
