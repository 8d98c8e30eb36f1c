"""Generators of the v3 API: a text, picture, clip or voice, answered in the call itself.

The vendor may remove what it answers a URL of at any time, so it is to be fetched at once.
"""

from typing import Any

from renderline.studio.endpoint import Endpoint
from renderline.studio.v3.calls import ROOT, V3Calls

TEXT_GENERATOR = Endpoint("POST", f"{ROOT}/tools/text-generator", effect=True, slow=True)
IMAGE_GENERATOR = Endpoint("POST", f"{ROOT}/tools/image-generator", effect=True, slow=True)
VIDEO_GENERATOR = Endpoint("POST", f"{ROOT}/tools/video-generator", effect=True, slow=True)
VOICE_GENERATOR = Endpoint("POST", f"{ROOT}/tools/voice-generator", effect=True, slow=True)

IMAGE_STYLES = ("PHOTOGRAPHIC", "VECTOR_IMAGE", "ILLUSTRATION", "3D")
IMAGE_SIZES = ("LANDSCAPE", "PORTRAIT", "SQUARE")


class ToolCalls(V3Calls):
    """The generators. What each costs is not documented: an answer that was lost may have been paid for."""

    def generate_text(self, topic: str) -> str:
        """Return a script on a topic (v3 contract, generators)."""
        data = self._calls.call(TEXT_GENERATOR, TEXT_GENERATOR.path, {"topic": topic}).get("data")
        script = data.get("script") if isinstance(data, dict) else None
        if not isinstance(script, str) or not script.strip():
            raise TEXT_GENERATOR.unseen("the vendor reports success but no script", status=200)
        return script

    def generate_image(self, topic: str, style: str = "PHOTOGRAPHIC", size: str = "LANDSCAPE") -> str:
        """Return the URL of a picture; styles are `IMAGE_STYLES`, sizes `IMAGE_SIZES` (v3 contract, generators)."""
        return self._url(IMAGE_GENERATOR, {"topic": topic, "style": style, "size": size})

    def generate_video(self, topic: str) -> str:
        """Return the URL of a clip on a topic (v3 contract, generators)."""
        return self._url(VIDEO_GENERATOR, {"topic": topic})

    def generate_voice(self, script: str, model: str, type: str, language: str) -> str:
        """Return the URL of a text, spoken; `type` is the voice's maker, such as `google` (v3 contract, generators)."""
        return self._url(VOICE_GENERATOR, {"script": script, "model": model, "type": type, "language": language})

    def _url(self, endpoint: Endpoint, body: dict[str, Any]) -> str:
        data = self._calls.call(endpoint, endpoint.path, body).get("data")
        return self._text(endpoint, data, "downloadUrl", "download_url")
