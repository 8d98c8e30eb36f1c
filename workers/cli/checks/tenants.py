"""Doctor's check of the tenants, where there are several."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from renderline.tenants import DEFAULT, Tenants
from workers.cli.checks.result import CheckResult


def check(listed: Tenants, seen: Collection[str]) -> Iterator[CheckResult]:
    """Yield a result if there is another tenant than the default one.

    `seen` are the others that have had a render or an API key.
    """
    names = sorted({*listed.names, *listed.broker, *seen})
    if names == [DEFAULT]:
        return
    yield CheckResult("tenants", "ok", f"{len(names)}: {', '.join(names)}")
    unlisted = [name for name in names if name not in listed.names]
    if listed.closed and unlisted:
        detail = f"not in the file of RENDERLINE_TENANTS, so without limits: {', '.join(unlisted)}"
        yield CheckResult("tenants", "warn", detail, "list them there, or revoke their keys (renderline keys list)")
