"""Tenants: the groups of callers that see nothing of each other; their policies, and who acts for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from renderline.contract import DEFAULT_TENANT

DEFAULT: Final = DEFAULT_TENANT
"""The tenant of everything that names none."""

Door = Literal["http", "board", "broker", "command line"]


@dataclass(frozen=True)
class Endpoint:
    """A registered HTTP endpoint that hooks name: its URL, and the secrets that sign its calls, the first one first."""

    url: str
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """The policy of one tenant. `*` in `projects` or `templates` grants all of them."""

    name: str
    accounts: tuple[str, ...] | None = None
    """The vendor accounts that its requests may name; None: all."""
    celery_hooks: tuple[str, ...] | None = None
    """Patterns `task@queue` of the tasks that its hooks may send; None: not set."""
    hook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """The secrets that sign its HTTP hooks, the newest first; two are valid during a rotation."""
    hook_hosts: tuple[str, ...] | None = None
    """Patterns of the hosts that its HTTP hooks may call; None: any."""
    allow_hook_urls: bool = True
    """Whether its HTTP hooks may name a URL; otherwise only registered endpoints."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    max_in_flight: int | None = None
    """How many of its renders may be between `accepted` and their end; None: no limit."""
    max_per_day: int | None = None
    """How many renders it may have accepted in a day; None: no limit."""
    projects: tuple[str, ...] = ()
    """Vendor projects that others made, and that its requests may name all the same."""
    templates: tuple[str, ...] = ()
    """Vendor templates that its requests may name."""

    def may_name_project(self, project_id: str, made_by: str | None) -> bool:
        """Return whether its requests may name a vendor project that a render of the tenant `made_by` made (None: that
        no known render made).
        """
        own = made_by == self.name or (made_by is None and self.name == DEFAULT)
        return own or bool({"*", project_id} & {*self.projects})

    def may_name_template(self, template_id: str) -> bool:
        """Return whether its requests may name a vendor template."""
        return self.name == DEFAULT or bool({"*", template_id} & {*self.templates})


class Tenants:
    """The tenants of an installation. One that no file lists has the default policy.

    `unlisted` is the policy of the tenant `default` as long as the file does not list that one.
    """

    def __init__(
        self,
        listed: Iterable[Tenant] = (),
        *,
        broker: Collection[str] = (DEFAULT,),
        unlisted: Tenant | None = None,
    ) -> None:
        self._listed = {tenant.name: tenant for tenant in listed}
        self.broker = tuple(broker)
        """The tenants that task messages may name."""
        self.names: tuple[str, ...] = tuple(sorted({DEFAULT, *self._listed}))
        """The listed names, and the default one."""
        self.closed = bool(self._listed)
        """Whether a file lists the tenants: no other may get an API key."""
        self.several = {*self.names, *self.broker} != {DEFAULT}
        """Whether the settings name another tenant than the default one."""
        if unlisted is not None:
            self._listed.setdefault(DEFAULT, unlisted)

    def of(self, name: str) -> Tenant:
        """Return the policy of the tenant called `name`."""
        return self._listed.get(name) or Tenant(name=name)

    def __getitem__(self, name: str) -> Tenant:
        """Return the policy of the tenant called `name`."""
        return self.of(name)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: through which door, for which tenant, with which API key."""

    door: Door
    tenant: str | None
    """The one tenant whose renders it sees; None: all."""
    key_id: str | None = None
    name: str = ""
    """The name of the API key."""
    accounts: tuple[str, ...] | None = None
    """The vendor accounts to which the API key is bound; None: not bound."""

    @property
    def home(self) -> str:
        """Return the tenant of a request that names none."""
        return self.tenant or DEFAULT

    def sees(self, tenant: str) -> bool:
        """Return whether it sees the renders of a tenant."""
        return self.tenant is None or self.tenant == tenant

    def allowed(self, accounts: Collection[str], policy: Tenant) -> Collection[str]:
        """Return those of the accounts that it may name in a request for a tenant with this policy."""
        bounds = [bound for bound in (self.accounts, policy.accounts) if bound is not None]
        return accounts if not bounds else [one for one in accounts if all(one in bound for bound in bounds)]

    def labels(self) -> dict[str, str]:
        """Return what log lines say about it: its tenant, unless it acts for all, and the id of its API key."""
        known = {"tenant": self.tenant, "key": self.key_id}
        return {name: value for name, value in known.items() if value is not None}

    def __str__(self) -> str:
        """Return what a record says about who had it accepted, such as `key 0123456789ab (billing)`."""
        # Redis keeps a hash compact only while each of its values has at most 64 bytes.
        return (
            self.door
            if self.key_id is None
            else f"key {self.key_id} ({self.name.encode()[:40].decode(errors='ignore')})"
        )


BROKER: Final = Actor(door="broker", tenant=None)
"""A task message. Which tenants it may name is a setting."""
COMMAND_LINE: Final = Actor(door="command line", tenant=None)
