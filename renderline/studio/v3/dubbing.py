"""Dubbing in the v3 API: one video into up to ten languages, one video each, all in one folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import PayloadRefused
from renderline.studio.multipart import Form, Upload
from renderline.studio.v3.calls import ROOT, V3Calls
from renderline.studio.values import Unreadable, first_text, percent_of

DUB = Endpoint("POST", f"{ROOT}/automation/translatevideos", effect=True, slow=True)
DUBBED = Endpoint("GET", f"{ROOT}/automation/translatevideos", of_project=True)

MOST_TARGETS = 10

_DEEPEST = 4
"""Containers around the rows; the vendor documents none, and no answer needs more."""


@dataclass(frozen=True, slots=True)
class DubbedVideo:
    """One language's video. The vendor documents neither `state` nor `language`: they are read if they are there."""

    project_id: str
    name: str | None
    progress: float
    download_url: str | None
    state: str | None
    language: str | None = None


class DubbingCalls(V3Calls):
    """The calls of dubbing."""

    def dub(
        self,
        *,
        file: Upload | None = None,
        url: str | None = None,
        targets: Sequence[str],
        original: str = "auto",
        original_srt: Upload | None = None,
        target_srts: Mapping[str, Upload] | None = None,
        dubbing_only: bool = False,
        remove_background_music: bool = False,
        captions: bool = False,
        speakers: str = "auto",
    ) -> str:
        """Have a video dubbed, which costs credits; return the id of the folder of results (v3 contract, dubbing).

        The source is `file` or the `url` of a YouTube video. `target_srts` holds subtitles by language of `targets`.
        """
        subtitles = dict(target_srts or {})
        _check(file, url, targets, subtitles)
        fields = {"original": original, "numberOfSpeakers": speakers}
        if url is not None:
            fields["url"] = url
        fields |= {f"target_{index}": language for index, language in enumerate(targets)}
        # False is left out: in a form it is a text, and a text that is not empty may count as true.
        flags = {"isDubbingOnly": dubbing_only, "isRemoveBGM": remove_background_music, "isCaptionFile": captions}
        fields |= {name: "true" for name, given in flags.items() if given}
        srts = [(f"targetSrt_{index}", subtitles.get(language)) for index, language in enumerate(targets)]
        files = [("file", file), ("originalSrt", original_srt), *srts]
        form = Form(fields, [(name, upload) for name, upload in files if upload is not None])
        return self._id(DUB, DUB.path, form=form, field="folderId")

    def dubbed_videos(self, folder_id: str) -> list[DubbedVideo]:
        """Return the videos of a folder, as far as the vendor has begun them; raise ProjectMissing too."""
        return self._read(DUBBED, f"{DUBBED.path}?{urlencode({'folderId': folder_id})}", _videos)


def _check(file: Upload | None, url: str | None, targets: Sequence[str], subtitles: Mapping[str, Upload]) -> None:
    wrong = None
    if file is None and not url:
        wrong = "there is neither a file nor a URL"
    elif not 1 <= len(targets) <= MOST_TARGETS or len(set(targets)) != len(targets):
        wrong = f"there must be 1 to {MOST_TARGETS} different target languages"
    elif set(subtitles) - set(targets):
        wrong = "there are subtitles of a language that is no target"
    if wrong:
        raise PayloadRefused(f"{wrong}; nothing was sent", endpoint=str(DUB))


def _videos(data: Any) -> list[DubbedVideo]:
    if not isinstance(data, (dict, list)):
        raise Unreadable("the answer holds no list")
    return [_video(row) for row in _rows(data, _DEEPEST)]


def _rows(found: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield every object that is a video, in whatever lists and objects the answer has them."""
    if isinstance(found, dict) and _id_of(found) is not None:
        yield found
    elif depth and isinstance(found, (dict, list)):
        for inner in found.values() if isinstance(found, dict) else found:
            yield from _rows(inner, depth - 1)


def _id_of(row: Mapping[str, Any]) -> str | None:
    # Other calls say `id` or `_id`; a folder may have one too, but no progress.
    return first_text(row, "projectId") or (first_text(row, "_id", "id") if "progress" in row else None)


def _video(row: Mapping[str, Any]) -> DubbedVideo:
    return DubbedVideo(
        project_id=_id_of(row) or "",
        name=first_text(row, "name"),
        progress=0.0 if row.get("progress") is None else percent_of(row["progress"]),
        download_url=first_text(row, "download_url", "downloadUrl"),
        state=first_text(row, "state"),
        language=first_text(row, "language", "target"),
    )
