"""The forms of the keys that Renderline itself issues or asks for, as a plugin of detect-secrets."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class RenderlineKeyDetector(RegexBasedDetector):
    """API keys of the gateway, and secrets that sign hooks."""

    secret_type = "Renderline key"  # pragma: allowlist secret

    denylist = (
        re.compile(r"\brl_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\b"),
        re.compile(r"\bwhsec_[A-Za-z0-9+/]{32,88}={0,2}"),
    )
