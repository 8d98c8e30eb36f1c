"""The metrics that the gateway reads from the ledger: they are about all processes together."""

from __future__ import annotations

from renderline.metrics.metric import Metric

RENDERS = Metric("renderline_renders", "gauge", "Renders in the ledger.", ("state", "kind", "account"))
OLDEST_RENDER = Metric(
    "renderline_oldest_render_seconds",
    "gauge",
    "How long the render has been in this state that has been in it longest.",
    ("state",),
)
QUEUE_MESSAGES = Metric(
    "renderline_queue_messages", "gauge", "Messages that wait in a queue of the broker.", ("queue",)
)
QUEUE_OLDEST = Metric(
    "renderline_queue_oldest_seconds",
    "gauge",
    "How long the oldest message has waited. submit and hooks: since it was sent. poll: how long the most "
    "overdue poll has been due. Messages of other queues carry no time.",
    ("queue",),
)
QUEUE_STALLED = Metric(
    "renderline_queue_stalled_seconds",
    "gauge",
    "How long this gateway has seen messages in the queue and has not seen it get shorter; 0 when it is empty.",
    ("queue",),
)
SUBMISSION_WAITING = Metric(
    "renderline_submission_waiting_seconds",
    "gauge",
    "How long the submission has waited since it was accepted or sent that has waited longest for a worker. Those "
    "that wait for their account (paused, refused, backoff, open circuit, full slots, a rate limit) do not count.",
    ("account",),
)
CREDITS_LAST_HOUR = Metric(
    "renderline_credits_last_hour",
    "gauge",
    "What the renders that were completed in the last 60 minutes have cost, as far as the vendor has said.",
)
DEAD_LETTERS = Metric(
    "renderline_dead_letters", "gauge", "Hooks that were given up and neither replayed nor discarded."
)
REVOKED_STARTED = Metric(
    "renderline_revoked_webhooks", "gauge", "Webhooks of drafts that were revoked: each may be a render paid twice."
)
QUARANTINED = Metric("renderline_quarantine_entries", "gauge", "Messages and records in quarantine.")
QUARANTINED_TOTAL = Metric(
    "renderline_quarantined_total", "counter", "Messages that could not be read.", ("queue", "reason")
)
NOT_KEPT_WHOLE = Metric(
    "renderline_quarantine_not_kept_total", "counter", "Requests for which the quarantine had no room."
)
SLOTS_TAKEN = Metric("renderline_account_slots_taken", "gauge", "Renders at the vendor, or on their way.", ("account",))
SLOTS_LIMIT = Metric(
    "renderline_account_slots_limit",
    "gauge",
    "How many may be at the vendor at once; absent without a limit.",
    ("account",),
)
CIRCUIT_OPEN = Metric(
    "renderline_account_circuit_open",
    "gauge",
    "1 while the vendor does not answer and calls are held back.",
    ("account",),
)
BACKOFF = Metric(
    "renderline_account_backoff_seconds", "gauge", "For how long the vendor asked not to be called.", ("account",)
)
PAUSED = Metric("renderline_account_paused", "gauge", "1 while an operator has paused the account.", ("account",))
HELD = Metric(
    "renderline_account_held", "gauge", "1 while the vendor refuses to render, for lack of credit.", ("account",)
)
TOKEN_AGE = Metric(
    "renderline_account_token_age_seconds",
    "gauge",
    "How long ago the vendor issued the account's token; absent for accounts without one.",
    ("account",),
)
TOKEN_EXPIRES = Metric(
    "renderline_account_token_expires_seconds",
    "gauge",
    "Seconds until that token expires; below 0 since it has. A token is renewed when somebody needs it.",
    ("account",),
)
POLL_OVERDUE = Metric(
    "renderline_account_poll_overdue_seconds", "gauge", "How long the most overdue poll has been due.", ("account",)
)
WORKER_SEEN = Metric(
    "renderline_worker_seen_seconds",
    "gauge",
    "How long ago a worker last said that it is alive; workers do every 15 s. Absent if none has within ten minutes.",
)
ACCOUNT_WORKER_SEEN = Metric(
    "renderline_account_worker_seen_seconds",
    "gauge",
    "The same of the workers that have the account's credentials.",
    ("account",),
)
SWEEP_AGE = Metric(
    "renderline_sweep_age_seconds", "gauge", "How long ago a sweep last went through; absent before the first."
)
LEDGER_UP = Metric("renderline_ledger_up", "gauge", "1 if the ledger could be read for this answer, else 0.")
LEDGER_READ = Metric("renderline_ledger_read_duration_seconds", "gauge", "How long that took.")

METRICS = tuple(one for one in list(globals().values()) if isinstance(one, Metric))
