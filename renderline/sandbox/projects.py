"""Projects and the accounts they belong to: what is stored, found, listed and deleted."""

import copy
import random
from collections.abc import Iterable
from typing import Any

from renderline.sandbox.compression import BodyCompressor
from renderline.sandbox.generation import Generation
from renderline.sandbox.magic import Tag
from renderline.sandbox.render import Render
from renderline.sandbox.responses import NO_SUCH_PROJECT, NOT_POSSIBLE, Refusal, dumps
from renderline.sandbox.samples import MADE_AT, samples, v2_samples

DRAFT = "draft"
EXPORTING = "exporting"
EXPORTED = "exported"
GENERATING = "generating"
FAILED = "failed"

EDITOR = frozenset({"v3", "v2"})
"""The APIs whose projects the editor calls see; dubbed videos, speech and generated media are files only."""

VIDEO_SECONDS = 3.0

V2_ACCOUNT = "v2:"
"""How the name of an account of v2 begins."""


class Account:
    """One customer of the vendor: sees only its own projects."""

    __slots__ = ("credits", "memory", "name", "projects", "rendering_now", "rendering_peak", "samples", "version")

    def __init__(self, name: str, *, memory: float = 0.0) -> None:
        self.name = name
        self.memory = memory
        """For how many seconds earlier versions of projects are kept."""
        self.projects: dict[str, Project] = {}
        self.samples: dict[str, Project] = {}
        """Its copies of what the editor made."""
        self.rendering_now = 0
        self.rendering_peak = 0
        self.credits = 0
        self.version = 0
        """Grows whenever the project list changes."""


class Project:
    """One project with the state of its latest render; small, because there may be 100,000."""

    __slots__ = (
        "account",
        "api",
        "base_url",
        "completed_at",
        "created_at",
        "credit_subtracted",
        "credits",
        "deleted",
        "duration",
        "error",
        "exported_at",
        "exports",
        "generation",
        "id",
        "language",
        "name",
        "orientation",
        "origin",
        "packed",
        "past",
        "progress",
        "render",
        "scene_count",
        "state",
        "suffix",
        "tags",
        "template_id",
        "updated_at",
        "url_at",
        "webhook_url",
    )

    def __init__(self, project_id: str, account: Account, *, api: str, name: str, now: float) -> None:
        self.id = project_id
        self.account = account
        self.api = api
        self.name = name
        self.orientation = "landscape"
        self.state = DRAFT
        self.origin = ""
        """The call that made it."""
        self.suffix = "mp4"
        self.duration = VIDEO_SECONDS
        self.language: str | None = None
        """The target language of a dubbing."""
        self.generation: Generation | None = None
        self.progress = 0.0
        self.render: Render | None = None
        self.error: tuple[int, str] | None = None
        self.exports = 0
        self.credits = 0
        self.credit_subtracted = False
        self.scene_count = 1
        self.tags: tuple[Tag, ...] = ()
        self.template_id: str | None = None
        self.webhook_url: str | None = None
        self.base_url = ""
        self.packed = b""
        self.created_at = now
        self.updated_at = now
        self.exported_at: float | None = None
        self.completed_at: float | None = None
        self.url_at = 0.0
        self.deleted = False
        self.past: tuple[tuple[float, Project], ...] = ()

    def changing(self, now: float) -> None:
        """Keep the present version, for stale reads."""
        if self.account.memory:
            before = copy.copy(self)
            before.past = ()
            recent = (entry for entry in self.past if entry[0] > now - self.account.memory)
            self.past = (*recent, (now, before))

    def as_of(self, then: float) -> "Project | None":
        """The version at a recent time, None if the project did not exist then."""
        if then < self.created_at:
            return None
        found = next((before for until, before in self.past if until > then), self)
        return None if found.deleted else found

    def progress_at(self, now: float) -> float:
        """Progress from 0 to 100 with two decimals; 100 only once the render is complete."""
        return self.progress if self.render is None else self.render.progress_at(now)

    def download_url(self, now: float) -> str | None:
        """The URL of the finished video; `""` while the URL is late, None before completion."""
        if self.state != EXPORTED:
            return None
        return f"{self.base_url}/files/{self.id}.{self.suffix}" if now >= self.url_at else ""

    def state_at(self, now: float) -> str:
        """Its state; while it is generated the words of a render mean nothing yet."""
        generation = self.generation
        if generation is None or generation.finished(now) or self.exports:
            return self.state
        return FAILED if generation.over(now) else GENERATING

    def require_generated(self, now: float) -> None:
        """Raise Refusal (409) for a project whose generation has not finished."""
        if self.generation is not None and not self.generation.finished(now):
            raise Refusal(NOT_POSSIBLE, "the generation of the project has not finished")

    @property
    def cost(self) -> int:
        """Credits for one render: one per scene, at least one (a price that the sandbox invents)."""
        return max(1, self.scene_count)


class ProjectStore:
    """Every project of one sandbox, by id and by account."""

    def __init__(self, rng: random.Random, *, with_samples: bool = False) -> None:
        self._rng = rng
        self._with_samples = with_samples
        self._machine = rng.getrandbits(40)
        self._counter = rng.getrandbits(24)
        self.clear()

    def clear(self) -> None:
        """Forget every project and account."""
        self.packing = BodyCompressor()
        self._memory = 0.0
        self.accounts: dict[str, Account] = {}
        self._by_id: dict[str, Project] = {}
        self._samples: dict[str, Project] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> Iterable[Project]:
        """Every project ever created, deleted ones too, oldest first."""
        return self._by_id.values()

    def account(self, name: str) -> Account:
        """The account of this name, made on first use."""
        account = self.accounts.get(name)
        if account is None:
            account = self.accounts[name] = Account(name, memory=self._memory)
            if self._with_samples:
                self._add_samples(account)
        return account

    def _add_samples(self, account: Account) -> None:
        api, made = ("v2", v2_samples()) if account.name.startswith(V2_ACCOUNT) else ("v3", samples())
        for project_id, (name, exported, content) in made.items():
            project = Project(project_id, account, api=api, name=name, now=MADE_AT)
            project.packed = self.packing.plain(dumps(content))
            project.orientation = content.get("orientation", "landscape")
            project.scene_count = len(content["scenes"])
            if exported:
                project.state, project.progress = EXPORTED, 100.0
                project.completed_at = project.exported_at = MADE_AT
                project.credit_subtracted = True
            account.projects[project_id] = account.samples[project_id] = project
            self._samples.setdefault(project_id, project)

    def changed_samples(self) -> list[Project]:
        """The accounts' copies of what the editor made that a call has changed, rendered or deleted."""
        every = (project for account in self.accounts.values() for project in account.samples.values())
        return [project for project in every if project.deleted or project.updated_at > MADE_AT]

    def _find(self, account_name: str, project_id: Any) -> Project | None:
        """The account's project with this id, also when deleted."""
        if not isinstance(project_id, str):
            return None
        project = self._by_id.get(project_id)
        if project is None and self._with_samples:
            project = self.account(account_name).samples.get(project_id)
        return project if project is not None and project.account.name == account_name else None

    def remember(self, seconds: float) -> None:
        """Keep earlier versions of projects for at least so many seconds from now on."""
        self._memory = max(self._memory, seconds)
        for account in self.accounts.values():
            account.memory = self._memory

    def create(self, account_name: str, *, api: str, name: str, body: bytes, now: float) -> Project:
        """A new draft with an id of 24 lowercase hex characters."""
        account = self.account(account_name)
        self._counter = (self._counter + 1) & 0xFFFFFF
        project_id = f"{int(now) & 0xFFFFFFFF:08x}{self._machine:010x}{self._counter:06x}"
        project = Project(project_id, account, api=api, name=name, now=now)
        project.packed = self.packing.pack(body)
        self._by_id[project_id] = account.projects[project_id] = project
        account.version += 1
        return project

    def any(self, project_id: str) -> Project | None:
        """The project with this id, of any owner, also when deleted."""
        return self._by_id.get(project_id) or self._samples.get(project_id)

    def peek(self, account_name: str, project_id: Any) -> Project | None:
        """The account's project with this id, or None."""
        project = self._find(account_name, project_id)
        return None if project is None or project.deleted or project.api not in EDITOR else project

    def get(self, account_name: str, project_id: Any) -> Project:
        """The account's project with this id; raises Refusal (404) if it has none."""
        project = self.peek(account_name, project_id)
        if project is None:
            raise Refusal(NO_SUCH_PROJECT, "there is no such project")
        return project

    def read(self, account_name: str, project_id: Any, *, at: float) -> Project:
        """The account's project as it was at a recent time; raises Refusal (404) if it did not exist then."""
        project = self._find(account_name, project_id)
        found = None if project is None or project.api not in EDITOR else project.as_of(at)
        if found is None:
            raise Refusal(NO_SUCH_PROJECT, "there is no such project")
        return found

    def listed(self, account_name: str, *, at: float) -> list[Project]:
        """The account's projects as they were at a recent time, oldest first."""
        made = (project for project in self.all() if project.account.name == account_name)
        known = (*self.account(account_name).samples.values(), *made)
        views = (project.as_of(at) for project in known)
        return [view for view in views if view is not None]

    def delete(self, account_name: str, ids: Iterable[Any], *, now: float, readable: bool = False) -> int:
        """Delete the account's projects with these ids, ignoring unknown ones; returns how many there were.

        A render that runs goes on and is charged: the vendor names no way to stop one. `readable` ones leave the list
        alone.
        """
        count = 0
        for project_id in ids:
            project = self.peek(account_name, project_id)
            if project is not None:
                project.changing(now)
                if not readable:
                    project.deleted = True
                    project.packed = b""
                project.account.projects.pop(project.id, None)
                project.account.version += 1
                count += 1
        return count
