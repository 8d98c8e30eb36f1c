"""Client of the AI Studios API: typed calls, typed faults. Of our packages it imports only `renderline.http`."""

from renderline.studio.credentials import TokenEndpoint, TokenSource
from renderline.studio.faults import (
    CredentialsRefused,
    CreditExhausted,
    OutcomeUnknown,
    PayloadRefused,
    ProjectMissing,
    RateLimited,
    StudioFault,
    TokenRejected,
    TooLate,
    VendorUnavailable,
)
from renderline.studio.progress import FINISHED_STATES, Progress, Project, ProjectSummary
from renderline.studio.v2 import StudioV2
from renderline.studio.v3 import StudioV3

__all__ = [
    "FINISHED_STATES",
    "CredentialsRefused",
    "CreditExhausted",
    "OutcomeUnknown",
    "PayloadRefused",
    "Progress",
    "Project",
    "ProjectMissing",
    "ProjectSummary",
    "RateLimited",
    "StudioFault",
    "StudioV2",
    "StudioV3",
    "TokenEndpoint",
    "TokenRejected",
    "TokenSource",
    "TooLate",
    "VendorUnavailable",
]
