"""The client of the v3 API: the calls of all subjects on one object."""

from renderline.studio.v3.automation import AutomationCalls
from renderline.studio.v3.avatars import AvatarCalls
from renderline.studio.v3.dubbing import DubbingCalls
from renderline.studio.v3.lists import ListCalls
from renderline.studio.v3.projects import ProjectCalls
from renderline.studio.v3.simple import SimpleCalls
from renderline.studio.v3.tools import ToolCalls


class StudioV3(ProjectCalls, SimpleCalls, AutomationCalls, DubbingCalls, ListCalls, ToolCalls, AvatarCalls):
    """A client of the v3 API for one account; safe to share between threads.

    Every method may raise VendorUnavailable, RateLimited, TokenRejected and PayloadRefused, and whatever `tokens`
    raises; those that create, change, upload, export or delete may raise OutcomeUnknown. Timeouts are in seconds:
    `read_timeout` between bytes, `total_timeout` for a whole exchange, of which a call makes at most three (the call,
    a check of the token, the call with a newer token). Calls whose answer comes only when the work is done wait for it
    as long as the whole exchange may take.
    """
