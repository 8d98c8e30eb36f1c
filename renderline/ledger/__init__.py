"""The ledger: every render lives in Redis from the moment it is accepted; messages are only hints."""

from renderline.ledger.accept import AcceptResult, Entry, KeyConflict
from renderline.ledger.account_limits import AccountLimits, Circuit
from renderline.ledger.account_report import AccountReports
from renderline.ledger.audit import Audit, AuditEntry
from renderline.ledger.claims import Batch, DuePoll, HookClaim, PollResult, PumpWake, Submission
from renderline.ledger.clock import SKEWED, ServerClock
from renderline.ledger.commands import REVOKED, Alarm, Commands
from renderline.ledger.doubt import Doubt, DoubtState, RecordedRender
from renderline.ledger.durability import DiskSync, NotSynced, Persistence, persistence
from renderline.ledger.file_claims import FileClaims
from renderline.ledger.filter import Filter
from renderline.ledger.hook_queues import FullQueue, HookQueue, HookQueues
from renderline.ledger.keys import PREFIX, Keys
from renderline.ledger.labels import log_labels
from renderline.ledger.outage import Outage
from renderline.ledger.queries import HeldHook, Queries
from renderline.ledger.quota import Quota, QuotaExceeded
from renderline.ledger.record import HELD, iso, public_record
from renderline.ledger.statistics import Minute, Statistics, Total
from renderline.ledger.store import Ledger
from renderline.ledger.submission import UNKNOWN_AFTER, AccountUnknown, ForeignProject
from renderline.ledger.sweep import LedgerInDoubt
from renderline.ledger.timeline import Entry as TimelineEntry
from renderline.ledger.timeline import Timeline
from renderline.ledger.timeline_writer import TimelineWriter
from renderline.ledger.transition_log import TransitionLog, log_failed
from renderline.ledger.unfinished import UnfinishedRequest, unfinished_requests
from renderline.ledger.upload_quota import UploadQuota

__all__ = [
    "HELD",
    "PREFIX",
    "REVOKED",
    "SKEWED",
    "UNKNOWN_AFTER",
    "AcceptResult",
    "AccountLimits",
    "AccountReports",
    "AccountUnknown",
    "Alarm",
    "Audit",
    "AuditEntry",
    "Batch",
    "Circuit",
    "Commands",
    "DiskSync",
    "Doubt",
    "DoubtState",
    "DuePoll",
    "Entry",
    "FileClaims",
    "Filter",
    "ForeignProject",
    "FullQueue",
    "HeldHook",
    "HookClaim",
    "HookQueue",
    "HookQueues",
    "KeyConflict",
    "Keys",
    "Ledger",
    "LedgerInDoubt",
    "Minute",
    "NotSynced",
    "Outage",
    "Persistence",
    "PollResult",
    "PumpWake",
    "Queries",
    "Quota",
    "QuotaExceeded",
    "RecordedRender",
    "ServerClock",
    "Statistics",
    "Submission",
    "Timeline",
    "TimelineEntry",
    "TimelineWriter",
    "Total",
    "TransitionLog",
    "UnfinishedRequest",
    "UploadQuota",
    "iso",
    "log_failed",
    "log_labels",
    "persistence",
    "public_record",
    "unfinished_requests",
]
