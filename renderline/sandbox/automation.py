"""The v3 calls that generate a project from a topic, a page or a script (AI Studios v3 contract, automation)."""

import hashlib
from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import AUTOMATION_TEMPLATES, DEFAULT_LOOK, scene
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import NO_SUCH_PROJECT, Refusal, Response, dumps, success
from renderline.sandbox.v3_validation import refuse
from renderline.sandbox.validation import (
    Table,
    between,
    boolean,
    filled,
    language_code,
    number,
    obj,
    one_number_of,
    one_of,
    text,
    walk,
    web_address,
)

BASE = "/api/odin/v3/automation"
DURATIONS = (30, 60, 90, 120, 150, 180)
STYLES = (
    *("realistic", "digitalPainting", "sketch", "oilPainting", "pixelArt"),
    *("watercolor", "lowPoly", "cyberpunk", "fantasy", "anime"),
)
SECONDS_PER_SCENE = 30
STANDARD_SCENES = 2

OPTIONS: Table = {
    "language": (language_code, False),
    "objective": (text, False),
    "audience": (text, False),
    "tone": (text, False),
    "speed": (between(number, 0.5, 1.5), False),
    "media": (one_of(["search", "free", "premium", "generative"]), False),
    "useGenerativeHighQuality": (boolean, False),
    "style": (one_of(STYLES), False),
    "templateId": (text, False),
    "model": (text, False),
    "voiceOnly": (boolean, False),
}
WITH_DURATION: Table = {**OPTIONS, "duration": (one_number_of(DURATIONS), False)}
WITH_SCRIPT: Table = {**WITH_DURATION, "scriptOption": (one_of(["ai", "original"]), False)}


def check_generation(body: dict[str, Any], subject: Table, options: Table) -> dict[str, Any]:
    """Check a generating call; returns its options; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, {**subject, "options": (obj, False)}, "", problems)
    chosen = body.get("options")
    if isinstance(chosen, dict):
        walk(chosen, options, "options", problems)
    refuse(problems)
    return chosen or {}


def generated(backend: Backend, call: Call, *, subject: str, options: dict[str, Any], scenes: int) -> Project:
    """A new project whose generation has begun; its tags stay for its export."""
    look = {"model": options.get("model") or DEFAULT_LOOK[0], "clothes": DEFAULT_LOOK[1]}
    template = AUTOMATION_TEMPLATES.get(options.get("templateId") or "")
    orientation = "portrait" if template is not None and template.orientation == "mobile" else "landscape"
    words = [subject, *(f"Scene {index + 1}." for index in range(1, scenes))]
    content = {
        "name": subject[:100],
        "orientation": orientation,
        "scenes": [scene(index, spoken, **look, caption=f"Scene {index + 1}") for index, spoken in enumerate(words)],
    }
    project = backend.create(call, api="v3", body=dumps(content), fields=content, scene_count=scenes)
    project.template_id = options.get("templateId")
    backend.generate(project, call, subject=subject)
    return project


def scene_count(options: dict[str, Any]) -> int:
    """One scene for every half minute that was asked for."""
    duration = options.get("duration")
    return STANDARD_SCENES if duration is None else max(1, int(duration) // SECONDS_PER_SCENE)


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def generating(subject: str, table: Table, options: Table) -> Route:
        def handler(call: Call) -> Response:
            chosen = check_generation(call.body(), table, options)
            words = str(call.body()[subject])
            project = generated(backend, call, subject=words, options=chosen, scenes=scene_count(chosen))
            job = hashlib.blake2b(project.id.encode(), digest_size=12, person=b"job").hexdigest()
            return success({"projectId": project.id, "automationJobId": job})

        return Route("POST", f"{BASE}/{subject}_to_video", handler, "v3", "body", ("create", "generate"))

    def progress(call: Call) -> Response:
        project = backend.store.read(call.account, call.key or call.subject_id(), at=call.seen_at)
        generation = project.generation
        if generation is None:
            raise Refusal(NO_SUCH_PROJECT, "the project was not generated")
        data: dict[str, Any] = {
            "state": generation.state_at(call.seen_at),
            "progress": generation.progress_at(call.seen_at),
        }
        error = generation.error_at(call.seen_at)
        if error is not None:
            data["error"] = {"code": error[0], "msg": error[1]}
        return success(data)

    stages = ("generation", "progress")
    return [
        generating("topic", {"topic": (filled, True)}, WITH_DURATION),
        generating("url", {"url": (web_address, True)}, WITH_DURATION),
        generating("scripts", {"scripts": (filled, True)}, WITH_SCRIPT),
        Route("GET", f"{BASE}/progress", progress, "v3", "projectId", stages),
        Route("GET", f"{BASE}/progress/", progress, "v3", "projectId", stages),
        Route("GET", f"{BASE}/progress/{{key}}", progress, "v3", "key", stages),
    ]
