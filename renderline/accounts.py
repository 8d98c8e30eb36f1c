"""What Renderline needs to act for one vendor account: its clients and what they share."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.studio import StudioV2, StudioV3


@dataclass(frozen=True)
class AccountClients:
    """The vendor clients of one account; an API for which no credentials are configured is None."""

    name: str
    v3: StudioV3 | None
    v2: StudioV2 | None

    def use_v3(self) -> StudioV3:
        """Return the v3 client; raise `LookupError`, naming what to configure, without v3 credentials."""
        if self.v3 is None:
            raise LookupError(f"account {self.name!r} has no v3 credentials: set its app id and user key")
        return self.v3

    def use_v2(self) -> StudioV2:
        """Return the v2 client; raise `LookupError`, naming what to configure, without a v2 key."""
        if self.v2 is None:
            raise LookupError(f"account {self.name!r} has no v2 credentials: set its v2 secret key")
        return self.v2
