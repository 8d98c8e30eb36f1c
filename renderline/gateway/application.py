"""The Flask application of the gateway, built from the parts that it is given."""

from __future__ import annotations

from typing import Final

from flask import Flask
from redis import Redis
from werkzeug.routing import BaseConverter

from renderline.acceptance import Acceptor
from renderline.bulk import Bulk
from renderline.catalogue.browser import Browser
from renderline.explanation import Explainer
from renderline.forgetting import Forgetter
from renderline.gateway import (
    access_log,
    batch,
    board,
    bulk,
    documentation,
    error_handlers,
    events,
    forgetting,
    health,
    links,
    local_callers,
    metrics,
    operators,
    pick_lists,
    renders,
    request_ids,
    statistics,
    timelines,
    unconfirmed,
    uploads,
)
from renderline.gateway.access import AccessControl, AllowAll, Authenticator
from renderline.gateway.api import create_api
from renderline.gateway.board.login import Throttle
from renderline.gateway.board.sessions import Sessions
from renderline.gateway.body_limits import BATCH_FACTOR
from renderline.gateway.context import GatewayContext
from renderline.gateway.event_stream import EventStreams
from renderline.gateway.file_answer import reader_shares
from renderline.gateway.hook_events import add_hook_events
from renderline.gateway.rate_limit import ApiRateLimit
from renderline.gateway.request_components import add_request_components
from renderline.gateway.server import UPLOAD_THREADS
from renderline.gateway.shares import BatchShares, CallShares
from renderline.gateway.webhooks import WebhookHandler
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import Ledger, Queries, UploadQuota
from renderline.operations import Operations
from renderline.search import Search
from renderline.signed_urls.download_links import DownloadLinks
from renderline.uploads import UploadStore

RENDER_ID: Final = "[0-9a-f]{32}"
PROJECT_ID: Final = "[0-9A-Za-z_-]{1,64}"


_MOST_BATCHES: Final = 8
"""Batches that one process works on at once: as many small ones, half as many of the largest size."""


class RenderIdConverter(BaseConverter):
    """The id of a render in a path; a path with any other text is unknown."""

    regex = RENDER_ID


class ProjectIdConverter(BaseConverter):
    """The id of a vendor project in a path."""

    regex = PROJECT_ID


def create_app(
    *,
    redis: Redis,
    ledger: Ledger,
    queries: Queries,
    acceptor: Acceptor,
    operations: Operations,
    lists: Browser,
    authenticator: Authenticator,
    max_bytes: int,
    streams: EventStreams,
    threads: int = 64,
    rate: str | None = None,
    webhooks: WebhookHandler | None = None,
    upload_store: UploadStore | None = None,
    upload_bytes_per_day: int = 10 << 30,
    login_throttle: Throttle | None = None,
    explainer: Explainer | None = None,
    videos: TenantFolders | None = None,
    download_links: DownloadLinks | None = None,
    public_url: str | None = None,
) -> Flask:
    """Return the gateway over the given parts; nothing connects before the first request.

    `authenticator` checks the API keys, `rate` (such as `600/minute`; None: no limit) limits the calls of each key,
    `max_bytes` the size of a render request, `streams` the number of open event streams. `threads` is how many calls
    run at once. `lists` are those of the vendor. `webhooks` takes the vendor's webhooks; None: they have no route.
    `upload_store` keeps uploads, of which each tenant may make `upload_bytes_per_day`. `login_throttle` slows down
    guesses of API keys at the board's login. `explainer` explains renders; None: it does not say when hooks end.
    `videos` is where stored videos are; None: no storage. `download_links` signs links to them; None: there are none.
    They lead to `public_url`; None: to where their maker has called the gateway.
    """
    app = Flask("renderline.gateway", static_folder=None)
    app.url_map.converters["render_id"] = RenderIdConverter
    app.url_map.converters["project_id"] = ProjectIdConverter
    access_log.install(app)
    # The last to be asked before an answer leaves is the first that was installed.
    request_ids.install(app)
    guarded = not isinstance(authenticator, AllowAll)
    if not guarded:
        local_callers.install(app)
    AccessControl(authenticator, ApiRateLimit(redis, rate), CallShares(threads)).install(app)
    search, explainer = Search(ledger, queries), explainer or Explainer(ledger)
    GatewayContext(
        ledger=ledger,
        queries=queries,
        acceptor=acceptor,
        operations=operations,
        search=search,
        bulk=Bulk(search, operations),
        explainer=explainer,
        forgetter=Forgetter(operations),
        streams=streams,
        max_bytes=max_bytes,
        batches=_batch_shares(max_bytes),
        upload_shares=BatchShares(UPLOAD_THREADS, UPLOAD_THREADS, what="uploads"),
        upload_quota=UploadQuota(ledger, upload_bytes_per_day),
        uploads=upload_store,
        lists=lists,
        videos=videos or TenantFolders(None),
        readers=reader_shares(),
        links=download_links,
        public_url=public_url,
    ).install(app)
    health.install(app, redis=redis)
    metrics.install(app, ledger=ledger, streams=streams)
    documentation.install(app)
    app.register_blueprint(links.public)
    if webhooks is not None:
        webhooks.install(app)
    api = create_api(app, guarded=guarded)
    api.register_converter(RenderIdConverter, lambda _: {"type": "string", "pattern": f"^{RENDER_ID}$"})
    api.register_converter(ProjectIdConverter, lambda _: {"type": "string", "pattern": f"^{PROJECT_ID}$"})
    add_request_components(api.spec, api.ma_plugin.converter, acceptor.hook_kinds)
    add_hook_events(api)
    for module in (
        renders,
        forgetting,
        links,
        statistics,
        timelines,
        batch,
        bulk,
        events,
        operators,
        unconfirmed,
        uploads,
        pick_lists,
    ):
        api.register_blueprint(module.blp)
    board.install(app, ledger, queries, explainer, Sessions(redis), login_throttle)
    error_handlers.install(app)
    return app


def _batch_shares(max_bytes: int) -> BatchShares:
    # Parsed, a batch takes several times its size.
    return BatchShares(_MOST_BATCHES, _MOST_BATCHES // 2 * BATCH_FACTOR * max_bytes)
