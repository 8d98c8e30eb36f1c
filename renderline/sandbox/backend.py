"""The state of one sandbox, and the steps that several calls share."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any

from renderline.sandbox.calls import Call
from renderline.sandbox.charges import EXPORT, GENERATION
from renderline.sandbox.clock import Clock
from renderline.sandbox.faults import FaultRules
from renderline.sandbox.generation import Generation
from renderline.sandbox.held_calls import HeldCalls
from renderline.sandbox.links import Links
from renderline.sandbox.magic import GENERATING, RENDER_TAGS, RENDERING, Spent, Tag
from renderline.sandbox.options import Options
from renderline.sandbox.outage import VendorOutage
from renderline.sandbox.projects import Project, ProjectStore
from renderline.sandbox.renders import Renders
from renderline.sandbox.responses import TOO_MANY, Refusal
from renderline.sandbox.tokens import Tokens
from renderline.sandbox.webhooks import Webhooks


class Backend:
    """The state behind the API."""

    def __init__(self, options: Options, *, set_alarm: Callable[[float], None]) -> None:
        self.options = options
        self.clock = Clock()
        self.rng = self._rng("faults")
        self.store = ProjectStore(self._rng("ids"), with_samples=options.samples)
        self.links = Links(options)
        self.tokens = Tokens(credentials=options.credentials, lifetime=options.token_seconds)
        self.webhooks = Webhooks(mode=options.webhooks, link=self._webhook_link)
        self.renders = Renders(options, rng=self._rng("renders"), on_mark=self.webhooks.on_mark, set_alarm=set_alarm)
        self.spent = Spent()
        self.faults = FaultRules(self._rng("rules"))
        self.held = HeldCalls()
        self.counts: Counter[str] = Counter()
        self.outage = VendorOutage()
        self.documents: dict[str, str] = {}
        """Uploaded documents: URI to the account that they belong to."""
        self.folders: dict[str, list[Project]] = {}
        """Dubbings: folder id to its videos, one per target language."""

    def _rng(self, use: str) -> random.Random:
        """A random generator for one use; each use has its own, so that they do not disturb each other."""
        return random.Random() if self.options.seed is None else random.Random(f"{self.options.seed}/{use}")

    def _webhook_link(self, project: Project) -> str | None:
        """The link that a webhook holds; a v3 one holds none where only get-project shows it."""
        if self.options.urls == "project" and project.api == "v3":
            return None
        return self.links.url(project, self.clock.now())

    def reset(self) -> None:
        """Drop projects, counts, fault rules, spent tags and any outage. Tokens stay valid."""
        self.held.release(forget=True)
        self.store.clear()
        self.renders.clear()
        self.webhooks.clear()
        self.spent.clear()
        self.faults.clear()
        self.counts.clear()
        self.tokens.issued = 0
        self.documents.clear()
        self.folders.clear()
        self.outage.end()

    def admit(self, account_name: str) -> None:
        """Raise Refusal (429) if the account is at its limit of concurrent renders."""
        limit = self.options.max_concurrent
        if limit is not None and self.store.account(account_name).rendering_now >= limit:
            raise Refusal(TOO_MANY, f"{limit} renders run already", headers=(("Retry-After", "1"),))

    def create(self, call: Call, *, api: str, body: bytes, fields: dict[str, Any], scene_count: int) -> Project:
        """Store a new draft with the call's tags; `fields` are the body's."""
        name = str(fields.get("name") or fields.get("projectName") or "Default Template")
        project = self.store.create(call.account, api=api, name=name, body=body, now=call.now)
        project.origin = call.route.name
        project.orientation = "portrait" if fields.get("orientation") == "portrait" else "landscape"
        project.scene_count = scene_count
        project.tags = call.tags()
        self.address(project, call, fields)
        return project

    def address(self, project: Project, call: Call, fields: dict[str, Any]) -> None:
        """Keep the webhook URL, and the host under which the caller reaches this sandbox."""
        if fields.get("webhookUrl") and project.api == "v3":
            project.webhook_url = fields["webhookUrl"]
        project.base_url = self._base_url(call)

    def twin(self, project: Project, call: Call) -> Project:
        """A new draft with the content of another project."""
        fields = {"name": project.name, "orientation": project.orientation}
        body = self.store.packing.unpack(project.packed)
        twin = self.create(call, api=project.api, body=body, fields=fields, scene_count=project.scene_count)
        twin.tags, twin.template_id = project.tags, project.template_id
        return twin

    def edited(self, project: Project, call: Call) -> Project:
        """The project that an edit changes: this one, or a new one with its content."""
        return project if self.options.edits == "same" else self.twin(project, call)

    def _base_url(self, call: Call) -> str:
        return self.options.public_url or f"http://{call.host}"

    def start(self, project: Project, call: Call, *, sort: str = EXPORT, stages: Collection[str] = RENDERING) -> None:
        """Start a render for a call, with the project's tags for these stages that are not spent."""
        tags = self.shaping(project.tags, stages)
        # What the editor made was made by no call.
        project.base_url = project.base_url or self._base_url(call)
        self.renders.start(project, now=call.now, tags=tags, call=call.route.name, sort=sort)

    def shaping(self, tags: Iterable[Tag], stages: Collection[str]) -> tuple[Tag, ...]:
        """The unspent tags that shape a render or a generation."""
        return tuple(tag for tag in tags if tag.kind in RENDER_TAGS and tag.stage in stages and self.spent.take(tag))

    def generate(self, project: Project, call: Call, *, subject: str) -> None:
        """Start the generation of a project; it costs a credit at once."""
        tags = self.shaping(project.tags, GENERATING)
        seconds = self.options.generation_seconds
        duration = self.options.render_seconds if seconds is None else seconds
        project.generation = Generation(started=call.now, duration=duration, tags=tags)
        self.pay(project, call, GENERATION, subject=subject)

    def pay(self, project: Project, call: Call, sort: str, *, subject: str) -> None:
        """Charge one credit at once, for what the vendor does beside renders."""
        project.credits += 1
        project.account.credits += 1
        self.renders.credits += 1
        key = (call.account, sort, call.route.name)
        self.renders.charges.note(key, project=project.id, subject=subject, cost=1, at=call.now)
