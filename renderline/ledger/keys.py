"""The names of the ledger's Redis keys. docs/ledger.md says what each holds."""

from __future__ import annotations

import hashlib

from renderline.tenants import DEFAULT

PREFIX = "renderline:"

SCRIPT_KEYS = {
    "accepted_in_a_day": "accepted_in_a_day:",
    "accounts": "accounts",
    "alarms": "alarms",
    "backoff": "backoff:",
    "body": "body:",
    "calls": "calls:",
    "capabilities": "capabilities",
    "circuit": "circuit:",
    "dead_letters": "dead_letters",
    "deadline": "deadline",
    "doubt": "doubt",
    "due": "due:",
    "durations": "durations:",
    "events": "events",
    "forgetting": "forgetting",
    "forgotten_projects": "forgotten_projects:",
    "held": "held",
    "history": "history:",
    "hold": "hold:",
    "hook_accounts": "hook_accounts",
    "hook_hosts": "hook_hosts:",
    "hook_outage": "hook_outage:",
    "hook_turn": "hook_turn",
    "indexed": "indexed",
    "labels": "labels:",
    "lanes": "lanes",
    "gap": "gap",
    "lived": "lived",
    "meta": "meta:",
    "minute": "minute:",
    "names": "names",
    "orphan_drafts": "orphan_drafts:",
    "owners": "owners:",
    "parked": "parked:",
    "paused": "paused",
    "project_owners": "project_owners:",
    "project_tenants": "project_tenants:",
    "pump": "pump:",
    "quarantine": "quarantine",
    "quarantine_counts": "quarantine_counts",
    "queued": "queued:",
    "rate_limit": "rate_limit:",
    "refused_batch": "refused_batch:",
    "render": "render:",
    "renders": "renders",
    "resend": "resend",
    "retrying_hooks": "retrying_hooks:",
    "retrying_owners": "retrying_owners:",
    "schema": "schema",
    "slot_limits": "slot_limits",
    "slots": "slots:",
    "state": "state:",
    "statistics": "statistics",
    "stored_projects": "stored_projects:",
    "sweep": "sweep",
    "sweep_lock": "sweep:lock",
    "swept": "swept",
    "tenants": "tenants",
    "timeline": "timeline:",
    "token": "token:",
    "unchecked": "unchecked",
    "unknown_projects": "unknown_projects:",
    "waiting_hooks": "waiting_hooks:",
    "webhooks_alive": "webhooks_alive:",
}
"""The keys of the Lua scripts, which say `K.<name>`. An account, a render id or the like follows a colon."""


class Keys:
    """Builds the name of every key that Python code uses."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self.prefix = prefix
        self.schema = f"{prefix}schema"
        self.renders = f"{prefix}renders"
        self.events = f"{prefix}events"
        self.accounts = f"{prefix}accounts"
        self.slot_limits = f"{prefix}slot_limits"
        self.paused = f"{prefix}paused"
        self.alarms = f"{prefix}alarms"
        self.held = f"{prefix}held"
        self.resend = f"{prefix}resend"
        self.dead_letters = f"{prefix}dead_letters"
        self.capabilities = f"{prefix}capabilities"
        self.quarantine = f"{prefix}quarantine"
        self.quarantine_requests = f"{prefix}quarantine_requests"
        self.quarantine_counts = f"{prefix}quarantine_counts"
        self.sweep = f"{prefix}sweep"
        self.swept = f"{prefix}swept"
        self.lanes = f"{prefix}lanes"
        self.disk_probe = f"{prefix}disk_probe"
        self.audit = f"{prefix}audit"
        self.tenants = f"{prefix}tenants"
        self.indexed = f"{prefix}indexed"
        self.statistics = f"{prefix}statistics"
        self.hook_queues = f"{prefix}hook_queues"
        self.old_uploads = f"{prefix}old_uploads"
        self.api_keys = f"{prefix}keys"
        self.api_keys_used = f"{prefix}keys:used"
        self.doubt = f"{prefix}doubt"
        self.gap = f"{prefix}gap"
        self.lived = f"{prefix}lived"
        self.unchecked = f"{prefix}unchecked"
        self.board_secret = f"{prefix}keys:board"

    def render(self, render_id: str) -> str:
        """Return the hash of a render: its state and everything that changes."""
        return f"{self.prefix}render:{render_id}"

    def audit_of(self, tenant: str | None) -> str:
        """Return the stream of what was done for a tenant; None: by actors for all tenants."""
        return self.audit if tenant is None else f"{self.audit}@{tenant}"

    def answer(self, caller: str) -> str:
        """Return the key of the newest answer to a caller, which is a thread of a process."""
        return f"{self.prefix}answer:{caller}"

    def meta(self, render_id: str) -> str:
        """Return the JSON of a render's fixed data: name, hooks, metadata, warnings."""
        return f"{self.prefix}meta:{render_id}"

    def body(self, render_id: str) -> str:
        """Return the JSON of a render's request body."""
        return f"{self.prefix}body:{render_id}"

    def history(self, render_id: str) -> str:
        """Return the JSON of a render's earlier attempts."""
        return f"{self.prefix}history:{render_id}"

    def timeline(self, render_id: str) -> str:
        """Return the list of what happened to a render."""
        return f"{self.prefix}timeline:{render_id}"

    def state(self, state: str) -> str:
        """Return the sorted set of the renders in a state."""
        return f"{self.prefix}state:{state}"

    def texts(self, name: str) -> str:
        """Return the sorted set of the names of renders (''), or of the values of a label."""
        return f"{self.prefix}labels:{name}" if name else f"{self.prefix}names"

    def totals(self, generation: str, tenant: str) -> str:
        """Return the hash of a tenant's totals in one generation of them."""
        return list_of(tenant, f"{self.statistics}:{generation}")

    def minute(self, number: int) -> str:
        """Return the hash of what happened in a minute, which is numbered from 1970."""
        return f"{self.prefix}minute:{number}"

    def due(self, account: str) -> str:
        """Return the sorted set of an account's renders by the time of their next poll."""
        return f"{self.prefix}due:{account}"

    def parked(self, account: str) -> str:
        """Return the sorted set of an account's parked submissions."""
        return f"{self.prefix}parked:{account}"

    def queued(self, lane: str, owner: str) -> str:
        """Return the sorted set of an owner's messages in a queue, by when they were sent."""
        return f"{self.prefix}queued:{lane}:{owner}"

    def pump(self, account: str) -> str:
        """Return the hash of an account's poll pumps."""
        return f"{self.prefix}pump:{account}"

    def hold(self, account: str) -> str:
        """Return the hash that says why the vendor refuses to render for an account."""
        return f"{self.prefix}hold:{account}"

    def circuit(self, account: str) -> str:
        """Return the hash of an account's circuit breaker."""
        return f"{self.prefix}circuit:{account}"

    def backoff(self, account: str) -> str:
        """Return the key that holds until when a `Retry-After` of an account holds."""
        return f"{self.prefix}backoff:{account}"

    def rate_limit(self, account: str) -> str:
        """Return the hash of an account's rate limit after a 429."""
        return f"{self.prefix}rate_limit:{account}"

    def slots(self, account: str) -> str:
        """Return the set of an account's renders at the vendor."""
        return f"{self.prefix}slots:{account}"

    def owners(self, account: str) -> str:
        """Return the sorted set of the owners that take turns with an account."""
        return f"{self.prefix}owners:{account}"

    def webhooks_alive(self, account: str) -> str:
        """Return the key that holds until when an account's webhooks are relied on."""
        return f"{self.prefix}webhooks_alive:{account}"

    def account_status(self, account: str) -> str:
        """Return the hash of the times of an account's token, which holds no secret."""
        return f"{self.prefix}account_status:{account}"

    def orphan_drafts(self, account: str) -> str:
        """Return the sorted set of the renders that may have orphan drafts."""
        return f"{self.prefix}orphan_drafts:{account}"

    def stored_projects(self, account: str) -> str:
        """Return the sorted set of the renders whose project is to be deleted."""
        return f"{self.prefix}stored_projects:{account}"

    def forgetting(self, render_id: str = "") -> str:
        """Return the sorted set of forgotten renders of which something is left; of one render the set of what is."""
        return f"{self.prefix}forgetting:{render_id}" if render_id else f"{self.prefix}forgetting"

    def forgotten_projects(self, account: str) -> str:
        """Return the sorted set of the projects of forgotten renders that are to be deleted: `<render> <project>`."""
        return f"{self.prefix}forgotten_projects:{account}"

    def project_owners(self, account: str) -> str:
        """Return the hash that says which attempt of which render made a project."""
        return f"{self.prefix}project_owners:{account}"

    def project_tenants(self, account: str) -> str:
        """Return the hash that says which tenant, other than the default one, made a project."""
        return f"{self.prefix}project_tenants:{account}"

    def durations(self, account: str, kind: str) -> str:
        """Return the list of the durations of an account's newest renders of a kind."""
        return f"{self.prefix}durations:{account}:{kind}"

    def unknown_projects(self, account: str) -> str:
        """Return the hash of projects with our tag that the ledger did not know when it was reconciled."""
        return f"{self.prefix}unknown_projects:{account}"

    def token(self, account: str) -> str:
        """Return the hash of an account's shared token; `:lock`, `:failure` and `:refusals` are its neighbours."""
        return f"{self.prefix}token:{account}"

    def catalogue(self, account: str, name: str) -> str:
        """Return the hash of a cached pick list; `:failure` and `:lease` are its neighbours."""
        return f"{self.prefix}catalogue:{account}:{name}"

    def wanted_lists(self, account: str) -> str:
        """Return the set of the pick lists of an account that a worker is to read anew."""
        return f"{self.prefix}wanted_lists:{account}"

    def recent_calls(self, account: str) -> str:
        """Return the list of the start times of an account's latest calls."""
        return f"{self.prefix}recent_calls:{account}"

    def clock_skew(self, worker: str) -> str:
        """Return the key that holds how far a worker's clock is ahead."""
        return f"{self.prefix}clock_skew:{worker}"

    def uploaded_bytes(self, tenant: str, day: int) -> str:
        """Return the key that counts what a tenant uploads in a day, which is numbered from 1970."""
        return f"{self.prefix}uploaded_bytes:{tenant}:{day}"

    def stored_file(self, url: str) -> str:
        """Return the key that holds which render writes the file at a URL."""
        return f"{self.prefix}stored_file:{hashlib.sha256(url.encode(errors='replace')).hexdigest()[:40]}"


def list_of(tenant: str | None, name: str) -> str:
    """Return the list of a tenant beside the list `name` of all. The default tenant reads the one of all."""
    return name if tenant in (None, DEFAULT) else f"{name}@{tenant}"
