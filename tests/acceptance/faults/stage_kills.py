"""A worker killed in every vendor call of every plan: the requests, the calls of their stages, what may come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from harness import USER_KEY, SandboxProcess
from harness.documents import document
from harness.fixed_token import FixedToken
from harness.samples import a_request, example
from renderline.kinds import KINDS
from renderline.studio import StudioV2, StudioV3, TokenEndpoint
from renderline.uploads import Reference

V3, V2 = "/api/odin/v3", "/api/odin"
SPEECH = {"language": "en", "text": "Hello.", "model": "M000045058"}
LOOK = {"clothes": "BG00002320"}

Point = Literal["lost", "late", "done"]
POINTS: tuple[Point, ...] = ("lost", "late", "done")
"""The call never arrives; it is carried out after the worker has died; it was carried out, and its answer is lost."""


@dataclass(frozen=True)
class Step:
    """The vendor call of one stage. `traceless`: nothing shows whether it was made, so nobody may make it again."""

    call: str
    paid: bool = False
    traceless: bool = False


@dataclass(frozen=True)
class Flow:
    """How a kind is rendered: its request, given the id of a project that was there before, and its steps."""

    request: Callable[[str], dict[str, Any]]
    steps: tuple[Step, ...]
    direct: tuple[Step, ...] = ()
    base: bool = False
    """Whether it needs a project that was there before."""


CREATE = f"POST {V3}/editor/project"
READ = f"GET {V3}/editor/project/{{key}}"
EXPORT = Step(f"POST {V3}/editor/project/export", paid=True)
EXPORT_OF_ANOTHER = Step(EXPORT.call, paid=True, traceless=True)
"""The export of a project that is not ours to delete: one that was lost looks like one that comes late."""
GENERATION = Step(f"GET {V3}/automation/progress")


def _generated(call: str) -> tuple[Step, ...]:
    return (Step(f"POST {V3}/automation/{call}", paid=True, traceless=True), GENERATION, Step(READ), EXPORT_OF_ANOTHER)


UPLOADS: dict[str, bytes] = {"deck.pptx": document("pptx"), "notes.txt": b"What the video is about."}
"""The files that requests name, by their names. They are in the storage before the requests are sent."""


def _uploaded(name: str) -> str:
    return str(Reference(hashlib.sha256(UPLOADS[name]).hexdigest(), name))


FLOWS: dict[str, Flow] = {
    "slides": Flow(
        lambda _: {"kind": "slides", "file": _uploaded("deck.pptx")},
        (Step(f"POST {V3}/editor/project/pptpdf"), EXPORT),
    ),
    "project": Flow(
        lambda _: a_request(name="Kill"), (Step(CREATE), EXPORT), direct=(Step(CREATE, paid=True, traceless=True),)
    ),
    "from_project": Flow(
        lambda base: {"kind": "from_project", "project_id": base, "replace": [{"scene": 0, "script": "Changed."}]},
        (Step(READ), Step(CREATE), EXPORT),
        direct=(Step(READ), Step(CREATE, paid=True, traceless=True)),
        base=True,
    ),
    "edit": Flow(
        lambda base: {
            "kind": "edit",
            "project_id": base,
            "updates": {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Changed."}}]},
        },
        (Step(f"POST {V3}/editor/project/{{key}}"), Step(READ), EXPORT_OF_ANOTHER),
        direct=(Step(READ), Step(f"POST {V3}/editor/project/{{key}}", paid=True, traceless=True)),
        base=True,
    ),
    "export": Flow(lambda base: {"kind": "export", "project_id": base}, (Step(READ), EXPORT_OF_ANOTHER), base=True),
    "template": Flow(
        lambda _: {"kind": "template", "template_id": "65fa6b07dca2e367461a2925"},
        (Step(f"POST {V3}/editor/template/{{templateId}}"), EXPORT),
    ),
    "simple_video": Flow(
        lambda _: {"kind": "simple_video", **SPEECH, **LOOK},
        (Step(f"POST {V3}/simple/video"), EXPORT),
        direct=(Step(f"POST {V3}/simple/video", paid=True, traceless=True),),
    ),
    "simple_custom": Flow(
        lambda _: {"kind": "simple_custom", **SPEECH},
        (Step(f"POST {V3}/simple/custom"), EXPORT),
        direct=(Step(f"POST {V3}/simple/custom", paid=True, traceless=True),),
    ),
    "audio": Flow(lambda _: {"kind": "audio", **SPEECH}, (Step(f"POST {V3}/simple/audio", paid=True, traceless=True),)),
    "topic_video": Flow(lambda _: {"kind": "topic_video", "topic": "Kills"}, _generated("topic_to_video")),
    "document_video": Flow(
        lambda _: {"kind": "document_video", "files": [_uploaded("notes.txt"), _uploaded("deck.pptx")]},
        (Step(f"POST {V3}/automation/docs-to-video/upload-files"), *_generated("docs-to-video")),
    ),
    "url_video": Flow(
        lambda _: {"kind": "url_video", "url": "https://pages.example.com/kills"}, _generated("url_to_video")
    ),
    "script_video": Flow(lambda _: {"kind": "script_video", "scripts": "Kills."}, _generated("scripts_to_video")),
    "dubbing": Flow(
        lambda _: {"kind": "dubbing", "url": "https://videos.example.com/kills", "targets": ["ko-KR"]},
        (
            Step(f"POST {V3}/automation/translatevideos", paid=True, traceless=True),
            Step(f"GET {V3}/automation/translatevideos"),
        ),
    ),
    "v2_project": Flow(
        lambda _: {"kind": "v2_project", "payload": example("v2-seed-minimal.json")},
        (Step(f"POST {V2}/editor/project", paid=True, traceless=True),),
    ),
    "v2_simple_video": Flow(
        lambda _: {"kind": "v2_simple_video", **SPEECH, **LOOK},
        (Step(f"POST {V2}/simple/video", paid=True, traceless=True),),
    ),
    # Slow, so that a poll sees it under way: v2 shows nothing else of a render that replaces an earlier one.
    "v2_edit": Flow(
        lambda base: {
            "kind": "v2_edit",
            "project_id": base,
            "updates": [{"sceneIdx": 0, "property": "AIModel", "values": {"script": "Changed. [sandbox:slow=4]"}}],
        },
        (
            Step(f"GET {V2}/editor/project/{{key}}"),
            Step(f"POST {V2}/editor/project/{{key}}", paid=True, traceless=True),
        ),
        base=True,
    ),
    "v2_simple_audio": Flow(
        lambda _: {"kind": "v2_simple_audio", **SPEECH, **LOOK},
        (Step(f"POST {V2}/simple/audio", paid=True, traceless=True),),
    ),
}


@dataclass(frozen=True)
class Kill:
    """One render, in an account of its own, whose worker is killed in one call of its plan."""

    kind: str
    at: int
    point: Point
    mode: str

    @property
    def flow(self) -> Flow:
        """How its kind is rendered."""
        return FLOWS[self.kind]

    @property
    def step(self) -> Step:
        """The step whose call is held while the worker dies."""
        return self.steps[self.at]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of its plan."""
        return self.flow.direct if self.mode == "direct" else self.flow.steps

    @property
    def account(self) -> str:
        """The name of its account."""
        return f"{self.kind.replace('_', '-')}-{self.at}-{self.point}"

    @property
    def fault(self) -> str:
        """How the sandbox holds the call."""
        return "hold" if self.point == "done" else "hold-before"

    def rule(self) -> dict[str, Any]:
        """The sandbox's rule that holds the first such call of this account."""
        return {"call": self.step.call, "fault": self.fault, "times": 1, "account": self.vendor_account}

    @property
    def v2_key(self) -> str:
        """The v2 key of its account."""
        return f"key-{self.account}"

    @property
    def vendor_account(self) -> str:
        """The account as the sandbox calls it, in the API of its kind."""
        if KINDS[self.kind].api == "v2":
            return "v2:" + hashlib.sha256(self.v2_key.encode()).hexdigest()[:8]
        return f"studioV3.{self.account}"

    def as_toml(self, url: str) -> str:
        """Its account in the file of accounts."""
        fields = {
            "name": self.account,
            "app_id": f"studioV3.{self.account}",
            "user_key": USER_KEY,
            "v2_secret_key": self.v2_key,
            "base_url": url,
            "v2_base_url": url,
        }
        return "[[account]]\n" + "".join(f'{name} = "{value}"\n' for name, value in fields.items())

    def base(self, url: str) -> str:
        """Make the project that was there before, if its kind needs one; return its id."""
        if not self.flow.base:
            return ""
        if KINDS[self.kind].api == "v2":
            return StudioV2(url, secret_key=self.v2_key).create_project(example("v2-seed-minimal.json"))
        issuer = TokenEndpoint(url, app_id=f"studioV3.{self.account}", user_key=USER_KEY)
        body = {**example("v3-create-project-1.6.json"), "name": "Base", "webhookUrl": None}
        return StudioV3(url, tokens=FixedToken(issuer.issue())).create_project(body, export=False)


def kills(mode: str) -> Iterator[Kill]:
    """Every kill of this mode. A read that is lost or late is one and the same."""
    for kind, flow in FLOWS.items():
        steps = flow.direct if mode == "direct" else flow.steps
        for at, step in enumerate(steps):
            for point in POINTS if step.call.startswith("POST") else ("done",):
                yield Kill(kind, at, point, mode)


def hold(sandbox: SandboxProcess, found: list[Kill]) -> None:
    """Have the sandbox hold the calls in which the worker is to die."""
    for kill in found:
        sandbox.control("POST", "faults", **kill.rule())
