"""The HTTP door: the API under /v1 with its description, the health routes, the receiver of the vendor's webhooks."""

from renderline.gateway.access import ADMIN, READ, SCOPES, SUBMIT, AccessDenied, Caller, Gate, OpenGate
from renderline.gateway.application import create_app
from renderline.gateway.events import Streams

__all__ = [
    "ADMIN",
    "READ",
    "SCOPES",
    "SUBMIT",
    "AccessDenied",
    "Caller",
    "Gate",
    "OpenGate",
    "Streams",
    "create_app",
]
