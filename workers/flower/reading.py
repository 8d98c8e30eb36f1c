"""Reads renders for Flower's pages, with its own connection to Redis, in threads of its own.

Flower is one event loop: a read that waits there would stop every page and every event.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from redis import RedisError
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from config import redis_address
from config.settings import Settings
from renderline.explanation import Explainer, Explanation
from renderline.ledger import Ledger, Queries
from renderline.ledger.statistics import Statistics
from renderline.ledger.timeline import Entry, Timeline
from renderline.renders import State
from renderline.search import Found, Search, SearchError
from workers.composition.explanation import explainer
from workers.redis_pool import open_client

_Read = TypeVar("_Read")

_THREADS = 4
_CONNECT_TIMEOUT, _ANSWER_TIMEOUT = 1.0, 3.0
_PATIENCE = 10.0
"""Seconds that a page waits in all."""
_PAGE = 50


class NotReadable(Exception):
    """The ledger cannot be read now; the text is for the page, `status` its HTTP status."""

    def __init__(self, text: str, status: int = 503) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class ListPage:
    """What the list of renders shows."""

    found: Found
    explained: list[Explanation]
    counts: list[tuple[str, int]]
    """How many renders are in each state, in the order in which a render goes through them."""


@dataclass(frozen=True)
class RenderPage:
    """What the page of one render shows."""

    record: Mapping[str, Any]
    explained: Explanation
    timeline: list[Entry]


class Reader:
    """Reads the ledger for pages."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="renders")

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the metadata that lists show."""
        return self._settings.labels

    async def page(self, text: str, cursor: str | None) -> ListPage:
        """Return a page of the renders that a search finds; raises `NotReadable`."""
        return await self._in_thread(lambda: self._page(text, cursor))

    async def render(self, render_id: str) -> RenderPage:
        """Return one render; raises `NotReadable`."""
        return await self._in_thread(lambda: self._render(render_id))

    async def _in_thread(self, read: Callable[[], _Read]) -> _Read:
        reading = asyncio.get_running_loop().run_in_executor(self._threads, read)
        try:
            return await asyncio.wait_for(reading, _PATIENCE)
        except SearchError as error:
            raise NotReadable(f"The search was not understood: {error}.", status=400) from None
        except NoPermissionError:
            raise NotReadable(
                "Flower's Redis user may not read the ledger. Make the users anew from config/redis_users.acl "
                "(renderline redis-users) and load them into Redis."
            ) from None
        except TimeoutError:
            raise NotReadable(f"Redis did not answer within {_PATIENCE:g} s. Try again.") from None
        except (RedisError, OSError) as error:
            where = redis_address.shown(self._settings.redis_url)
            raise NotReadable(f"Redis at {where} does not answer ({type(error).__name__}). Try again.") from None
        except ValueError as error:
            raise NotReadable(f"This page cannot be shown: {error}.", status=400) from None

    def _page(self, text: str, cursor: str | None) -> ListPage:
        found = self._search.find(text, tenant=None, limit=_PAGE, cursor=cursor)
        counts: Counter[str] = Counter()
        for total in Statistics(self._ledger).totals():
            counts[total.state] += total.count
        return ListPage(
            found,
            self._explainer.explain(found.records),
            [(state.value, counts[state]) for state in State if counts[state]],
        )

    def _render(self, render_id: str) -> RenderPage:
        record = self._ledger.record(render_id)
        if record is None:
            raise NotReadable("There is no such render, or its retention has passed.", status=404)
        (explained,) = self._explainer.explain([record])
        return RenderPage(record, explained, Timeline(self._ledger).of(render_id))

    @cached_property
    def _explainer(self) -> Explainer:
        return explainer(self._ledger, self._settings)

    @cached_property
    def _search(self) -> Search:
        return Search(self._ledger, Queries(self._ledger, labels=self.labels))

    @cached_property
    def _ledger(self) -> Ledger:
        options: dict[str, Any] = {
            "decode_responses": True,
            "socket_connect_timeout": _CONNECT_TIMEOUT,
            "socket_timeout": _ANSWER_TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
            "client_name": "renderline-flower",
        }
        return Ledger(open_client(self._settings.redis_url, **options))
