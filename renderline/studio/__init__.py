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
    UploadUnreadable,
    VendorUnavailable,
)
from renderline.studio.multipart import Upload
from renderline.studio.patience import patient
from renderline.studio.progress import FAILED_STATES, FINISHED_STATES, Output, Progress, Project, ProjectSummary
from renderline.studio.transport import Exchanged
from renderline.studio.v2 import StudioV2
from renderline.studio.v2.projects import Duplicate
from renderline.studio.v2.simple import SimpleFound
from renderline.studio.v3 import StudioV3
from renderline.studio.v3.automation import Generated, UploadedDocument
from renderline.studio.v3.avatars import GENDERS, LOCALES, CustomAvatar
from renderline.studio.v3.dubbing import DubbedVideo
from renderline.studio.v3.simple import AudioFile
from renderline.studio.v3.tools import IMAGE_SIZES, IMAGE_STYLES

__all__ = [
    "FAILED_STATES",
    "FINISHED_STATES",
    "GENDERS",
    "IMAGE_SIZES",
    "IMAGE_STYLES",
    "LOCALES",
    "AudioFile",
    "CredentialsRefused",
    "CreditExhausted",
    "CustomAvatar",
    "DubbedVideo",
    "Duplicate",
    "Exchanged",
    "Generated",
    "OutcomeUnknown",
    "Output",
    "PayloadRefused",
    "Progress",
    "Project",
    "ProjectMissing",
    "ProjectSummary",
    "RateLimited",
    "SimpleFound",
    "StudioFault",
    "StudioV2",
    "StudioV3",
    "TokenEndpoint",
    "TokenRejected",
    "TokenSource",
    "TooLate",
    "Upload",
    "UploadUnreadable",
    "UploadedDocument",
    "VendorUnavailable",
    "patient",
]
