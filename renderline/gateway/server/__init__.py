"""The HTTP server of the gateway: Tornado's, with WSGI applications in threads and limits for slow clients."""

from renderline.gateway.server.body_stream import BodyBroken
from renderline.gateway.server.connections import GatewayServer
from renderline.gateway.server.limits import ConnectionLimits
from renderline.gateway.server.threads import UPLOAD_THREADS, Threads

__all__ = ["UPLOAD_THREADS", "BodyBroken", "ConnectionLimits", "GatewayServer", "Threads"]
