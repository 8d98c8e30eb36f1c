"""What the counters and indexes must hold, computed anew from the records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from renderline.ledger import Ledger, Statistics, Total
from renderline.ledger.indexed import member_of, texts_of


def check_figures(ledger: Ledger, labels: Sequence[str] = ()) -> None:
    """Assert that totals and indexes equal a recount of all renders."""
    redis, prefix = ledger.redis, ledger.prefix
    ids: Any = redis.zrange(ledger.keys.renders, 0, -1)
    counts: Counter[tuple[str, ...]] = Counter()
    lists: dict[str, set[str]] = {}
    for one, record in zip(ids, ledger.records(ids), strict=True):
        assert record
        counts[tuple(record[name] for name in ("state", "kind", "account", "tenant"))] += 1
        own = "" if record["tenant"] == "default" else f"@{record['tenant']}"
        for label, text in texts_of(record["name"], record["metadata"], labels):
            key = f"{prefix}labels:{label}{own}" if label else f"{prefix}names{own}"
            lists.setdefault(key, set()).add(member_of(text, str(one)))
    expected = sorted(Total(*names, count=count) for names, count in counts.items())  # type: ignore[call-arg]
    assert Statistics(ledger).totals() == expected
    found = {}
    for pattern in ("names*", "labels:*"):
        for key in redis.scan_iter(f"{prefix}{pattern}"):
            found[str(key)] = set(redis.zrange(key, 0, -1))
    assert found == lists
    raw = {key: redis.hgetall(key) for key in redis.scan_iter(f"{prefix}statistics:*")}
    assert all(int(count) > 0 for hash_ in raw.values() for count in hash_.values()), json.dumps(raw)
