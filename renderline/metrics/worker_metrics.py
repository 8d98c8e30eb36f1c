"""What a worker counts: calls, polls, hooks, transitions, sweeps. It learns of them as an observer of the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.registry import Collector

from renderline.metrics.families import Sample, families
from renderline.metrics.instruments import Instruments
from renderline.metrics.labels import LabelValues
from renderline.metrics.metric import CALLS, WAITS, Metric
from renderline.observer import Call, HookAttempt, Poll, Transition
from renderline.renders import State

VENDOR_CALLS = Metric(
    "renderline_vendor_calls_total",
    "counter",
    "Calls to the vendor; status is `none` without an answer.",
    ("account", "endpoint", "status"),
)
VENDOR_CALL_DURATION = Metric(
    "renderline_vendor_call_duration_seconds", "histogram", "How long calls to the vendor took.", ("account",), CALLS
)
VENDOR_ERRORS = Metric(
    "renderline_vendor_errors_total",
    "counter",
    "Calls that failed, by the vendor's code or the kind of fault.",
    ("account", "code"),
)
POLLS = Metric("renderline_polls_total", "counter", "Polls, by what they found.", ("account", "result"))
TRANSITIONS = Metric(
    "renderline_transitions_total",
    "counter",
    "Renders that entered a state by a step of this worker. Those of its accounts begin at 0, so that a rate counts "
    "the first one.",
    ("state", "account"),
)
STATE_DURATION = Metric(
    "renderline_state_duration_seconds",
    "histogram",
    "How long renders were in a state, counted when they leave it.",
    ("state",),
    WAITS,
)
NOTICE_LAG = Metric(
    "renderline_notice_lag_seconds",
    "histogram",
    "From the time at which a render was done by its last rate of progress to the poll that found it done. The vendor "
    "does not say when that was, so this is an estimate; only renders that showed progress count.",
    ("account",),
    WAITS,
)
HOOK_ATTEMPTS = Metric(
    "renderline_hook_attempts_total",
    "counter",
    "Calls of hooks by host and outcome: delivered, retrying, dead (given up).",
    ("type", "host", "outcome"),
)
HOOK_DURATION = Metric(
    "renderline_hook_attempt_duration_seconds", "histogram", "How long calls of hooks took.", ("type",), CALLS
)
HOOK_LAG = Metric(
    "renderline_hook_lag_seconds",
    "histogram",
    "From the end of a render to the first call of each of its hooks.",
    ("type",),
    WAITS,
)
RESENT = Metric(
    "renderline_sweep_resent_total",
    "counter",
    "Renders whose lost message a sweep of this worker sent again.",
    ("state",),
)
SWEEPS = Metric("renderline_sweeps_total", "counter", "Sweeps that this worker began, by how they ended.", ("result",))
CANARY_AGE = Metric(
    "renderline_canary_age_seconds",
    "gauge",
    "How long ago this worker last got a message that it had sent to itself over its consumer's connection.",
)
CONSUMER_DEAF = Metric(
    "renderline_consumer_deaf",
    "gauge",
    "1 since this worker found that its consumer's connection delivers nothing, until a message of its own comes back.",
)
CONSUMER_REPLACED = Metric(
    "renderline_consumer_replaced_total", "counter", "How often this worker replaced a consumer that had gone deaf."
)

_CANARY = (CANARY_AGE, CONSUMER_DEAF, CONSUMER_REPLACED)
METRICS = tuple(one for one in list(globals().values()) if isinstance(one, Metric))

_MOST_ACCOUNTS: Final = 100
_MOST_ENDPOINTS: Final = 100
_MOST_CODES: Final = 50
_MOST_HOSTS: Final = 50
_FEW: Final = 20


class Canary(Protocol):
    """What tells whether the consumer of a worker is deaf."""

    @property
    def age(self) -> float | None:
        """Seconds since the newest canary came back; None before the first one."""

    @property
    def deaf(self) -> bool:
        """Whether the consumer was found deaf, and no canary has come back since."""

    @property
    def replaced(self) -> int:
        """How often the consumer was replaced."""


class WorkerMetrics:
    """The metrics of one worker; an `Observer`. Every label has a limited number of values."""

    def __init__(self, *, accounts: Sequence[str] = (), registry: CollectorRegistry | None = None) -> None:
        """`accounts` are those of the worker."""
        self.registry = registry or CollectorRegistry()
        self._of = Instruments([one for one in METRICS if one not in _CANARY], self.registry)
        self._accounts, self._endpoints = LabelValues(_MOST_ACCOUNTS), LabelValues(_MOST_ENDPOINTS)
        self._codes, self._hosts = LabelValues(_MOST_CODES), LabelValues(_MOST_HOSTS)
        self._statuses, self._results, self._states = (LabelValues(_FEW * 3), LabelValues(_FEW), LabelValues(_FEW))
        self._types = LabelValues(_FEW)
        for account in accounts:
            for state in State:
                self._of.counter(TRANSITIONS, self._states.of(state), self._accounts.of(account))
            for result in ("wait", "done", "error"):
                self._of.counter(POLLS, self._accounts.of(account), self._results.of(result))

    def call(self, call: Call) -> None:
        """Count a call to the vendor."""
        account = self._accounts.of(call.account)
        status = "none" if call.status is None else self._statuses.of(call.status)
        self._of.counter(VENDOR_CALLS, account, self._endpoints.of(call.endpoint), status).inc()
        self._of.histogram(VENDOR_CALL_DURATION, account).observe(call.seconds)
        if call.code:
            self._of.counter(VENDOR_ERRORS, account, self._codes.of(call.code)).inc()

    def poll(self, poll: Poll) -> None:
        """Count a poll."""
        account = self._accounts.of(poll.account)
        self._of.counter(POLLS, account, self._results.of(poll.status)).inc()
        if poll.lag is not None:
            self._of.histogram(NOTICE_LAG, account).observe(max(0.0, poll.lag))

    def hook(self, attempt: HookAttempt) -> None:
        """Count a call of a hook. Its host is that of the endpoint: it names no tenant."""
        kind = self._types.of(attempt.type)
        host = self._hosts.of(attempt.host) if attempt.host else "none"
        self._of.counter(HOOK_ATTEMPTS, kind, host, self._results.of(attempt.outcome)).inc()
        self._of.histogram(HOOK_DURATION, kind).observe(attempt.seconds)
        if attempt.lag is not None and attempt.number == 1:
            self._of.histogram(HOOK_LAG, kind).observe(max(0.0, attempt.lag))

    def transition(self, transition: Transition) -> None:
        """Count a transition."""
        state = self._states.of(transition.state)
        self._of.counter(TRANSITIONS, state, self._accounts.of(transition.account)).inc()
        if transition.was and transition.seconds is not None:
            self._of.histogram(STATE_DURATION, self._states.of(transition.was)).observe(max(0.0, transition.seconds))

    def resent(self, state: str, count: int = 1) -> None:
        """Count renders in a state that a sweep sent again."""
        self._of.counter(RESENT, self._states.of(state)).inc(count)

    def swept(self, *, whole: bool) -> None:
        """Count a sweep of this worker; `whole`: it went through all its parts."""
        self._of.counter(SWEEPS, "whole" if whole else "failed").inc()

    def watch(self, canary: Canary) -> None:
        """Export what the canary of this worker's consumer says."""
        self.registry.register(_CanaryCollector(canary))


class _CanaryCollector(Collector):
    def __init__(self, canary: Canary) -> None:
        self._canary = canary

    def collect(self) -> Iterator[Family]:
        age = self._canary.age
        samples: list[Sample] = [(CONSUMER_DEAF, (), int(self._canary.deaf))]
        samples += [(CONSUMER_REPLACED, (), self._canary.replaced)]
        samples += [] if age is None else [(CANARY_AGE, (), age)]
        return families(_CANARY, samples)
