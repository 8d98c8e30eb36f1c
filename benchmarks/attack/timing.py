"""Answers whose time tells a secret, and texts that take too long to redact."""

from __future__ import annotations

import statistics
import time
from typing import Final

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import VICTIM, Target
from renderline.studio.redaction import private_texts, redact

MOST_DIFFERENCE: Final = 0.0005
"""Seconds between the medians of refused calls; the noise of a call on loopback is about that."""

MOST_REDACTION: Final = 1.5
"""Seconds for a megabyte, on a busy machine. Looking for every run of the message in every script took 17."""


@attack("key-timing", "telling from the time of a refusal whether a key's id exists, or its first characters fit")
def key_timing(target: Target, long: bool) -> Finding:
    genuine = target.keys[VICTIM]
    key_id, secret = genuine.split("_", 2)[1:]
    wrong = "".join("A" if letter != "A" else "B" for letter in secret)
    tried = {
        "unknown id": f"rl_{'0' * 12}_{wrong}",
        "known id": f"rl_{key_id}_{wrong}",
        "all but the last character": f"rl_{key_id}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
    }
    taken: dict[str, list[float]] = {name: [] for name in tried}
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(1000 if long else 250):
            for name, key in tried.items():
                begin = time.perf_counter()
                answer = session.get(
                    f"{target.gateway.url}/v1/accounts", headers={"Authorization": f"Bearer {key}"}, timeout=10
                )
                taken[name].append(time.perf_counter() - begin)
                assert answer.status_code in (401, 429), answer.status_code
    medians = {name: statistics.median(times) for name, times in taken.items()}
    # A known id may be answered from the cache: what it must not show is how much of the secret fits.
    close = abs(medians["known id"] - medians["all but the last character"])
    apart = abs(medians["known id"] - medians["unknown id"])
    figure = f"medians apart by {close * 1e6:.0f} us for the secret, {apart * 1e6:.0f} us for the id"
    return Finding(close <= MOST_DIFFERENCE and apart <= 4 * MOST_DIFFERENCE, figure)


@attack("slow-redaction", "a vendor error about a script of 1 MB")
def slow_redaction(target: Target, long: bool) -> Finding:
    words = " ".join(f"word{number}" for number in range(120_000))
    bodies = [
        {"scenes": [{"scripts": [{"org": words}]}]},
        {"scenes": [{"scripts": [{"org": "<" * 500_000 + words[:500_000]}]}]},
        {"text": "a" * 1_000_000},
        {"script": ["<b>" * 100_000 + "</b>" * 100_000]},
        {"script": [f"line {number}" for number in range(100_000)]},
    ]
    worst = 0.0
    leaked = False
    for body in bodies:
        begin = time.perf_counter()
        shown = redact(f"the vendor says: {words[:900]} is wrong", private_texts(body))
        worst = max(worst, time.perf_counter() - begin)
        leaked = leaked or (words[:200] in shown and "word" in str(body)[:200])
    return Finding(worst <= MOST_REDACTION and not leaked, f"{worst:.2f} s at most for 1 MB")
