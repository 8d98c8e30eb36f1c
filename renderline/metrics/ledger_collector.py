"""Answers a scrape with the ledger's metrics. However often somebody asks, the ledger is read once in a few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from prometheus_client import Metric as Family
from prometheus_client.registry import Collector
from redis import RedisError

from renderline.metrics import ledger_metrics as names
from renderline.metrics.families import Sample, families

log = structlog.get_logger(__name__)

KEPT = 5.0
"""Seconds for which a reading answers every scrape."""


class LedgerCollector(Collector):
    """The ledger's metrics for a registry. Without the ledger it says that it is down, and nothing else."""

    def __init__(
        self,
        read: Callable[[], Sequence[Sample]],
        *,
        kept: float = KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` returns the values of now, or raises; `clock` counts seconds."""
        self._read, self._kept, self._clock = read, kept, clock
        self._reading = threading.Lock()
        self._samples: list[Sample] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterator[Family]:
        """Yield the families of a reading that is at most a few seconds old."""
        with self._reading:
            if not 0 <= self._clock() - self._read_at < self._kept:
                self._samples = self._fresh()
                self._read_at = self._clock()
            samples = self._samples
        return families(names.METRICS, samples)

    def describe(self) -> Iterator[Family]:
        """Yield the families without values, so that the registry asks the ledger for none when this is added."""
        return families(names.METRICS, ())

    def _fresh(self) -> list[Sample]:
        began = time.monotonic()
        try:
            samples, up = list(self._read()), 1
        except (RedisError, OSError) as error:
            log.warning("metrics without the ledger", why=type(error).__name__)
            samples, up = [], 0
        except Exception:
            log.exception("the ledger's metrics could not be read")
            samples, up = [], 0
        return [*samples, (names.LEDGER_UP, (), up), (names.LEDGER_READ, (), time.monotonic() - began)]
