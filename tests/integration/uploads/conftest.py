"""The scripted HTTP server of the hooks' tests."""

from tests.integration.hooks.conftest import serve

__all__ = ["serve"]
