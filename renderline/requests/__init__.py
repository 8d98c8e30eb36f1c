"""Render requests: the same for every door, checked and normalised once."""

from renderline.requests.detection import as_request
from renderline.requests.loading import load_request
from renderline.requests.placeholders import RequestTemplate
from renderline.requests.render_request import RenderRequest, load_body_json
from renderline.validation.errors import RequestRefused

__all__ = ["RenderRequest", "RequestRefused", "RequestTemplate", "as_request", "load_body_json", "load_request"]
