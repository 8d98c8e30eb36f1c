"""The vendor calls that several kinds of the v2 API share."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from renderline.accounts.clients import AccountClients
from renderline.studio import PayloadRefused, Progress


def poll(clients: AccountClients, key: str, _data: Mapping[str, Any]) -> Progress:
    """Ask how far the render of a project is."""
    return clients.use_v2().progress(key)


def poll_simple(clients: AccountClients, key: str, _data: Mapping[str, Any]) -> Progress:
    """Ask how far a simple render is; if it is finished without a URL, ask for the file too.

    The vendor has a call of its own for these files, whose URL it does not document.
    """
    seen = clients.use_v2().progress(key)
    if not seen.finished or seen.download_url:
        return seen
    with contextlib.suppress(PayloadRefused):
        return replace(seen, download_url=clients.use_v2().find_simple(key).download_url)
    return seen
