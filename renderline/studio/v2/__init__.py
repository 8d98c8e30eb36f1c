"""The vendor's older v2 API: one module per subject, one object for callers, a key that never changes."""

from renderline.studio.v2.client import StudioV2

__all__ = ["StudioV2"]
