"""What the property test draws from: few renders, the times that matter, and mostly what mostly happens."""

from __future__ import annotations

from hypothesis import strategies as st

GRACE, LEASE, SETTLE, DEADLINE = 30.0, 20.0, 10.0, 600.0
ACCOUNTS = {"r1": "main", "r2": "main", "r3": "main", "r4": "other"}
TENANTS = {"r1": "default", "r2": "acme", "r3": "default", "r4": "default"}
HOOKS = {"r1": 2, "r2": 1, "r3": 0, "r4": 1}
FINAL_WITHIN = 40 * GRACE + 2 * DEADLINE
"""Seconds within which everything ends once workers, vendor and receivers work again, though every message is lost."""
LOOKED_AT_WITHIN = 4 * GRACE
"""Seconds within which a render at the vendor is then polled and ended: no deadline is waited for."""

ON_THE_WAY: dict[str, dict[str, str]] = {
    "rendering": {},
    "completed": {},
    "unconfirmed": {"exporting": "unseen"},
    "failed": {"exporting": "refused"},
    "a lost draft": {"drafting": "unseen"},
}
"""Where a submission may lead, and what happens to its vendor calls on the way."""

renders = st.sampled_from(["r1", "r1", "r1", "r1", "r1", "r2", "r3", "r4"])
accounts = st.sampled_from(["main", "main", "other"])
picks = st.integers(0, 30)
late = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])
"""How many newer ones there are: mostly the newest comes, or nearly the newest."""
times = st.sampled_from([0.1, 1.0, 2.0, 6.0, SETTLE, LEASE + 0.1, GRACE + 1, 5 * GRACE, DEADLINE])
fates = st.sampled_from(["well", "well", "well", "unseen", "refused", "not made"])
statuses = st.sampled_from(["wait", "error", "done", "started", "untouched", "resubmit", "failed", "expired"])
wishes = st.sampled_from(["cancel", "adopt", "adopt", "discard", "replay", "replay", "replay"])
outcomes = st.sampled_from(["delivered", "delivered", "retrying", "dead", "skipped"])
