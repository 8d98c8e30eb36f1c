"""The HTTP gateway: the API under /v1 and its OpenAPI document, the health routes, the vendor's webhooks."""

from renderline.gateway.access import ADMIN, READ, SCOPES, SUBMIT, AccessDenied, AllowAll, Authenticator
from renderline.gateway.application import create_app
from renderline.gateway.event_stream import EventStreams

__all__ = [
    "ADMIN",
    "READ",
    "SCOPES",
    "SUBMIT",
    "AccessDenied",
    "AllowAll",
    "Authenticator",
    "EventStreams",
    "create_app",
]
