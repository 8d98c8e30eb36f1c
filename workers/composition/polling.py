"""Polling the vendor for renders."""

from __future__ import annotations

from config.settings import Settings
from renderline.polling.confirmation import Confirmation
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.polling.project_list import ProjectList
from workers.composition.shared import Shared
from workers.composition.webhooks import fallback_interval

_STAY = 3.0
"""Seconds for which a poll message goes on polling before it returns to the queue."""
_GATHER = 0.05
"""Share of the minimum interval for which a batch waits for more renders: a small delay, and fewer batches."""


def poll_policy(settings: Settings) -> PollPolicy:
    """Return the policy that decides when a render is polled next."""
    return PollPolicy(
        first_interval=settings.poll_min * 3,
        min_interval=settings.poll_min,
        max_interval=settings.poll_max,
        fallback_interval=fallback_interval(settings),
    )


def poller(shared: Shared) -> Poller:
    """Return the poller of renders."""
    settings, policy = shared.settings, shared.poll_policy
    return Poller(
        ledger=shared.ledger,
        dispatcher=shared.dispatcher,
        durations=shared.durations,
        accounts=shared.accounts,
        policy=policy,
        lease=settings.lease,
        stay=_STAY,
        gather=settings.poll_min * _GATHER,
        project_list=ProjectList(policy) if settings.poll_strategy == "list" else None,
        confirmation=Confirmation(
            shared.ledger,
            policy,
            window=settings.evidence_window,
            lease=settings.lease,
            resubmit_after=settings.resubmit_unconfirmed,
        ),
        capabilities=shared.capabilities,
    )
