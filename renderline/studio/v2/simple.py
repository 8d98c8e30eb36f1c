"""Single-call renders of the v2 API: an avatar before one colour, or its voice alone; and how to find one again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.endpoint import Endpoint, segment
from renderline.studio.progress import key_v2
from renderline.studio.v2.calls import ROOT, V2Calls
from renderline.studio.values import first_text

SIMPLE_VIDEO = Endpoint("POST", f"{ROOT}/simple/video", effect=True)
SIMPLE_AUDIO = Endpoint("POST", f"{ROOT}/simple/audio", effect=True)
FIND = Endpoint("POST", f"{ROOT}/simple/find/{{key}}", of_project=True)


@dataclass(frozen=True, slots=True)
class SimpleFound:
    """A single-call render, found again. The vendor documents no URL there; one is read if the answer has it."""

    key: str
    download_url: str | None = None


class SimpleCalls(V2Calls):
    """The single-call renders; both are followed with `progress`."""

    def create_simple_video(self, body: Mapping[str, Any]) -> str:
        """Create and render a chroma-key video, which costs cubes; return its key (v2 contract, simple video)."""
        return self._key(SIMPLE_VIDEO, SIMPLE_VIDEO.path, body)

    def create_simple_audio(self, body: Mapping[str, Any]) -> str:
        """Have a text spoken, which costs cubes; return its key (v2 contract, simple audio)."""
        return self._key(SIMPLE_AUDIO, SIMPLE_AUDIO.path, body)

    def find_simple(self, key: str) -> SimpleFound:
        """Return the single-call render with that key; raise ProjectMissing too (v2 contract, find)."""
        answer = self._call(FIND, f"{ROOT}/simple/find/{segment(FIND, key)}", {})
        url = first_text(answer.get("data"), "url", "videoUrl") or first_text(answer, "videoUrl", "url")
        return SimpleFound(key_v2(answer) or key, url)
