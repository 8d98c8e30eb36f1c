"""The ledger: every render lives in Redis from the moment it is accepted; messages are only hints."""

from renderline.ledger.claims import Batch, Finding, HookClaim, Kick, Look, Submission
from renderline.ledger.clock import SKEWED, ServerClock
from renderline.ledger.disk import Disk, Keeping, NotOnDisk, keeping
from renderline.ledger.flow import Circuit, Flow
from renderline.ledger.intake import Entry, Intake
from renderline.ledger.listing import Filter, HeldHook, Listing
from renderline.ledger.operations import REVOKED, Alarm, Operations
from renderline.ledger.record import iso, public_record
from renderline.ledger.store import PREFIX, AccountUnknown, ForeignProject, KeyConflict, Ledger

__all__ = [
    "PREFIX",
    "REVOKED",
    "SKEWED",
    "AccountUnknown",
    "Alarm",
    "Batch",
    "Circuit",
    "Disk",
    "Entry",
    "Filter",
    "Finding",
    "Flow",
    "ForeignProject",
    "HeldHook",
    "HookClaim",
    "Intake",
    "Keeping",
    "KeyConflict",
    "Kick",
    "Ledger",
    "Listing",
    "Look",
    "NotOnDisk",
    "Operations",
    "ServerClock",
    "Submission",
    "iso",
    "keeping",
    "public_record",
]
