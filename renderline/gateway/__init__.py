"""The HTTP door: today the health routes that load balancers and container platforms ask for."""

from renderline.gateway.application import create_app

__all__ = ["create_app"]
