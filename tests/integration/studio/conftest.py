"""Clients of the vendor's API, pointed at a server that follows a script."""

from collections.abc import Iterator

import pytest
from scripted_vendor import ScriptedVendor, scripted_vendor

from renderline.studio import StudioV2, StudioV3, TokenEndpoint


class ListedTokens:
    """Gives its tokens one after the other, the next one once the present one is refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.rejected: list[str] = []

    def current(self) -> str:
        return self._tokens[0]

    def reject(self, token: str) -> None:
        self.rejected.append(token)
        if len(self._tokens) > 1 and token == self._tokens[0]:
            del self._tokens[0]


@pytest.fixture
def vendor() -> Iterator[ScriptedVendor]:
    with scripted_vendor() as server:
        yield server


@pytest.fixture
def tokens() -> ListedTokens:
    return ListedTokens("token-one-aaaaaaaaaaaaaaaa", "token-two-bbbbbbbbbbbbbbbb")


@pytest.fixture
def studio(vendor: ScriptedVendor, tokens: ListedTokens) -> Iterator[StudioV3]:
    client = StudioV3(vendor.url, tokens=tokens)
    yield client
    client.close()


@pytest.fixture
def hasty_studio(vendor: ScriptedVendor, tokens: ListedTokens) -> Iterator[StudioV3]:
    """A client that gives an exchange 0.6 s in all, for vendors that never come to an end."""
    client = StudioV3(vendor.url, tokens=tokens, total_timeout=0.6)
    yield client
    client.close()


@pytest.fixture
def studio_v2(vendor: ScriptedVendor) -> Iterator[StudioV2]:
    client = StudioV2(vendor.url, secret_key="v2-secret-key-cccccccc")
    yield client
    client.close()


@pytest.fixture
def endpoint(vendor: ScriptedVendor) -> Iterator[TokenEndpoint]:
    client = TokenEndpoint(vendor.url, app_id="studioV3.acme", user_key="0b0b0b0b-1111-2222-3333-444444444444")
    yield client
    client.close()
