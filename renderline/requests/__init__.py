"""The render request: what every door takes, checked once and normalised."""

from renderline.payloads.refusal import RequestRefused

from .hooks import HookKind
from .loading import load_request
from .request import RenderRequest

__all__ = ["HookKind", "RenderRequest", "RequestRefused", "load_request"]
