"""The client of the v2 API: the calls of all subjects on one object."""

from renderline.studio.v2.projects import ProjectCalls
from renderline.studio.v2.scenes import SceneCalls
from renderline.studio.v2.simple import SimpleCalls


class StudioV2(ProjectCalls, SceneCalls, SimpleCalls):
    """A client of the v2 API for one account; safe to share between threads. Timeouts as in StudioV3, in seconds.

    Every method may raise VendorUnavailable, RateLimited, CredentialsRefused and PayloadRefused; those that create,
    change or export may raise OutcomeUnknown; those that name a key may raise ProjectMissing.
    """
