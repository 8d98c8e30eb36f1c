"""The HTTP server of the gateway: Tornado's, with WSGI applications in threads and limits for slow clients."""

from renderline.gateway.server.connections import GatewayServer
from renderline.gateway.server.limits import ConnectionLimits
from renderline.gateway.server.threads import Threads

__all__ = ["ConnectionLimits", "GatewayServer", "Threads"]
