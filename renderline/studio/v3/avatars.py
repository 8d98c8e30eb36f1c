"""Avatars and voices of one's own in the v3 API, made from a video, a picture or a recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderline.studio.endpoint import Endpoint
from renderline.studio.v3.calls import ROOT, V3Calls
from renderline.studio.values import first_text

CUSTOM_AVATAR = Endpoint("POST", f"{ROOT}/avatars/customavatar", effect=True, slow=True)
DREAM_AVATAR = Endpoint("POST", f"{ROOT}/avatars/dreamavatar", effect=True, slow=True)
VOICE_CLONE = Endpoint("POST", f"{ROOT}/avatars/voiceclone", effect=True, slow=True)

GENDERS = ("MALE", "FEMALE")
LOCALES = ("en", "ko", "zh")


@dataclass(frozen=True, slots=True)
class CustomAvatar:
    """An avatar and its voice, by their ids."""

    avatar_id: str
    voice_id: str | None = None


class AvatarCalls(V3Calls):
    """The calls that make avatars and voices. What each costs is not documented."""

    def create_custom_avatar(
        self,
        url: str,
        name: str,
        gender: str,
        *,
        locale: str = "en",
        per_frame: bool = True,
        is_webcam: bool = False,
    ) -> CustomAvatar:
        """Make an avatar with its voice from the video at `url`; genders are `GENDERS` (v3 contract, avatars)."""
        body = {
            "url": url,
            "name": name,
            "gender": gender,
            "locale": locale,
            "perFrame": per_frame,
            "isWebcam": is_webcam,
        }
        data = self._calls.call(CUSTOM_AVATAR, CUSTOM_AVATAR.path, body).get("data")
        return CustomAvatar(self._text(CUSTOM_AVATAR, data, "avatarId"), first_text(data, "voiceId"))

    def create_dream_avatar(self, url: str, name: str, gender: str, *, tts: Mapping[str, Any] | None = None) -> str:
        """Make an avatar from the picture at `url`; return its id (v3 contract, avatars)."""
        body: dict[str, Any] = {"url": url, "name": name, "gender": gender}
        if tts is not None:
            body["tts"] = dict(tts)
        return self._id(DREAM_AVATAR, DREAM_AVATAR.path, body, field="avatarId")

    def clone_voice(self, url: str, name: str, gender: str, *, locale: str = "en") -> str:
        """Make a voice from the recording at `url`; return its id (v3 contract, avatars)."""
        body = {"url": url, "name": name, "gender": gender, "locale": locale}
        return self._id(VOICE_CLONE, VOICE_CLONE.path, body, field="voiceId")
