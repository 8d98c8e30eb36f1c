"""The steps of every call: route, count, outage, token, fault, handler, response."""

import logging
import time
from dataclasses import replace
from email.utils import formatdate

from renderline.sandbox import (
    automation,
    dubbing,
    faults,
    generators,
    speech,
    uploads,
    v2,
    v2_scenes,
    v2_simple,
    v3_account,
)
from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.control import Control
from renderline.sandbox.downloads import routes as download_routes
from renderline.sandbox.exchange import Exchange
from renderline.sandbox.fault_injection import VENDOR_APIS, FaultInjector, refused, subject_name
from renderline.sandbox.faults import Fault
from renderline.sandbox.magic import RENDER_TAGS, Tag
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import BAD_JSON, BROKEN, TOO_LARGE, Refusal, Response, failure
from renderline.sandbox.routes import Router
from renderline.sandbox.tokens import v2_account
from renderline.sandbox.v3 import V3Projects
from renderline.sandbox.v3_reading import V3Reading

log = logging.getLogger(__name__)


class Dispatch:
    """Processes complete requests."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._injector = FaultInjector(backend, answer=self._answer)
        control = Control(backend)
        called = [
            *v3_account.routes(backend),
            *V3Projects(backend).routes(),
            *V3Reading(backend).routes(),
            *speech.routes(backend),
            *automation.routes(backend),
            *uploads.routes(backend),
            *dubbing.routes(backend),
            *generators.routes(backend),
            *v2.routes(backend),
            *v2_scenes.routes(backend),
            *v2_simple.routes(backend),
            *download_routes(backend),
        ]
        control.known_calls = frozenset(route.name for route in called)
        self._router = Router([*called, *control.routes()])

    @property
    def routes(self) -> list[Route]:
        """Every call, those of the control API too."""
        return self._router.routes

    def serve(self, exchange: Exchange) -> None:
        """Answer a request, at once or later."""
        backend = self._backend
        now = backend.clock.now()
        backend.renders.advance(now)
        try:
            route, key = self._router.match(exchange.method, exchange.path)
        except Refusal as refusal:
            exchange.send(failure(refusal))
            return
        if exchange.too_large:
            exchange.send(failure(Refusal(TOO_LARGE, "the body is too large")))
            return
        raw = exchange.raw
        call = Call(route, key, query=exchange.query, headers=exchange.headers, raw=raw, now=now, form=exchange.form)
        if route.api == "control":
            exchange.send(self._answer(call))
            return
        backend.counts[route.name] += 1
        if backend.outage.on and route.api in VENDOR_APIS:
            backend.outage.apply(exchange)
            return
        try:
            self._authenticate(call)
            project, tags = self._subject(call)
            fault = self._fault(call, project, tags)
        except Refusal as refusal:
            self._injector.send(exchange, refused(call, refusal, self._backend))
            return
        if fault is None:
            self._injector.send(exchange, self._announced(self._answer(call)))
        else:
            self._injector.apply(exchange, call, fault, project)

    def _authenticate(self, call: Call) -> None:
        header = call.headers.get("Authorization")
        if call.route.api == "v3":
            call.account = self._backend.tokens.account(header, now=call.now)
        elif call.route.api == "v2":
            call.account = v2_account(header, keys=self._backend.options.v2_keys)

    def _subject(self, call: Call) -> tuple[Project | None, tuple[Tag, ...]]:
        """The project of a call, and the tags that apply to the call."""
        subject, store = call.route.subject, self._backend.store
        project: Project | None = None
        if subject == "key":
            project = store.peek(call.account, call.key)
        elif subject == "file":
            project = store.any(call.key.partition(".")[0])
        elif subject == "projectId":
            project = store.peek(call.account, call.subject_id())
        elif subject == "folder":
            project = next(iter(self._backend.folders.get(str(call.merged().get("folderId")), ())), None)
        elif subject == "ids":
            ids = call.peek().get("ids")
            project = store.peek(call.account, ids[0]) if isinstance(ids, list) and ids else None
        tags = project.tags if project is not None else ()
        # Tags in the body replace the project's: an edit that is sent again finds its one-time faults spent.
        return project, call.tags() if call.marked else tags

    def _fault(self, call: Call, project: Project | None, tags: tuple[Tag, ...]) -> Fault | None:
        """The fault of this call: from a rule, else from the first unspent tag for this stage."""
        backend = self._backend
        if backend.faults.rules:
            vendor = call.route.api in VENDOR_APIS
            name = subject_name(call, project)
            fault = backend.faults.choose(call.route.name, vendor=vendor, name=name, account=call.account)
            if fault is not None:
                return fault
        if not tags:
            return None
        stages = call.stages()
        for tag in tags:
            if tag.kind not in RENDER_TAGS and tag.stage in stages and backend.spent.take(tag):
                return faults.from_tag(tag)
        return None

    def _announced(self, answer: Response) -> Response:
        """The answer, with the headers that the options add."""
        options, added = self._backend.options, []
        if options.announced_limit is not None:
            added.append(("X-RateLimit-Limit", str(options.announced_limit)))
        if options.clock_skew is not None:
            added.append(("Date", formatdate(time.time() + options.clock_skew, usegmt=True)))
        return replace(answer, headers=(*answer.headers, *added)) if added else answer

    def _answer(self, call: Call) -> Response:
        try:
            return call.route.handler(call)
        except Refusal as refusal:
            return refused(call, refusal, self._backend)
        except RecursionError:
            return refused(call, Refusal(BAD_JSON, "the body is nested too deep"), self._backend)
        except Exception:
            log.exception("the sandbox failed at %s", call.route.name)
            return failure(Refusal(BROKEN, "the sandbox failed"))
