"""The vendor's v3 API: one module per subject, one object for callers."""

from renderline.studio.v3.client import StudioV3

__all__ = ["StudioV3"]
