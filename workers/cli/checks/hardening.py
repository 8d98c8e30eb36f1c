"""Checks of what protects an installation from other people. docs/security.md lists exactly these."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from redis import Redis, ResponseError
from redis.exceptions import NoPermissionError

from config import env_file, parsers, redis_address, secret_file, secret_strength
from config.env_file import environment
from config.settings import VARIABLES, Settings
from renderline.tenants import Tenant, Tenants
from workers.cli.checks.result import CheckResult

if TYPE_CHECKING:
    from renderline.gateway.api_keys import ApiKey

UNUSED_AFTER = 30 * 86400.0
"""Seconds after which a key that nobody uses is reported."""

MANY_OPERATORS = 2

# The first patch of each line without the holes known when this was written; others are judged by their line.
_PATCHED = {
    "Redis": {(6, 2): 20, (7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
    "Valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4},
}


def check(redis: Redis, settings: Settings, tenants: Tenants) -> Iterator[CheckResult]:
    """Yield a result for each item of the checklist."""
    yield of_transport(settings.redis_url)
    yield of_user(settings.redis_url)
    yield _commands(redis, settings.redis_url)
    yield _patches(redis)
    yield of_keys_required(settings)
    yield from _api_keys(redis)
    yield of_secrets(settings)
    policies = [tenants.of(name) for name in tenants.names]
    yield of_rotation(policies)
    yield of_celery_hooks(policies, keys_required=settings.api_keys_required)
    yield of_private_addresses(settings)
    yield of_modes(_private_paths(settings, environment()))
    yield _address("gateway address", settings.gateway_bind.rpartition(":")[0], "RENDERLINE_GATEWAY_BIND")
    yield _address("flower address", settings.flower_address, "FLOWER_ADDRESS")
    yield of_remote_control(settings)


def of_transport(redis_url: str) -> CheckResult:
    """Return the result on who can read along between here and Redis."""
    address = redis_address.read(redis_url)
    if address.tls:
        return CheckResult("redis transport", "ok", "TLS")
    if address.is_local:
        return CheckResult("redis transport", "ok", "a socket of this machine" if address.socket else "loopback")
    detail = f"no TLS to {address.hosts[0][0]}: passwords, tokens and scripts can be read on the way"
    return CheckResult("redis transport", "warn", detail, "use rediss:// (docs/broker.md), or a network of its own")


def of_user(redis_url: str) -> CheckResult:
    """Return the result on the Redis user and its password."""
    address = redis_address.read(redis_url)
    advice = "use a user for each role: renderline redis-users (docs/broker.md)"
    if not address.password:
        # On loopback the door is open to this machine alone.
        verdict: Literal["warn", "fail"] = "warn" if address.is_local else "fail"
        return CheckResult("redis user", verdict, "no password: everybody who reaches Redis may do everything", advice)
    if address.username in (None, "default"):
        return CheckResult("redis user", "warn", "the user default, which may do everything", advice)
    return CheckResult("redis user", "ok", address.username)


def _commands(redis: Redis, redis_url: str) -> CheckResult:
    user = redis_address.read(redis_url).username or "default"
    allowed = [name for name in ("CONFIG", "FLUSHALL") if _may_call(redis, user, name)]
    if not allowed:
        return CheckResult("redis commands", "ok", f"{user} may call neither CONFIG nor FLUSHALL")
    advice = "use a user for each role: renderline redis-users (docs/broker.md)"
    return CheckResult("redis commands", "warn", f"{user} may call {' and '.join(allowed)}", advice)


def _may_call(redis: Redis, user: str, command: str) -> bool:
    """Ask the server without calling the command. A user who may not ask is no administrator."""
    arguments = {"CONFIG": ("CONFIG", "SET", "maxmemory", "0"), "FLUSHALL": ("FLUSHALL",)}[command]
    try:
        return bool(redis.execute_command("ACL", "DRYRUN", user, *arguments) in ("OK", b"OK"))
    except NoPermissionError:
        return False
    except ResponseError:
        # Before Redis 7 there is no DRYRUN.
        return user == "default"


def _patches(redis: Redis) -> CheckResult:
    try:
        info: dict[str, Any] = redis.info("server")
    except NoPermissionError:
        return CheckResult("redis patches", "ok", "this user may not call INFO; look at the server's version yourself")
    name, version = (
        ("Valkey", info["valkey_version"])
        if "valkey_version" in info
        else ("Redis", str(info.get("redis_version", "")))
    )
    return of_patches(name, str(version))


def of_patches(name: str, version: str) -> CheckResult:
    """Return the result on known holes of this version of `Redis` or `Valkey`."""
    major, minor, patch, *_ = [*(int(part) if part.isdigit() else 0 for part in version.split(".")), 0, 0, 0]
    lines, line = _PATCHED[name], (major, minor)
    shown = f"{name} {version}"
    if line > max(lines) or patch >= lines.get(line, patch + 1):
        return CheckResult("redis patches", "ok", f"{shown} has no hole that this version of Renderline knows")
    # A line that nobody maintains any more has no patch: the next one that has.
    patched = min(one for one in lines if one >= line)
    wanted = f"{name} {'.'.join(map(str, patched))}.{lines[patched]}"
    advice = f"use {wanted} or newer, unless your distribution has patched this version"
    return CheckResult("redis patches", "warn", f"{shown} has known holes (CVE-2025-49844: code from scripts)", advice)


def of_keys_required(settings: Settings) -> CheckResult:
    """Return the result on callers without an API key."""
    if settings.api_keys_required:
        return CheckResult("api keys", "ok", "required")
    # A gateway that other machines reach does not start without them.
    detail = f"not required: everybody who reaches {settings.gateway_bind} may do everything"
    return CheckResult("api keys", "warn", detail, "unset RENDERLINE_API_KEYS_REQUIRED, and: renderline keys create")


def _api_keys(redis: Redis) -> Iterator[CheckResult]:
    from renderline.gateway.api_keys import ApiKeys

    try:
        keys = ApiKeys(redis).list()
    except NoPermissionError:
        detail = "this Redis user may not read the keys; run the doctor with the operator's REDIS_URL to check them"
        yield CheckResult("unused api keys", "ok", detail)
        yield CheckResult("operator api keys", "ok", detail)
        return
    yield of_unused_keys(keys, now=time.time())
    yield of_operator_keys(keys)


def of_unused_keys(keys: Iterable[ApiKey], *, now: float) -> CheckResult:
    """Return the result on keys that nobody has used for a month."""
    unused = [key for key in keys if now - (key.used or key.created) > UNUSED_AFTER]
    if not unused:
        return CheckResult("unused api keys", "ok", "none")
    detail = f"not used for {UNUSED_AFTER / 86400:.0f} days: {_names(unused)}"
    return CheckResult("unused api keys", "warn", detail, "renderline keys revoke, unless they are still needed")


def of_operator_keys(keys: Iterable[ApiKey]) -> CheckResult:
    """Return the result on keys that act for all tenants."""
    operators = [key for key in keys if "operator" in key.scopes]
    if not operators:
        return CheckResult("operator api keys", "ok", "none")
    if len(operators) <= MANY_OPERATORS:
        return CheckResult("operator api keys", "ok", f"act for all tenants: {_names(operators)}")
    advice = "give callers of one tenant the scope admin, and revoke the others: renderline keys revoke"
    return CheckResult(
        "operator api keys", "warn", f"{len(operators)} act for all tenants: {_names(operators)}", advice
    )


def _names(keys: Sequence[ApiKey]) -> str:
    shown = ", ".join(f"{key.key_id} ({key.name})" for key in keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown


def of_secrets(settings: Settings) -> CheckResult:
    """Return the result on secrets that could be guessed, also those that are allowed on loopback."""
    weak = []
    if settings.secret_key and secret_strength.of_key(settings.secret_key):
        weak.append("RENDERLINE_SECRET_KEY")
    if any(map(secret_strength.of_hook_secret, settings.hook_secrets or ())):
        weak.append("RENDERLINE_HOOK_SECRET")
    logins = (settings.flower_basic_auth or "").split(",")
    if any(login and secret_strength.of_login(login, reachable=True) for login in logins):
        weak.append("FLOWER_BASIC_AUTH")
    password = redis_address.read(settings.redis_url).password
    if password and secret_strength.of_redis_password(password):
        weak.append("the password in REDIS_URL")
    if not weak:
        return CheckResult("secret strength", "ok", "no secret that is easily guessed")
    return CheckResult("secret strength", "warn", f"easily guessed: {', '.join(weak)}", "openssl rand -hex 32")


def of_rotation(policies: Iterable[Tenant]) -> CheckResult:
    """Return the result on hook secrets of which an old one is still valid."""
    rotating = []
    for tenant in policies:
        rotating += [tenant.name] if len(tenant.hook_secrets) > 1 else []
        rotating += [f"{tenant.name}/{name}" for name, one in tenant.endpoints.items() if len(one.secrets) > 1]
    if not rotating:
        return CheckResult("secret rotation", "ok", "one hook secret each")
    detail = f"two hook secrets are valid: {', '.join(rotating)}"
    return CheckResult("secret rotation", "warn", detail, "remove the old one when all its receivers have the new one")


def of_celery_hooks(policies: Iterable[Tenant], *, keys_required: bool) -> CheckResult:
    """Return the result on the tasks that requests may have sent."""
    anything = [tenant.name for tenant in policies if any(_is_any(one) for one in tenant.celery_hooks or ())]
    advice = "list the tasks and queues that requests may name in RENDERLINE_CELERY_HOOKS, such as billing.*@billing"
    if anything:
        return CheckResult("celery hooks", "warn", f"any task or any queue: {', '.join(anything)}", advice)
    if not keys_required and any(tenant.celery_hooks is None for tenant in policies):
        return CheckResult("celery hooks", "warn", "unset, and callers need no key: they may name any task", advice)
    return CheckResult("celery hooks", "ok", "only listed tasks over HTTP")


def _is_any(pattern: str) -> bool:
    task, _, queue = pattern.rpartition("@")
    return not task.strip("*") or not queue.strip("*")


def of_private_addresses(settings: Settings) -> CheckResult:
    """Return the result on calls into the private network that requests can cause."""
    allowed = {
        name: f"RENDERLINE_ALLOW_PRIVATE_{name.upper()}"
        for name in ("hooks", "downloads")
        if getattr(settings, f"allow_private_{name}")
    }
    if settings.check_pages == "any":
        allowed["checks of pages"] = "RENDERLINE_CHECK_PAGES"
    if not allowed:
        return CheckResult("private addresses", "ok", "refused")
    names = " and ".join(allowed.values())
    detail = f"{' and '.join(allowed)} may call the private network"
    return CheckResult("private addresses", "warn", detail, f"unset {names} where it is not for development")


def _private_paths(settings: Settings, environ: Mapping[str, str]) -> list[Path]:
    data = Path(settings.data_dir)
    files = [environ.get(name) for name in ("AISTUDIOS_ACCOUNTS", "RENDERLINE_TENANTS")]
    secrets = [environ.get(name + secret_file.SUFFIX, "") for name, wanted in VARIABLES.items() if wanted.secret]
    # What systemd, Docker and Kubernetes mount there is for this process or container alone, whatever its mode.
    files += [path for path in secrets if not path.startswith("/run/")]
    own = env_file.path_of(environ) or Path(".env")
    return [own, data, data / "env", data / "flower", data / "redis", *(Path(file) for file in files if file)]


def of_modes(paths: Iterable[Path]) -> CheckResult:
    """Return the result on files that hold secrets and that other users of this machine can open."""
    opened = []
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            opened.append(f"{path} ({stat.S_IMODE(mode):04o})")
    if not opened:
        return CheckResult("file modes", "ok", "settings and data are for this user alone")
    advice = "chmod 600 for files, 700 for directories"
    return CheckResult("file modes", "warn", f"other users of this machine can open {', '.join(opened)}", advice)


def _address(name: str, host: str, variable: str) -> CheckResult:
    if parsers.is_loopback_host(host):
        return CheckResult(name, "ok", f"{host}: this machine alone")
    detail = f"{host}: other machines reach it, without TLS"
    return CheckResult(name, "warn", detail, f"let nothing but a proxy with TLS reach it, or set {variable}")


def of_remote_control(settings: Settings) -> CheckResult:
    """Return the result on commands over the broker that change workers."""
    if settings.remote_control == "inspect":
        return CheckResult("remote control", "ok", "workers refuse commands that change them")
    detail = "everybody who may publish on the broker can stop and reconfigure workers"
    return CheckResult("remote control", "warn", detail, "unset RENDERLINE_REMOTE_CONTROL")
