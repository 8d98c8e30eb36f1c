"""The finished videos, served like the vendor's CDN: no token, ranges, HEAD."""

from urllib.parse import parse_qsl

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.media import picture, sound
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import NO_SUCH_PROJECT, Refusal, Response
from renderline.sandbox.video import byte_range, video

TYPES = {"mp4": "video/mp4", "wav": "audio/wav", "png": "image/png"}
TEMPLATE = "/files/{projectId}.mp4"


def _content(project: Project) -> bytes:
    if project.suffix == "wav":
        return sound(project.id)
    if project.suffix == "png":
        return picture(project.id)
    return video(project.id, name=project.name, orientation=project.orientation)


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def download(call: Call) -> Response:
        project_id, dot, suffix = call.key.rpartition(".")
        project = backend.store.any(project_id) if dot else None
        if project is None or suffix != project.suffix or project.deleted or not project.download_url(call.now):
            raise Refusal(NO_SUCH_PROJECT, "there is no such file")
        backend.links.check(project, dict(parse_qsl(call.query)), call.now)
        content, kind = _content(project), TYPES[suffix]
        headers = (("Accept-Ranges", "bytes"), ("ETag", f'"{project.id}-{project.exports}"'))
        size = len(content)
        try:
            part = byte_range(call.headers.get("Range"), size)
        except ValueError:
            return Response(416, b"", kind, (*headers, ("Content-Range", f"bytes */{size}")))
        if part is None:
            return Response(200, content, kind, headers)
        first, last = part
        where = ("Content-Range", f"bytes {first}-{last}/{size}")
        return Response(206, content[first : last + 1], kind, (*headers, where))

    return [
        Route("GET", TEMPLATE, download, "files", "file", ("download",)),
        Route("HEAD", TEMPLATE, download, "files", "file", ("download",)),
    ]
