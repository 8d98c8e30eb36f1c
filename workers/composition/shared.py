"""The parts that several use cases of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis

from config.settings import Settings
from renderline.accounts.clients import AccountClients
from renderline.capabilities import WorkerCapabilities
from renderline.dispatcher import Dispatcher
from renderline.ledger import AccountLimits, Ledger, ServerClock
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The settings of a process, and the parts that several of its use cases need."""

    settings: Settings
    redis: Redis
    ledger: Ledger
    limits: AccountLimits
    clock: ServerClock
    dispatcher: Dispatcher
    accounts: Mapping[str, AccountClients]
    capabilities: WorkerCapabilities
    durations: Durations
    poll_policy: PollPolicy
