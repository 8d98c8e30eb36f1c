"""The v3 calls that make texts, pictures, clips, voices and avatars (AI Studios v3 contract, generators)."""

import hashlib

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.responses import Response, success
from renderline.sandbox.speech import made_file
from renderline.sandbox.v3_validation import check
from renderline.sandbox.validation import Table, boolean, filled, obj, one_of, text, web_address

BASE = "/api/odin/v3"
STAGES = ("create", "tool", "export")

TOPIC: Table = {"topic": (filled, True)}
IMAGE: Table = {
    **TOPIC,
    "style": (one_of(["PHOTOGRAPHIC", "VECTOR_IMAGE", "ILLUSTRATION", "3D"]), False),
    "size": (one_of(["LANDSCAPE", "PORTRAIT", "SQUARE"]), False),
}
VOICE: Table = {"script": (filled, True), "model": (filled, True), "type": (filled, True), "language": (filled, True)}
PERSON: Table = {
    "url": (web_address, True),
    "name": (filled, True),
    "gender": (one_of(["MALE", "FEMALE"]), True),
}
LOCALE: Table = {"locale": (one_of(["en", "ko", "zh"]), False)}
CUSTOM_AVATAR: Table = {**PERSON, **LOCALE, "perFrame": (boolean, False), "isWebcam": (boolean, False)}
DREAM_AVATAR: Table = {**PERSON, "tts": (obj, False)}
VOICE_CLONE: Table = {**PERSON, "locale": (text, False)}


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def script(call: Call) -> Response:
        check(call.body(), TOPIC)
        return success({"script": f"A few words about {call.body()['topic']}."})

    def filing(path: str, table: Table, suffix: str) -> Route:
        def handler(call: Call) -> Response:
            check(call.body(), table)
            made = made_file(backend, call, api="tool", suffix=suffix, fields={"name": path})
            return success({"downloadUrl": backend.links.url(made, call.now)})

        return Route("POST", f"{BASE}/tools/{path}", handler, "v3", "body", STAGES)

    def naming(path: str, table: Table, names: dict[str, str]) -> Route:
        def handler(call: Call) -> Response:
            check(call.body(), table)
            seed = f"{call.account}/{call.body()['name']}/{backend.counts[call.route.name]}".encode("utf-8", "replace")
            number = int.from_bytes(hashlib.blake2b(seed, digest_size=4).digest(), "big")
            return success({name: f"{prefix}{number:010d}" for name, prefix in names.items()})

        return Route("POST", f"{BASE}/avatars/{path}", handler, "v3", "body", STAGES)

    return [
        Route("POST", f"{BASE}/tools/text-generator", script, "v3", "body", STAGES),
        filing("image-generator", IMAGE, "png"),
        filing("video-generator", TOPIC, "mp4"),
        filing("voice-generator", VOICE, "wav"),
        naming("customavatar", CUSTOM_AVATAR, {"avatarId": "CA", "voiceId": "CV"}),
        naming("dreamavatar", DREAM_AVATAR, {"avatarId": "DA"}),
        naming("voiceclone", VOICE_CLONE, {"voiceId": "CV"}),
    ]
