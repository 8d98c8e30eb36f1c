"""What the door takes, the sandbox takes: every body of the vendor's pages, and what is passed on with a warning.

The client and the sandbox are two readings of the contract. Where they differ, it is named below.
"""

import io
from collections.abc import Iterator
from typing import Any, Final

import pytest
from sandbox_client import SandboxClient, project, running

from harness.requests import load
from harness.vendor_corpus import PROJECT, as_named_request, rows, supported
from renderline.accounts.clients import AccountClients
from renderline.kinds import KINDS
from renderline.studio import PayloadRefused, StudioV2, StudioV3, Upload

DIFFERENCES: Final[dict[str, str]] = {}
"""Bodies that the door takes and the sandbox refuses, with the reason."""

HOOK: Final = "http://127.0.0.1:9/hook"
PLACE: Final = {"layer": 2, "top": 0, "left": 0, "height": 270, "width": 480}
TEXT: Final = {**PLACE, "id": "t", "type": "textImage", "text": "Hi", "fill": "#fff", "fontSize": 12}
IMAGE: Final = {**PLACE, "id": "i", "type": "image", "source_url": "https://example.com/a.png"}


class Vendor:
    """A sandbox, the clients for it, and what is in it for the bodies to name: projects of both APIs, a document."""

    def __init__(self, sandbox: SandboxClient) -> None:
        tokens = Tokens(sandbox.token())
        self.clients = AccountClients(
            "default", StudioV3(sandbox.url, tokens=tokens), StudioV2(sandbox.url, secret_key="key")
        )
        body = project()
        (first,) = body["scenes"]
        body["scenes"].append({**first, "clips": [*first["clips"], TEXT]})
        older = by_id("v2_project-2")["body"]
        (only,) = older["scenes"]
        older["scenes"] = [{**only, "clips": [clip for clip in only["clips"] if clip["type"] == "image"]}]
        text = Upload("a.txt", 11, lambda: io.BytesIO(b"Some words."), "text/plain")
        (document,) = self.clients.use_v3().upload_documents([text])
        self.document = {"uri": document.uri, "fileName": document.file_name}
        self.targets = {
            "v3": self.clients.use_v3().create_project(body, export=False),
            "v2": self.clients.use_v2().create_project(older),
        }

    def refuses(self, request: dict[str, Any]) -> str | None:
        """Send the request as its kind does, up to the first call that costs; return why it was refused."""
        loaded = load(request)
        kind = KINDS[loaded.kind]
        context = kind.context(loaded.body, name=loaded.name, webhook_url=HOOK, project_id=None)
        try:
            for stage in kind.direct:
                result = stage.call(self.clients, context)
                context.project_id = result.project_id or context.project_id
                context.data = {**context.data, **(result.data or {})}
                if stage.paid:
                    break
        except PayloadRefused as refused:
            return str(refused)
        return None


class Tokens:
    """One token, never refused."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """Return it."""
        return self._token

    def reject(self, token: str) -> None:
        """Fail the test."""
        raise AssertionError(token)


def by_id(name: str) -> dict[str, Any]:
    return next(row for row in rows() if row["id"] == name)


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with running("--render-seconds", "600", "--webhooks", "none") as sandbox:
        made = Vendor(sandbox)
        yield made
        made.clients.use_v3().close()
        made.clients.use_v2().close()


def scene(*more: Any, **fields: Any) -> dict[str, Any]:
    """Return a request whose scene has these clips besides an avatar that speaks."""
    body = project()
    (only,) = body["scenes"]
    own = {key: fields.pop(key) for key in ("background", "sceneIdx") if key in fields}
    avatar = {**only["clips"][0], **fields.pop("avatar", {})}
    scripts = [*only["scripts"], *fields.pop("lines", ())]
    body["scenes"] = [{**only, **own, "clips": [avatar, *more], "scripts": scripts}]
    return {"kind": "project", "payload": {**body, **fields}}


LINE: Final = project()["scenes"][0]["scripts"][0]
SECOND: Final = {**project()["scenes"][0]["clips"][0], "id": "b", "model": {"ai_name": "M2", "emotion": "B2"}}
ANSWER: Final = {**LINE, "modelId": "M2", "clothId": "B2"}
WARNED: Final[dict[str, dict[str, Any]]] = {
    "two avatars, one speech": scene(SECOND),
    "a dialogue": scene(SECOND, lines=[ANSWER, LINE]),
    "a dialogue with a silent line": scene(SECOND, lines=[{**ANSWER, "org": ""}]),
    "a negative size": scene({**IMAGE, "width": -480}),
    "a very small font": scene({**TEXT, "fontSize": 0.75}),
    "a font weight by name": scene({**TEXT, "fontWeight": "bold"}),
    "a negative stroke": scene({**TEXT, "strokeWidth": -1}),
    "sample-only values of another type": scene(avatar={"isDelete": "no", "voiceOnly": 1, "opacity": 0}),
    "another background": scene(background={"type": "picture", "source_type": "color"}),
    "a negative scene number": scene(sceneIdx=-1),
    "a long name": scene(name="Two\nlines " + "x" * 300),
}
"""Requests that the door takes, with or without a warning, although samples of the vendor look different."""


def test_the_sandbox_takes_what_the_door_takes(vendor: Vendor) -> None:
    refused = {name: why for name, request in WARNED.items() if (why := vendor.refuses(request))}
    for row in supported():
        target = PROJECT if row["kind"] == "template" else vendor.targets[KINDS[row["kind"]].api]
        known = {"projectId": target, "files": [vendor.document]}
        body = {**row["body"], **{field: known[field] for field in known if field in row["body"]}}
        if why := vendor.refuses(as_named_request({**row, "body": body}, target=target)):
            refused[row["id"]] = why
    assert refused.keys() == DIFFERENCES.keys(), refused
