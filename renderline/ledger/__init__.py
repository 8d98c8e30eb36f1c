"""The ledger: every render lives in Redis from the moment it is accepted; messages are only hints."""

from renderline.ledger.claims import Batch, Finding, HookClaim, Kick, Look, Permit, Submission, Wait
from renderline.ledger.listing import Filter, Listing
from renderline.ledger.operations import Operations
from renderline.ledger.record import iso, public_record
from renderline.ledger.store import PREFIX, KeyConflict, Ledger

__all__ = [
    "PREFIX",
    "Batch",
    "Filter",
    "Finding",
    "HookClaim",
    "KeyConflict",
    "Kick",
    "Ledger",
    "Listing",
    "Look",
    "Operations",
    "Permit",
    "Submission",
    "Wait",
    "iso",
    "public_record",
]
