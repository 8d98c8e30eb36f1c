"""The context of the routes, built once for each application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, current_app, url_for

from renderline.acceptance import Acceptor
from renderline.bulk import Bulk
from renderline.catalogue.browser import Browser
from renderline.explanation import Explainer
from renderline.forgetting import Forgetter
from renderline.gateway.access import caller
from renderline.gateway.event_stream import EventStreams
from renderline.gateway.shares import BatchShares
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import Ledger, Queries, UploadQuota
from renderline.operations import Operations
from renderline.search import Search
from renderline.signed_urls.download_links import DownloadLinks
from renderline.uploads import UploadStore

_EXTENSION: Final = "renderline"


@dataclass(frozen=True)
class GatewayContext:
    """The ledger and the use cases that the routes call."""

    ledger: Ledger
    queries: Queries
    acceptor: Acceptor
    operations: Operations
    search: Search
    bulk: Bulk
    explainer: Explainer
    forgetter: Forgetter
    streams: EventStreams
    max_bytes: int
    """The largest body of one render request."""
    batches: BatchShares
    upload_shares: BatchShares
    upload_quota: UploadQuota
    uploads: UploadStore | None
    """None: this installation keeps no uploads."""
    lists: Browser
    """The vendor's lists."""
    videos: TenantFolders
    """Where stored videos are."""
    readers: BatchShares
    """The places for readers of large parts of them."""
    links: DownloadLinks | None
    """None: this installation makes no links to them."""
    public_url: str | None
    """Where others reach the gateway; None: where the present caller does."""

    def install(self, app: Flask) -> None:
        """Make this the context of the application."""
        app.extensions[_EXTENSION] = self

    def record(self, render_id: str) -> dict[str, Any]:
        """Return the public record of a render; raises RenderNotFound, also for one that the caller does not see."""
        return self.operations.record(render_id, actor=caller())


def context() -> GatewayContext:
    """Return the context of the application that serves the present request."""
    found: GatewayContext = current_app.extensions[_EXTENSION]
    return found


def location(render_id: str) -> str:
    """Return the path of a render's record."""
    return url_for("renders.show", render_id=render_id)


def accepted(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the record of a render that was accepted, with its `Location` header."""
    return record, {"Location": location(record["id"])}
