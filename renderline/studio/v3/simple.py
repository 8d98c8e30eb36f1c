"""Single-call renders of the v3 API: an avatar before one colour, one of the account's own, or its voice alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.endpoint import Endpoint
from renderline.studio.v3.calls import ROOT, V3Calls
from renderline.studio.values import first_text

SIMPLE_VIDEO = Endpoint("POST", f"{ROOT}/simple/video", effect=True)
SIMPLE_CUSTOM = Endpoint("POST", f"{ROOT}/simple/custom", effect=True)
SIMPLE_AUDIO = Endpoint("POST", f"{ROOT}/simple/audio", effect=True, slow=True)


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A sound file that the vendor answered with; it gives the file a name of its own."""

    url: str
    file_name: str | None = None


class SimpleCalls(V3Calls):
    """The single-call renders."""

    def create_simple_video(self, body: Mapping[str, Any], *, export: bool) -> str:
        """Create a chroma-key video, rendering it at once or not; return its project id (v3 contract, simple video)."""
        return self._id(SIMPLE_VIDEO, SIMPLE_VIDEO.path, {**body, "isExport": export})

    def create_simple_custom(self, body: Mapping[str, Any], *, export: bool) -> str:
        """Create a video with an avatar of the account's own; return its project id (v3 contract, simple custom)."""
        return self._id(SIMPLE_CUSTOM, SIMPLE_CUSTOM.path, {**body, "isExport": export})

    def create_audio(self, body: Mapping[str, Any]) -> AudioFile:
        """Have a text spoken; the answer is the file (v3 contract, simple audio).

        It has no project: if the answer is lost, nothing tells afterwards whether the call took effect.
        """
        data = self._calls.call(SIMPLE_AUDIO, SIMPLE_AUDIO.path, body).get("data")
        url = self._text(SIMPLE_AUDIO, data, "downloadUrl", "download_url")
        return AudioFile(url, first_text(data, "fileName"))
