"""What explains renders, the same in every process that shows them."""

from __future__ import annotations

from config.settings import Settings
from renderline.explanation import Explainer
from renderline.ledger import Ledger
from renderline.retry import HookRetryPolicy


def hook_retries(settings: Settings) -> HookRetryPolicy:
    """Return when a failed hook is retried and given up."""
    return HookRetryPolicy(settings.hook_retry_for, settings.hook_attempts, settings.hook_waits)


def explainer(ledger: Ledger, settings: Settings) -> Explainer:
    """Return what explains renders, and says when their hooks are given up."""
    return Explainer(ledger, hook_retries(settings))
