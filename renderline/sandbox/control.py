"""The control API below /_sandbox: figures, fault rules, held calls, outages. It needs no token."""

from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.faults import STALE_READS
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import BAD_BODY, NO_SUCH_PROJECT, NOT_POSSIBLE, Refusal, Response, plain

BASE = "/_sandbox"


class Control:
    """Handlers of the control calls; `known_calls` are the names that a fault rule may use."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.known_calls: frozenset[str] = frozenset()

    def routes(self) -> list[Route]:
        """The calls and their handlers."""
        table = [
            ("GET", "counts", self.counts),
            ("GET", "projects", self.projects),
            ("GET", "stats", self.stats),
            ("GET", "charges", self.charges),
            ("GET", "held", self.held),
            ("GET", "faults", self.list_faults),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self.drop_faults),
            ("POST", "reset", self.reset),
            ("POST", "revoke-tokens", self.revoke_tokens),
            ("POST", "release", self.release),
            ("POST", "complete", self.complete),
            ("POST", "outage", self.outage),
        ]
        return [Route(method, f"{BASE}/{path}", handler, "control") for method, path, handler in table]

    def counts(self, _: Call) -> Response:
        """Calls so far by route, including those with a fault."""
        return plain(dict(sorted(self._backend.counts.items())))

    def projects(self, call: Call) -> Response:
        """Every project created, oldest first; `?name=`, `?id=`, `?state=` narrow the list."""
        wish = call.merged()
        store = self._backend.store
        known = (*store.changed_samples(), *store.all())
        return plain([self._shown(project, call.now) for project in known if _fits(project, wish)])

    @staticmethod
    def _shown(project: Project, now: float) -> dict[str, Any]:
        return {
            "id": project.id,
            "name": project.name,
            "api": project.api,
            "account": project.account.name,
            "origin": project.origin,
            "state": project.state_at(now),
            "progress": project.progress_at(now),
            "generation": _generation(project, now),
            "language": project.language,
            "draft": project.exports == 0,
            "exports": project.exports,
            "credits": project.credits,
            "webhook_url": project.webhook_url,
            "created_at": project.created_at,
            "exported_at": project.exported_at,
            "completed_at": project.completed_at,
            "deleted": project.deleted,
        }

    def stats(self, _: Call) -> Response:
        """Figures over all accounts and for each."""
        backend, renders = self._backend, self._backend.renders
        accounts = {
            name: {
                "projects": len(account.projects) - sum(name in account.projects for name in account.samples),
                "rendering_now": account.rendering_now,
                "rendering_peak": account.rendering_peak,
                "credits": account.credits,
            }
            for name, account in backend.store.accounts.items()
        }
        return plain(
            {
                "projects": len(backend.store),
                "exports": renders.exports,
                "rendering_now": renders.rendering_now,
                "rendering_peak": renders.rendering_peak,
                "credits": renders.credits,
                "tokens_issued": backend.tokens.issued,
                "webhooks_sent": backend.webhooks.sent,
                "webhooks_failed": backend.webhooks.failed,
                "accounts": accounts,
            }
        )

    def charges(self, call: Call) -> Response:
        """What was started and charged: in total, per account and per call; `?account=` narrows it."""
        return plain(self._backend.renders.charges.as_json(call.merged().get("account")))

    def reset(self, _: Call) -> Response:
        """Reset everything except the tokens."""
        self._backend.reset()
        return plain({"reset": True})

    def revoke_tokens(self, _: Call) -> Response:
        """Refuse every token issued so far."""
        return plain({"revoked": self._backend.tokens.revoke_all()})

    def add_fault(self, call: Call) -> Response:
        """Add a fault rule."""
        rule = self._backend.faults.add(call.body(), known_calls=self.known_calls)
        if rule.fault.kind == STALE_READS:
            self._backend.store.remember(rule.fault.delay)
        return plain(rule.as_json())

    def list_faults(self, _: Call) -> Response:
        """The active fault rules."""
        return plain([rule.as_json() for rule in self._backend.faults.rules])

    def drop_faults(self, _: Call) -> Response:
        """Delete all fault rules; held calls stay held."""
        self._backend.faults.clear()
        return plain({"faults": 0})

    def held(self, _: Call) -> Response:
        """The held calls."""
        return plain([entry.as_json() for entry in self._backend.held.all()])

    def release(self, call: Call) -> Response:
        """Release held calls: all, or `{"id": ...}`; with `"forget": true` their connections are closed instead."""
        wish = call.peek()
        count = self._backend.held.release(only=wish.get("id"), forget=bool(wish.get("forget")))
        return plain({"released": count})

    def complete(self, call: Call) -> Response:
        """Finish the generation of a project at once, or its render."""
        project_id = call.body().get("id")
        project = self._backend.store.any(project_id) if isinstance(project_id, str) else None
        if project is None:
            raise Refusal(NO_SUCH_PROJECT, "there is no such project")
        generation = project.generation
        if generation is not None and not generation.finished(call.now):
            project.changing(call.now)
            generation.finish(call.now)
        elif not self._backend.renders.complete(project, now=call.now):
            raise Refusal(NOT_POSSIBLE, f"the project does not render: it is {project.state}")
        return plain(self._shown(project, call.now))

    def outage(self, call: Call) -> Response:
        """Start or end an outage: every vendor call gets 503, or hangs. `retry_after` adds that header."""
        body = call.body()
        if not isinstance(body.get("on"), bool):
            raise Refusal(BAD_BODY, "on: must be true or false")
        if body["on"]:
            self._backend.outage.begin(hangs=bool(body.get("hangs")), retry_after=body.get("retry_after"))
        else:
            self._backend.outage.end()
        return plain({"on": body["on"]})


def _generation(project: Project, now: float) -> dict[str, Any] | None:
    generation = project.generation
    if generation is None:
        return None
    return {"state": generation.state_at(now), "progress": generation.progress_at(now)}


def _fits(project: Project, wish: dict[str, Any]) -> bool:
    name, state, project_id = wish.get("name"), wish.get("state"), wish.get("id")
    return (
        (name is None or name in project.name)
        and (state is None or state == project.state)
        and (project_id is None or project_id == project.id)
    )
