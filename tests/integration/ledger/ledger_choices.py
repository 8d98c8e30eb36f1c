"""What the property test draws from: few renders, the times that matter, and mostly what mostly happens."""

from __future__ import annotations

from hypothesis import strategies as st

GRACE, LEASE, SETTLE, DEADLINE = 30.0, 20.0, 10.0, 600.0
ACCOUNTS = {"r1": "main", "r2": "main", "r3": "main", "r4": "other", "r5": "main", "r6": "other"}
TENANTS = {"r1": "default", "r2": "acme", "r3": "default", "r4": "default", "r5": "default", "r6": "default"}
HOOKS = {"r1": 2, "r2": 1, "r3": 0, "r4": 1, "r5": 1, "r6": 1}
PLANS = {"r5": ("generate", "baseline", "export"), "r6": ("create",)}
"""The stages of renders without a draft of their own: with several paid ones, and with a file as the answer."""
FINAL_WITHIN = 40 * GRACE + 2 * DEADLINE
"""Seconds within which everything ends once workers, vendor and receivers work again, though every message is lost."""
LOOKED_AT_WITHIN = 4 * GRACE
"""Seconds within which a render at the vendor is then polled and ended: no deadline is waited for."""

ON_THE_WAY: dict[str, dict[str, str]] = {
    "rendering": {},
    "completed": {},
    "unconfirmed": {"exporting": "unseen", "generating": "unseen", "creating": "unseen"},
    "failed": {"exporting": "refused", "creating": "refused"},
    "a lost draft": {"drafting": "unseen"},
    "put off between stages": {"reading": "not made"},
    "taken over": {"exporting": "stops", "generating": "stops", "creating": "stops"},
}
"""Where a submission may lead, and what happens to its vendor calls on the way."""

renders = st.sampled_from(["r1", "r1", "r1", "r1", "r1", "r2", "r3", "r4", "r5", "r5", "r5", "r6"])
accounts = st.sampled_from(["main", "main", "other"])
picks = st.integers(0, 30)
late = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])
"""How many newer ones there are: mostly the newest comes, or nearly the newest."""
times = st.sampled_from([0.1, 1.0, 2.0, 6.0, SETTLE, LEASE + 0.1, GRACE + 1, 5 * GRACE, DEADLINE])
fates = st.sampled_from(["well", "well", "well", "unseen", "refused", "not made"])
statuses = st.sampled_from(["wait", "error", "done", "next", "started", "untouched", "resubmit", "failed", "expired"])
wishes = st.sampled_from(["cancel", "hold", "release", "adopt", "adopt", "discard", "replay", "replay", "replay"])
outcomes = st.sampled_from(["delivered", "delivered", "retrying", "dead", "skipped"])
