"""The state of one sandbox, and the steps that several calls share."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from renderline.sandbox.calls import Call
from renderline.sandbox.clock import Clock
from renderline.sandbox.faults import FaultRules
from renderline.sandbox.held_calls import HeldCalls
from renderline.sandbox.magic import RENDER_TAGS, Spent
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
        self.store = ProjectStore(self._rng("ids"))
        self.tokens = Tokens(credentials=options.credentials, lifetime=options.token_seconds)
        self.webhooks = Webhooks(mode=options.webhooks, now=self.clock.now)
        self.renders = Renders(options, rng=self._rng("renders"), on_mark=self.webhooks.on_mark, set_alarm=set_alarm)
        self.spent = Spent()
        self.faults = FaultRules(self._rng("rules"))
        self.held = HeldCalls()
        self.counts: Counter[str] = Counter()
        self.outage = VendorOutage()

    def _rng(self, use: str) -> random.Random:
        """A random generator for one use; each use has its own, so that they do not disturb each other."""
        return random.Random() if self.options.seed is None else random.Random(f"{self.options.seed}/{use}")

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
        self.outage.end()

    def admit(self, account_name: str) -> None:
        """Raise Refusal (429) if the account is at its limit of concurrent renders."""
        limit = self.options.max_concurrent
        if limit is not None and self.store.account(account_name).rendering_now >= limit:
            raise Refusal(TOO_MANY, f"{limit} renders run already", headers=(("Retry-After", "1"),))

    def create(self, call: Call, *, api: str, body: bytes, fields: dict[str, Any], scene_count: int) -> Project:
        """Store a new draft with the call's tags; `fields` are the body's."""
        name = fields.get("name") or fields.get("projectName") or "Default Template"
        project = self.store.create(call.account, api=api, name=name, body=body, now=call.now)
        project.orientation = fields.get("orientation") or "landscape"
        project.scene_count = scene_count
        project.tags = call.tags()
        self.address(project, call, fields)
        return project

    def address(self, project: Project, call: Call, fields: dict[str, Any]) -> None:
        """Keep the webhook URL, and the host under which the caller reaches this sandbox."""
        if fields.get("webhookUrl") and project.api == "v3":
            project.webhook_url = fields["webhookUrl"]
        project.base_url = self.options.public_url or f"http://{call.host}"

    def start(self, project: Project, *, now: float) -> None:
        """Start a render with the project's tags that are not spent."""
        tags = tuple(tag for tag in project.tags if tag.kind in RENDER_TAGS and self.spent.take(tag))
        self.renders.start(project, now=now, tags=tags)
