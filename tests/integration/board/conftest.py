"""One gateway with API keys and 500 renders of two tenants for the tests of a module, and one Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from redis import Redis

from harness import Valkey
from harness.browser import open_browser, open_page
from harness.gateway import ForkedGateway
from harness.ledger import accept_render
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Ledger

FAILED = 7
RENDERS = 500


@dataclass(frozen=True)
class Board:
    """A running gateway and its ledger."""

    gateway: ForkedGateway
    redis: Redis
    ledger: Ledger
    keys: ApiKeys
    storage: Path

    def accept(self, one: str, name: str, *, tenant: str = "acme", **metadata: Any) -> None:
        """Accept a render."""
        accept_render(
            self.ledger, one, meta={"name": name, "hooks": [], "metadata": metadata}, tenant=tenant, account="default"
        )


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("board")
    with Valkey(folder) as valkey, Redis.from_url(valkey.url, decode_responses=True) as redis:
        settings = {"RENDERLINE_API_KEYS_REQUIRED": "true", "RENDERLINE_LABELS": "customer"}
        gateway = ForkedGateway(folder / "gateway.log", **{"REDIS_URL": valkey.url, **settings})
        found = Board(gateway, redis, Ledger(redis), ApiKeys(redis), folder / "videos")
        for number in range(RENDERS):
            tenant = "globex" if number == 0 else "acme"
            found.accept(f"{number:032x}", f"Welcome {number}", tenant=tenant, customer=str(number))
        for number in range(1, FAILED + 1):
            found.ledger.fail(f"{number:032x}", code="50010", message="No credit", origin="vendor")
        yield found
        gateway.stop()
        assert "Traceback" not in gateway.output()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


Opened = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def logged_in(board: Board, browser: Browser) -> Opened:
    """Open a page whose session has begun with a new API key of these scopes and tenant."""

    @contextmanager
    def opened(scopes: tuple[str, ...] = ("admin",), tenant: str | None = "acme", **options: Any) -> Iterator[Page]:
        key = board.keys.create("tests", scopes, tenant=tenant)
        with open_page(browser, board.gateway.url, **options) as page:
            page.goto("/")
            page.fill("#key", key)
            page.keyboard.press("Enter")
            page.wait_for_selector("#rows")
            yield page

    return opened
