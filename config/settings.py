"""The settings of a deployment: read once from the environment, typed and validated together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from config import env_file, parsers, redis_address, secret_strength
from config.account_variables import ACCOUNT_VARIABLES, accounts_of, names_account
from config.accounts import Account
from config.release import is_later, release
from config.tenants import FILE, Table, secrets_of, tenants_of
from config.variable import Environment, SettingsError, Variable, file_variables, variable

__all__ = ["VARIABLES", "Account", "Role", "Settings", "SettingsError", "load"]

Role = Literal["worker", "gateway", "flower", "redis"]

_PREFIXES = ("RENDERLINE_", "AISTUDIOS_")
_ABOVE_ZERO = "seconds above 0"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process; `repr` shows no secret. Times are seconds."""

    role: Role
    accounts: tuple[Account, ...]
    tenants: tuple[Table, ...] = field(default=(), repr=False)
    unread: tuple[str, ...] = ()
    """Variables of the later version for which the settings were written: this one ignores them."""

    settings_version: str | None = variable(
        "RENDERLINE_SETTINGS_VERSION", parsers.version, "the version for which they were written, such as 0.2.0"
    )

    # Redis and storage.
    redis_url: str = variable(
        "REDIS_URL",
        redis_address.parse,
        "redis://[[user]:password@]host[:port][/number], rediss:// with TLS options such as ?ssl_ca_certs=/path, "
        "unix:///path/of.sock[?db=number] or sentinel://host:port,host:port[/number]?master_name=name (docs/redis.md)",
        default="redis://127.0.0.1:6379/0",
        secret=True,
    )
    storage_url: str | None = variable(
        "RENDERLINE_STORAGE_URL",
        parsers.storage_url,
        "an address that fsspec opens, such as file:///srv/videos or s3://bucket/videos",
    )

    uploads_url: str | None = variable(
        "RENDERLINE_UPLOADS_URL",
        parsers.storage_url,
        "an address that fsspec opens, such as file:///srv/uploads or s3://bucket/uploads",
    )
    max_upload_bytes: int = variable(
        "RENDERLINE_MAX_UPLOAD_BYTES", parsers.count(least=1024), "a whole number of at least 1024", default=200 << 20
    )
    upload_bytes_per_day: int = variable(
        "RENDERLINE_UPLOAD_BYTES_PER_DAY",
        parsers.count(least=1024),
        "a whole number of at least 1024",
        default=10 << 30,
    )
    upload_retention: float = variable(
        "RENDERLINE_UPLOAD_RETENTION", parsers.seconds(), _ABOVE_ZERO, default=30 * 86400.0
    )

    # Requests and hooks.
    public_url: str | None = variable(
        "RENDERLINE_PUBLIC_URL",
        parsers.public_url,
        "http(s)://host[:port][/path], where the vendor reaches the gateway",
    )
    secret_key: str | None = variable(
        "RENDERLINE_SECRET_KEY", parsers.long_secret, "at least 32 characters", secret=True
    )
    hook_secrets: tuple[str, ...] | None = variable(
        "RENDERLINE_HOOK_SECRET",
        parsers.hook_secrets,
        "whsec_ and the base64 of 24 to 64 random bytes, or two of these with a comma between",
        secret=True,
    )
    celery_hooks: tuple[str, ...] | None = variable(
        "RENDERLINE_CELERY_HOOKS",
        parsers.celery_hooks,
        "patterns task@queue with commas between, such as billing.*@billing, or *@* for all",
    )
    allow_private_hooks: bool = variable(
        "RENDERLINE_ALLOW_PRIVATE_HOOKS", parsers.boolean, "true or false", default=False
    )
    allow_private_downloads: bool = variable(
        "RENDERLINE_ALLOW_PRIVATE_DOWNLOADS", parsers.boolean, "true or false", default=False
    )
    delete_stored_projects: bool = variable(
        "RENDERLINE_DELETE_STORED_PROJECTS", parsers.boolean, "true or false", default=False
    )
    api_keys_required: bool = variable("RENDERLINE_API_KEYS_REQUIRED", parsers.boolean, "true or false", default=True)
    broker_tenants: tuple[str, ...] = variable(
        "RENDERLINE_BROKER_TENANTS", parsers.names, "names of tenants with commas between", default=("default",)
    )
    max_request_bytes: int = variable(
        "RENDERLINE_MAX_REQUEST_BYTES", parsers.count(least=1024), "a whole number of at least 1024", default=1 << 20
    )
    api_rate: str | None = variable(
        "RENDERLINE_API_RATE",
        parsers.rate,
        "calls per time for each API key, such as 600/minute or 10/second;600/minute",
    )
    hook_retry_for: float = variable("RENDERLINE_HOOK_RETRY_FOR", parsers.seconds(), _ABOVE_ZERO, default=3 * 86400.0)
    hook_attempts: int | None = variable(
        "RENDERLINE_HOOK_ATTEMPTS", parsers.count(most=100), "a whole number from 1 to 100"
    )
    hook_waits: tuple[float, ...] = variable(
        "RENDERLINE_HOOK_WAITS",
        parsers.waits,
        "1 to 50 waits with commas between, such as 2s,30s,5m,1h, each above 0 and at most 7d",
        default=(2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0),
    )
    hook_probe: float = variable("RENDERLINE_HOOK_PROBE", parsers.seconds(), _ABOVE_ZERO, default=20.0)
    hooks_per_host: int | None = variable(
        "RENDERLINE_HOOKS_PER_HOST", parsers.count(most=1000), "a whole number from 1 to 1000"
    )

    hook_queue_limit: int = variable(
        "RENDERLINE_HOOK_QUEUE_LIMIT",
        parsers.count(most=10_000_000),
        "a whole number from 1 to 10000000",
        default=10_000,
    )

    unknown_names: Literal["warn", "refuse", "ignore"] = variable(
        "RENDERLINE_UNKNOWN_NAMES",
        parsers.choice("warn", "refuse", "ignore"),
        "warn, refuse or ignore",
        default="warn",
    )
    catalogue_ttl: float = variable(
        "RENDERLINE_CATALOGUE_TTL", parsers.seconds(least=1), "seconds, at least 1", default=3600.0
    )

    labels: tuple[str, ...] = variable(
        "RENDERLINE_LABELS",
        parsers.labels,
        "up to three names of metadata with commas between, such as order,customer",
        default=(),
    )

    # Submitting, polling and giving up.
    submit: Literal["two_phase", "direct"] = variable(
        "RENDERLINE_SUBMIT", parsers.choice("two_phase", "direct"), "two_phase or direct", default="two_phase"
    )
    resubmit_unconfirmed: float | None = variable(
        "RENDERLINE_RESUBMIT_UNCONFIRMED", parsers.never_or_seconds, "never, or seconds above 0"
    )
    evidence_window: float = variable("RENDERLINE_EVIDENCE_WINDOW", parsers.seconds(), _ABOVE_ZERO, default=180.0)
    check_pages: Literal["public", "any", "off"] = variable(
        "RENDERLINE_CHECK_PAGES", parsers.choice("public", "any", "off"), "public, any or off", default="public"
    )
    wait_for_disk: Literal["auto", "always", "never"] = variable(
        "RENDERLINE_WAIT_FOR_DISK", parsers.choice("auto", "always", "never"), "auto, always or never", default="auto"
    )
    wait_for_replicas: int = variable(
        "RENDERLINE_WAIT_FOR_REPLICAS", parsers.count(least=0, most=9), "a whole number from 0 to 9", default=0
    )
    render_deadline: float = variable("RENDERLINE_RENDER_DEADLINE", parsers.seconds(), _ABOVE_ZERO, default=3600.0)
    unknown_after: float = variable("RENDERLINE_UNKNOWN_AFTER", parsers.seconds(), _ABOVE_ZERO, default=86_400.0)
    poll_strategy: Literal["progress", "list"] = variable(
        "RENDERLINE_POLL_STRATEGY", parsers.choice("progress", "list"), "progress or list", default="progress"
    )
    poll_min: float = variable("RENDERLINE_POLL_MIN", parsers.seconds(), _ABOVE_ZERO, default=2.0)
    poll_max: float = variable("RENDERLINE_POLL_MAX", parsers.seconds(), _ABOVE_ZERO, default=60.0)
    webhook_poll: float = variable("RENDERLINE_WEBHOOK_POLL", parsers.seconds(), _ABOVE_ZERO, default=60.0)
    lease: float = variable("RENDERLINE_LEASE", parsers.seconds(least=1), "seconds, at least 1", default=30.0)
    slow_lease: float | None = variable("RENDERLINE_SLOW_LEASE", parsers.seconds(least=1), "seconds, at least 1")
    sweep_every: float = variable("RENDERLINE_SWEEP_EVERY", parsers.seconds(), _ABOVE_ZERO, default=5.0)
    canary_interval: float = variable("RENDERLINE_CANARY_INTERVAL", parsers.seconds(), _ABOVE_ZERO, default=5.0)
    outage_probe: float = variable("RENDERLINE_OUTAGE_PROBE", parsers.seconds(), _ABOVE_ZERO, default=10.0)
    max_retry_after: float = variable(
        "RENDERLINE_MAX_RETRY_AFTER", parsers.seconds(most=3600), "seconds above 0, at most 3600", default=300.0
    )
    retention: float = variable("RENDERLINE_RETENTION", parsers.seconds(), _ABOVE_ZERO, default=7 * 86400.0)

    # Processes.
    worker_concurrency: int = variable(
        "RENDERLINE_WORKER_CONCURRENCY", parsers.count(most=1000), "a whole number from 1 to 1000", default=16
    )
    shutdown_timeout: float = variable("RENDERLINE_SHUTDOWN_TIMEOUT", parsers.seconds(), _ABOVE_ZERO, default=25.0)
    remote_control: Literal["inspect", "all"] = variable(
        "RENDERLINE_REMOTE_CONTROL", parsers.choice("inspect", "all"), "inspect or all", default="inspect"
    )
    log_level: str = variable(
        "RENDERLINE_LOG_LEVEL",
        parsers.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        "DEBUG, INFO, WARNING, ERROR or CRITICAL",
        default="INFO",
    )
    log_format: Literal["console", "json"] = variable(
        "RENDERLINE_LOG_FORMAT", parsers.choice("console", "json"), "console or json", default="console"
    )
    data_dir: str = variable("RENDERLINE_DATA_DIR", parsers.text, "a directory", default="var")
    metrics_bind: str | None = variable("RENDERLINE_METRICS_BIND", parsers.bind_address, "host:port")
    gateway_threads: int = variable(
        "RENDERLINE_GATEWAY_THREADS", parsers.count(least=4, most=1000), "a whole number from 4 to 1000", default=64
    )
    gateway_connections: int = variable(
        "RENDERLINE_GATEWAY_CONNECTIONS",
        parsers.count(least=16, most=60_000),
        "a whole number from 16 to 60000",
        default=1000,
    )
    gateway_header_timeout: float = variable(
        "RENDERLINE_GATEWAY_HEADER_TIMEOUT", parsers.seconds(), _ABOVE_ZERO, default=10.0
    )
    gateway_body_timeout: float = variable(
        "RENDERLINE_GATEWAY_BODY_TIMEOUT", parsers.seconds(), _ABOVE_ZERO, default=60.0
    )
    gateway_upload_timeout: float = variable(
        "RENDERLINE_GATEWAY_UPLOAD_TIMEOUT", parsers.seconds(), _ABOVE_ZERO, default=600.0
    )
    gateway_write_timeout: float = variable(
        "RENDERLINE_GATEWAY_WRITE_TIMEOUT", parsers.seconds(), _ABOVE_ZERO, default=60.0
    )
    gateway_bind: str = variable("RENDERLINE_GATEWAY_BIND", parsers.bind_address, "host:port", default="127.0.0.1:8000")
    trusted_proxies: int = variable(
        "RENDERLINE_TRUSTED_PROXIES", parsers.count(least=0, most=10), "a whole number from 0 to 10", default=0
    )
    sandbox_port: int = variable(
        "RENDERLINE_SANDBOX_PORT", parsers.count(most=65535), "a port from 1 to 65535", default=8900
    )
    sandbox_render_seconds: float = variable(
        "RENDERLINE_SANDBOX_RENDER_SECONDS", parsers.seconds(), _ABOVE_ZERO, default=20.0
    )
    flower_basic_auth: str | None = variable(
        "FLOWER_BASIC_AUTH", parsers.logins, "user:password, or several with commas between", secret=True
    )
    flower_address: str = variable("FLOWER_ADDRESS", parsers.text, "an address of this machine", default="127.0.0.1")
    flower_port: int = variable("FLOWER_PORT", parsers.count(most=65535), "a port from 1 to 65535", default=5555)
    flower_renders: bool = variable("RENDERLINE_FLOWER_RENDERS", parsers.boolean, "true or false", default=True)

    def warning(self) -> str | None:
        """Return what to tell about variables of a later version; None if there are none."""
        if not self.unread:
            return None
        names = ", ".join(self.unread)
        return f"settings of version {self.settings_version}: ignored, because this is version {release()}: {names}"

    @property
    def uploads_folder(self) -> str | None:
        """Return the URL of the storage of uploads: a folder of the storage of downloads, unless it has its own."""
        return self.uploads_url or (f"{self.storage_url}/uploads" if self.storage_url else None)

    @property
    def account_names(self) -> tuple[str, ...]:
        """Return the names that a render request may give as its account."""
        return tuple(account.name for account in self.accounts)

    def account(self, name: str) -> Account:
        """Return the account called `name`; raises KeyError for another name."""
        for account in self.accounts:
            if account.name == name:
                return account
        raise KeyError(name)

    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not appear in any log line, event or page."""
        logins = (self.flower_basic_auth or "").split(",")
        found = [*redis_address.read(self.redis_url).secrets, self.secret_key, *(self.hook_secrets or ())]
        found += [login.partition(":")[2] for login in logins]
        found += [secret for account in self.accounts for secret in account.secrets()]
        found += secrets_of(self.tenants)
        return tuple(dict.fromkeys(secret for secret in found if secret))


# Only docker-compose.yml reads them. They are declared here so that .env.example lists them and they count as known.
_COMPOSE = (
    Variable(
        name="RENDERLINE_REDIS_PASSWORD",
        read=parsers.redis_password,
        allowed="at least 16 letters, digits, - or _, chosen at random (openssl rand -hex 24)",
        secret=True,
    ),
    Variable(name="RENDERLINE_GRAFANA_PASSWORD", read=parsers.text, allowed="at least 12 characters", secret=True),
)

# Only config/env_file.py reads it.
_ENV_FILE = Variable(name=env_file.NAME, read=parsers.text, allowed="the path of a file, or empty for none", default="")

_FIELDS: dict[str, Variable] = {f.name: f.metadata["variable"] for f in fields(Settings) if "variable" in f.metadata}

_DECLARED = (*_FIELDS.values(), *ACCOUNT_VARIABLES, FILE, *_COMPOSE, _ENV_FILE)

VARIABLES: dict[str, Variable] = {found.name: found for found in (*_DECLARED, *file_variables(_DECLARED))}


def load(environ: Mapping[str, str], *, role: Role = "worker") -> Settings:
    """Read the settings of a process of the given role from `environ`.

    A worker needs the credentials of at least one account, Flower needs FLOWER_BASIC_AUTH; the others need neither.
    Raises SettingsError whose text has one line for every bad, missing or unknown variable.
    """
    env = Environment(environ, VARIABLES)
    values = {name: env.value(wanted) for name, wanted in _FIELDS.items()}
    # Those of a later version are known to its processes, which refuse a misspelt one.
    later = values["settings_version"] is not None and is_later(values["settings_version"])
    if not later:
        env.refuse_unknown(_PREFIXES)
    accounts, tenants = accounts_of(env), tenants_of(env)
    _require(env, role, accounts)
    # A bad value is None here.
    if None not in (values["poll_min"], values["poll_max"]) and values["poll_min"] > values["poll_max"]:
        env.problems.append(
            f"RENDERLINE_POLL_MIN={values['poll_min']:g}: must not be above RENDERLINE_POLL_MAX, which is "
            f"{values['poll_max']:g}; lower the first or raise the second"
        )
    _refuse_open_gateway(env, role, values)
    _refuse_weak_secrets(env, role, values)
    env.raise_problems()
    unread = env.unknown(_PREFIXES) if later else ()
    return Settings(role=role, accounts=accounts, tenants=tenants, unread=unread, **values)


def _require(env: Environment, role: Role, accounts: tuple[Account, ...]) -> None:
    """Add a problem for everything that this role needs and that is missing."""
    if role == "worker" and not accounts and not names_account(env):
        env.problems.append(
            "AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY are missing: a worker needs the credentials of an account; set "
            "both (v3 API), AISTUDIOS_V2_SECRET_KEY (v2 API), or AISTUDIOS_ACCOUNTS (a file with several accounts)"
        )
    if role == "flower" and "FLOWER_BASIC_AUTH" not in env.given:
        env.problems.append(
            "FLOWER_BASIC_AUTH is missing: Flower shows every task and does not start without a password; "
            "set it to user:password"
        )
    # Flower only links to that URL: it signs nothing, so it has no key.
    if role != "flower" and "RENDERLINE_PUBLIC_URL" in env.given and "RENDERLINE_SECRET_KEY" not in env.given:
        env.problems.append(
            "RENDERLINE_SECRET_KEY is missing: it signs the webhook URLs that RENDERLINE_PUBLIC_URL asks for; "
            "set it to at least 32 random characters, the same for all processes, or unset RENDERLINE_PUBLIC_URL"
        )


def _refuse_open_gateway(env: Environment, role: Role, values: Mapping[str, Any]) -> None:
    """Add a problem if everybody may call a gateway that other machines reach. Bad values are None here."""
    bind = values["gateway_bind"] or ""
    if role != "gateway" or values["api_keys_required"] is not False or not bind:
        return
    if not parsers.is_loopback_host(bind.rpartition(":")[0]):
        env.problems.append(
            f"RENDERLINE_GATEWAY_BIND={bind!r}: other machines reach this address, and "
            "RENDERLINE_API_KEYS_REQUIRED=false lets everybody in; set that to true (renderline keys create makes a "
            "key), or bind to 127.0.0.1"
        )


def _refuse_weak_secrets(env: Environment, role: Role, values: Mapping[str, Any]) -> None:
    """Add a problem for every secret that does not protect what this role opens with it. Bad values are None here."""
    if role == "flower":
        reachable = not parsers.is_loopback_host(values["flower_address"] or "")
        for login in (values["flower_basic_auth"] or "").split(","):
            if login and (reason := secret_strength.of_login(login, reachable=reachable)):
                env.problems.append(
                    f"FLOWER_BASIC_AUTH (value not shown): {reason}; choose another one: openssl rand -base64 18"
                )
    # A gateway that the vendor reaches is reached by others too. On loopback a test may use any key.
    public = values["public_url"] and not parsers.is_loopback(values["public_url"])
    if public and values["secret_key"] and (reason := secret_strength.of_key(values["secret_key"])):
        env.problems.append(
            f"RENDERLINE_SECRET_KEY (value not shown): {reason}; it signs the webhook URLs of RENDERLINE_PUBLIC_URL: "
            "choose it at random, with openssl rand -hex 32"
        )
    if public and any(map(secret_strength.of_hook_secret, values["hook_secrets"] or ())):
        env.problems.append(
            "RENDERLINE_HOOK_SECRET (value not shown): it has few different bytes, so others can sign hooks with it; "
            'choose it at random: echo "whsec_$(openssl rand -base64 32)"'
        )
