"""The finished videos, served like the vendor's CDN: no token, ranges, HEAD."""

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.responses import NO_SUCH_PROJECT, Refusal, Response
from renderline.sandbox.video import byte_range, video

VIDEO_TYPE = "video/mp4"
TEMPLATE = "/files/{projectId}.mp4"


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def download(call: Call) -> Response:
        project_id, dot, suffix = call.key.rpartition(".")
        project = backend.store.any(project_id) if dot and suffix == "mp4" else None
        if project is None or project.deleted or not project.download_url(call.now):
            raise Refusal(NO_SUCH_PROJECT, "there is no such file")
        content = video(project.id, name=project.name, orientation=project.orientation)
        headers = (("Accept-Ranges", "bytes"), ("ETag", f'"{project.id}-{project.exports}"'))
        size = len(content)
        try:
            part = byte_range(call.headers.get("Range"), size)
        except ValueError:
            return Response(416, b"", VIDEO_TYPE, (*headers, ("Content-Range", f"bytes */{size}")))
        if part is None:
            return Response(200, content, VIDEO_TYPE, headers)
        first, last = part
        where = ("Content-Range", f"bytes {first}-{last}/{size}")
        return Response(206, content[first : last + 1], VIDEO_TYPE, (*headers, where))

    return [
        Route("GET", TEMPLATE, download, "files", "file", ("download",)),
        Route("HEAD", TEMPLATE, download, "files", "file", ("download",)),
    ]
