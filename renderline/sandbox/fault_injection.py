"""Applies a fault to one call."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from renderline.sandbox import faults
from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call
from renderline.sandbox.exchange import Exchange
from renderline.sandbox.faults import Fault
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import Refusal, Response, failure

VENDOR_APIS = frozenset({"v3", "v2", "open"})


def subject_name(call: Call, project: Project | None) -> str | None:
    """The name of the project that a call reads, changes or would create."""
    if project is not None:
        return project.name
    name = call.peek().get("name") if call.route.subject == "body" else None
    return name if isinstance(name, str) else None


def refused(call: Call, refusal: Refusal, backend: Backend) -> Response:
    """A refusal in the envelope of the call's API, as 4xx or as 200."""
    api = call.route.api
    return failure(refusal, v2=api == "v2", as_200=backend.options.failures == "200" and api in VENDOR_APIS)


class FaultInjector:
    """Sends responses, with or without a fault; `answer` processes a call."""

    def __init__(self, backend: Backend, *, answer: Callable[[Call], Response]) -> None:
        self._backend = backend
        self._answer = answer

    def send(self, exchange: Exchange, answer: Response, *, after: float = 0.0) -> None:
        """Send a response after the latency of this sandbox and `after` more seconds."""
        delay = self._backend.options.latency + after
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, exchange.send, answer)
        else:
            exchange.send(answer)

    def apply(self, exchange: Exchange, call: Call, fault: Fault, project: Project | None) -> None:
        """Answer a call with a fault."""
        backend, kind = self._backend, fault.kind
        if kind in ("hold", "hold-before"):
            self._hold(exchange, call, fault, project)
        elif kind == faults.LATE:
            asyncio.get_running_loop().call_later(fault.delay, self._carry_out, exchange, call)
        elif kind == faults.STALE_READS:
            call.lag = fault.delay
            self.send(exchange, self._answer(call))
        elif kind == "drop-before":
            exchange.cut()
        elif fault.before:
            if kind == "401" and call.route.api == "v3":
                # Revoke the token, or GET /auth would still accept it.
                backend.tokens.revoke(call.headers.get("Authorization", ""))
            wrong = faults.refusal(fault, now=call.now)
            self.send(exchange, wrong if isinstance(wrong, Response) else refused(call, wrong, backend))
        else:
            answer = self._answer(call)
            if kind == "drop" and call.route.api == "files":
                self.send(exchange, replace(answer, cut_after=len(answer.body) // 2))
            elif kind == "drop":
                exchange.cut()
            elif kind == "malformed":
                self.send(exchange, faults.garbled(answer, fault, rng=backend.rng))
            elif kind == "500-after":
                self.send(exchange, faults.broken())
            else:
                self.send(exchange, answer, after=fault.delay)

    def _carry_out(self, exchange: Exchange, call: Call) -> None:
        """Process a delayed call, and answer it if its client is still connected."""
        call.now = self._backend.clock.now()
        self._backend.renders.advance(call.now)
        exchange.send(self._answer(call))

    def _hold(self, exchange: Exchange, call: Call, fault: Fault, project: Project | None) -> None:
        """Hold a call, before or after processing, until the control API releases it."""
        backend = self._backend
        answer = None if fault.before else self._answer(call)

        def resume(forget: bool) -> None:
            if forget:
                exchange.cut()
                return
            if answer is None:
                self._carry_out(exchange, call)
                return
            backend.renders.advance(backend.clock.now())
            exchange.send(answer)

        name = subject_name(call, project)
        entry = backend.held.add(
            account=call.account,
            call=call.route.name,
            fault=fault.kind,
            project=project.id if project is not None else None,
            name=name,
            since=call.now,
            resume=resume,
        )

        def gone() -> None:
            entry.client_gone = True

        exchange.when_gone(gone)
