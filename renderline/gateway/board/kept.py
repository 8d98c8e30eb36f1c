"""Values that many open boards ask for at the same time, and that are made once for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class _Place(Generic[Value]):
    making: threading.Lock = field(default_factory=threading.Lock)
    made: tuple[float, Value] | None = None


@dataclass
class Kept(Generic[Value]):
    """Keeps each value for `seconds`. While one caller makes a value, the others that want it wait for that one.

    What a value may show is part of its name: callers of two tenants never share one.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _places: dict[Hashable, _Place[Value]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def get(self, name: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value called `name`, made anew if it is too old; raises what `make` raises."""
        with self._lock:
            if name not in self._places:
                self._forget_old()
            place = self._places.setdefault(name, _Place())
        with place.making:
            if place.made is None or self.clock() - place.made[0] >= self.seconds:
                try:
                    place.made = (self.clock(), make())
                except BaseException:
                    self._forget(name, place)
                    raise
            return place.made[1]

    def _forget(self, name: Hashable, place: _Place[Value]) -> None:
        """Keep no place for what cannot be made: names are what callers ask for, and there are many of them."""
        with self._lock:
            if self._places.get(name) is place:
                del self._places[name]

    def _forget_old(self) -> None:
        now = self.clock()
        for name, place in list(self._places.items()):
            if place.made is not None and now - place.made[0] >= self.seconds and not place.making.locked():
                del self._places[name]
