"""A project as the vendor's editor makes it: two scenes, tagged clips, and a dialogue of two avatars."""

from __future__ import annotations

from typing import Any

ANNA = {"model": "M000045058", "clothes": "BG00002320"}
BEN = {"model": "M000004017", "clothes": "BG00006160"}
IMAGE = "https://cdn.example.com/parrot.png"
BACKGROUND = {
    "id": "background",
    "type": "background",
    "source_type": "image",
    "source_url": "/images/background/bg_blue_gradient.png",
    "source_color": "rgb(54,188,37)",
}


def avatar(look: dict[str, str], name: str, **fields: Any) -> dict[str, Any]:
    """Return an avatar clip with the blocks that describe its pictures, as the vendor's samples have them."""
    model, clothes = look["model"], look["clothes"]
    pictures = "https://cdn.example.com/ai"
    return {
        "id": name,
        "name": name,
        "type": "aiModel",
        "layer": 1,
        "top": 146.74129135713008,
        "left": 630.2493927359487,
        "height": 2229,
        "width": 679,
        "scaleX": 0.5,
        "scaleY": 0.5,
        "opacity": 100,
        "effects": [{"type": "head-only"}],
        "headOnly": None,
        "voiceOnly": False,
        "isDelete": False,
        "lockScalingFlip": True,
        "model": {
            "ai_name": model,
            "emotion": clothes,
            "language": "en",
            "source_url": f"{pictures}/{model}_{clothes}.png",
            "editor": {"headCenterX": 613.3333333333334, "scale": 0.3},
            "editorValue": {"headCenterX": 613.3333333333334, "scale": 0.3},
            "origin": {"height": 2444, "width": 1374},
            "deployImage": {"themb_src": f"{pictures}/{model}_{clothes}_small.png"},
            "deploySize": {"org_width": 1374, "org_height": 2444},
            "maskFile": f"{model}_{clothes}_alpha.mp4",
        },
        **fields,
    }


def line(look: dict[str, str], words: str) -> dict[str, Any]:
    """Return an entry of `scripts`: what the avatar with that look says."""
    return {"org": f"<p>{words}</p>", "isTTS": False, "tts": None, "modelId": look["model"], "clothId": look["clothes"]}


def picture(name: str, **fields: Any) -> dict[str, Any]:
    """Return an image clip."""
    place = {"layer": 2, "top": -4.6, "left": 120.5, "height": 400, "width": 300, "scaleX": 0.149, "scaleY": 0.149}
    return {"id": name, "type": "image", **place, "source_url": IMAGE, "opacity": 100, **fields}


def text(name: str, words: str, **fields: Any) -> dict[str, Any]:
    """Return a text clip."""
    place = {"layer": 3, "top": 800, "left": 100, "height": 90, "width": 900, "scaleX": 1, "scaleY": 1}
    drawn = {"fill": "#ffffff", "fontSize": 48, "fontFamily": "Noto Sans CJK"}
    return {"id": name, "type": "textImage", **place, "text": words, **drawn, **fields}


def editor_project(**fields: Any) -> dict[str, Any]:
    """Return the body of a create call for the project."""
    return {
        "name": "Parrots",
        "orientation": "landscape",
        "dictionary": {"AI": "ay eye"},
        "scenes": [
            {
                "sceneIdx": 0,
                "watermark": False,
                "thumbnailUrl": None,
                "background": BACKGROUND,
                "scripts": [line(ANNA, "This is a parrot.")],
                "clips": [
                    avatar(ANNA, "aiModel-1"),
                    picture("image-1", tag="parrot-image"),
                    text("textImage-1", "A parrot", tag="parrot-text"),
                ],
            },
            {
                "sceneIdx": 1,
                "watermark": False,
                "thumbnailUrl": None,
                "background": BACKGROUND,
                "scripts": [
                    line(ANNA, "What do parrots eat?"),
                    line(BEN, "Mostly seeds."),
                    line(ANNA, "Thank you."),
                ],
                "clips": [
                    avatar(ANNA, "aiModel-1", left=200),
                    avatar(BEN, "aiModel-2", left=1100, tag="guest"),
                    picture("image-1"),
                    text("textImage-1", "Questions"),
                ],
            },
        ],
        **fields,
    }


def read_back(project_id: str = "65fa6b07dca2e367461a2925", **fields: Any) -> dict[str, Any]:
    """Return the project as get-project reads it back (v3 contract, one project)."""
    return {
        **editor_project(),
        "_id": project_id,
        "userId": "65fa0000dca2e367461a0001",
        "templateId": None,
        "thumbnailUrl": "https://cdn.example.com/thumbnail.png",
        "baseInfoId": "65fa0000dca2e367461a0002",
        "state": "exported",
        "backendTaskId": "task-1",
        "exportType": "video",
        "progress": 100,
        "creditSubstracted": True,
        "createdAt": "2026-01-02T03:04:05.000Z",
        "updatedAt": "2026-01-02T03:04:05.000Z",
        "download_url": "https://cdn.example.com/video.mp4",
        **fields,
    }
