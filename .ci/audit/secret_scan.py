"""Secrets in the files of the checkout, found by detect-secrets.

A line with `pragma: allowlist secret` is passed over. Tests, benchmarks, the harness and the sandbox are full of
invented passwords and ids: there only the forms of real keys count.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings
from result import Result

_INVENTED = ("tests/", "benchmarks/", "harness/", "examples/", "renderline/sandbox/")
# The locks are hashes throughout.
_PASSED_OVER = ("requirements", "benchmarks/peers/requirements")
_BINARY = (".png", ".mp4", ".svg", ".pdf")

_VENDORS = (
    "AWSKey",
    "AzureStorageKey",
    "GitHubToken",
    "GitLabToken",
    "Npm",
    "OpenAI",
    "PrivateKey",
    "PypiToken",
    "SendGrid",
    "Slack",
    "Stripe",
)
_KEY_FORMS: list[dict[str, object]] = [{"name": f"{vendor}Detector"} for vendor in _VENDORS]
_OWN: list[dict[str, object]] = [
    {"name": "RenderlineKeyDetector", "path": (Path(__file__).parent / "key_forms.py").as_uri()}
]
_GUESSES: list[dict[str, object]] = [
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "HexHighEntropyString", "limit": 3.0},
    {"name": "BasicAuthDetector"},
    {"name": "JwtTokenDetector"},
    {"name": "KeywordDetector"},
]
# What stands beside the word "secret" and is none: names of variables, messages, ids.
_NO_SECRETS = [
    # Ids: of our API keys, of the vendor's projects.
    r"^([0-9a-f]{12}|[0-9a-f]{24})$",
    r"^[A-Z]+(_[A-Z0-9]+)+$",
    r"^must be text$",
    r"^(true|false)$",
    r"^password$",
    r"^whsec_$",
    r"^Renderline key$",
]
_FILTERS: list[dict[str, object]] = [
    {"path": "detect_secrets.filters.regex.should_exclude_secret", "pattern": _NO_SECRETS}
] + [
    {"path": f"detect_secrets.filters.{name}"}
    for name in (
        "allowlist.is_line_allowlisted",
        "heuristic.is_indirect_reference",
        "heuristic.is_likely_id_string",
        "heuristic.is_not_alphanumeric_string",
        "heuristic.is_potential_uuid",
        "heuristic.is_prefixed_with_dollar_sign",
        "heuristic.is_sequential_string",
        "heuristic.is_templated_secret",
    )
]


def check(root: Path) -> Iterator[Result]:
    """Yield a failure for each line that holds a secret; the secret itself is not shown."""
    files = [path for path in _files(root) if not path.startswith(_PASSED_OVER) and not path.endswith(_BINARY)]
    invented = [path for path in files if path.startswith(_INVENTED)]
    found = [*_scan(root, sorted(set(files) - set(invented)), [*_KEY_FORMS, *_OWN, *_GUESSES])]
    found += _scan(root, invented, _KEY_FORMS)
    for path, line, kind in sorted(set(found)):
        advice = "revoke it and take it out; if it protects nothing, say so with `pragma: allowlist secret`"
        yield Result("FAIL", f"{path}:{line}: {kind}; {advice}")
    if not found:
        yield Result("ok", f"detect-secrets: no secret in {len(files)} files")


def _scan(root: Path, paths: list[str], plugins: list[dict[str, object]]) -> Iterator[tuple[str, int, str]]:
    with transient_settings({"plugins_used": plugins, "filters_used": _FILTERS}):
        collection = SecretsCollection(root=str(root))
        for path in paths:
            collection.scan_file(path)
        for path, secret in collection:
            yield path, secret.line_number, secret.type


def _files(root: Path) -> list[str]:
    """Return the files that are, or would be, committed."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listed.split("\0") if path and (root / path).is_file())
