"""Magic inputs: `[sandbox:...]` tags in a project's name or script text, and which of them are spent."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from renderline.sandbox.languages import DUBBING
from renderline.sandbox.responses import BAD_BODY, Refusal

MARKER = b"[sandbox:"

RENDER_TAGS = frozenset({"slow", "fail", "stuck", "late-url"})
"""Tags that shape a render; without a count they work every time."""

REFUSING_TAGS = frozenset({"refuse", "credit"})
"""Tags that refuse a call; without a count they work every time."""

ONCE_TAGS = frozenset({"401", "429", "500", "503", "500-after", "malformed", "drop", "drop-before", "hang", "late"})
"""Tags that make a call fail; without a count they work once."""

STAGES = (
    *("create", "draft", "edit", "export", "progress", "project", "download", "delete"),
    *("upload", "generate", "generation", "dub", "audio", "tool"),
)

GENERATING = frozenset({"generate"})
"""Stages of the tags that shape a generation."""

UNSHAPED = frozenset({"upload", "generation", "audio", "tool"})
"""Stages that render nothing."""

RENDERING = frozenset(STAGES) - GENERATING - UNSHAPED - {"dub"}
"""Stages of the tags that shape a render."""

MAX_VALUE = 1e9
"""The largest number in a tag."""

_TAG = re.compile(r"\[sandbox:([^\]]*)\]?")
_PARTS = re.compile(
    r"(?P<kind>[a-z0-9-]+)(?:=(?P<value>[^*@#]*)|\*(?P<times>\d+)|@(?P<stage>[a-z]+(?:-[A-Z]{2})?))*(?:#.*)?", re.DOTALL
)
_ID_LIKE = re.compile(r"(?=[0-9A-Za-z_-]*\d)[0-9A-Za-z_-]{12,}(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of one project. `times` is None for a tag that works every time; `key` says what counts as the same."""

    kind: str
    value: str | None
    times: int | None
    stage: str
    key: str

    def number(self, default: float) -> float:
        """The value as a number."""
        return float(self.value) if self.value else default

    def seconds(self, default: float) -> float:
        """The value as seconds."""
        return self.number(default)


def script_texts(body: dict[str, Any]) -> Iterator[str]:
    """Every spoken text in a v3 or v2 body, in whatever form; skips what has the wrong type."""
    scenes, updates = body.get("scenes"), body.get("updates")
    if isinstance(updates, dict):
        updates = updates.get("value")
    found: list[Any] = [body.get(name) for name in ("text", "topic", "script", "scripts")]
    options, scene = body.get("options"), body.get("scene")
    found += options.values() if isinstance(options, dict) else ()
    found += [entry.get("fileName") for entry in _objects(body.get("files"))]
    found += [unquote(body["url"])] if isinstance(body.get("url"), str) else ()
    scenes = [scene] if isinstance(scene, dict) and not isinstance(scenes, list) else scenes
    for scene in scenes if isinstance(scenes, list) else ():
        if isinstance(scene, dict):
            found += [script.get("org") for script in _objects(scene.get("scripts"))]
            found += [clip.get("script") for clip in _objects(scene.get("clips"))]
            found += [model.get("script") for model in _objects([scene.get("AIModel")])]
    found += [update["values"].get("script") for update in _objects(updates) if isinstance(update.get("values"), dict)]
    for text in found:
        spoken = text.get("org") if isinstance(text, dict) else text
        if isinstance(spoken, str):
            yield spoken


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def find_tags(account: str, *, name: Any, texts: Iterable[str]) -> tuple[Tag, ...]:
    """The tags in a name and texts; raises Refusal (400) for a tag that does not exist, so that typing errors show.

    Tags with the same words in the same texts of one account are the same, whatever project they stand in: a draft
    made again finds its one-time faults spent. The project's name counts without the ids in it, numbered or not.
    """
    name = name if isinstance(name, str) else ""
    spoken = list(texts)
    content = hashlib.sha256("\0".join([account, _ID_LIKE.sub("", name), *spoken]).encode("utf-8", "surrogatepass"))
    digest = content.hexdigest()[:16]
    tags = []
    for text in (name, *spoken):
        for match in _TAG.finditer(text):
            tags.append(_tag(match[0], match[1], digest))
    return tuple(dict.fromkeys(tags))


def _tag(whole: str, inner: str, digest: str) -> Tag:
    parts = _PARTS.fullmatch(inner)
    if parts is None or not whole.endswith("]"):
        raise Refusal(BAD_BODY, f"{whole[:80]}: must look like [sandbox:kind=value*times@stage#token]")
    kind, value, times, stage = parts["kind"], parts["value"], parts["times"], parts["stage"]
    if kind not in RENDER_TAGS | REFUSING_TAGS | ONCE_TAGS:
        raise Refusal(BAD_BODY, f"{whole}: there is no such tag")
    if stage is not None and stage not in STAGES and stage not in DUBBING:
        raise Refusal(BAD_BODY, f"{whole}: the stage must be one of {', '.join(STAGES)}, or a language of dubbing")
    if value and kind in RENDER_TAGS | {"hang", "late"} and not re.fullmatch(r"\d+(\.\d+)?", value):
        raise Refusal(BAD_BODY, f"{whole}: the value must be a number")
    if value and re.fullmatch(r"[-+.\d_]+(e[-+]?\d+)?|[-+]?(inf|infinity|nan)", value.strip(), re.IGNORECASE):
        try:
            small = abs(float(value)) <= MAX_VALUE
        except ValueError:
            small = True
        if not small:
            raise Refusal(BAD_BODY, f"{whole[:80]}: the value must not be beyond {MAX_VALUE:g}")
    if kind in RENDER_TAGS and stage in UNSHAPED:
        raise Refusal(BAD_BODY, f"{whole}: {kind} shapes a render or a generation; there is none at {stage}")
    limit = int(times) if times else (1 if kind in ONCE_TAGS else None)
    return Tag(kind, value, limit, stage or ("create" if kind == "refuse" else "export"), f"{digest}{whole}")


class Spent:
    """Counts how often a tag with a limit has worked."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def take(self, tag: Tag) -> bool:
        """True if the tag still works; counts this use."""
        if tag.times is None:
            return True
        if self._used[tag.key] >= tag.times:
            return False
        self._used[tag.key] += 1
        return True

    def clear(self) -> None:
        """Make every tag work again."""
        self._used.clear()
