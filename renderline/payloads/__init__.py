"""From a render request to the body of the vendor call that starts it: schemas, layout, one table of kinds."""

from .kinds import KINDS, Kind, build, load_body, with_defaults
from .recognition import as_request
from .refusal import RequestRefused

__all__ = ["KINDS", "Kind", "RequestRefused", "as_request", "build", "load_body", "with_defaults"]
