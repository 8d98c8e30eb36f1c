"""The Redis users of the roles: `redis_users.acl` with its placeholders filled in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

ROLES = ("producer", "worker", "gateway", "flower", "operator")

_TEMPLATE = Path(__file__).with_name("redis_users.acl")


def user(role: str) -> str:
    """Return the name of a role's Redis user."""
    return f"renderline-{role}"


def acl_file(passwords: Mapping[str, str], *, database: int = 0, hook_queues: Sequence[str] = ()) -> str:
    """Return the text of the server's ACL file: one line for each user, with the hashes of these passwords by role.

    `hook_queues` are the queues to which celery hooks publish; `*` in a name stands for any text. Raises ValueError for
    a name that an ACL cannot express.
    """
    for queue in hook_queues:
        if re.search(r"[\s()%~&#\\]", queue) or not queue:
            raise ValueError(f"the queue {queue!r}: a name may not be empty or hold spaces or any of ( ) % ~ & # \\")
    values = {
        **{role: hashlib.sha256(passwords[role].encode()).hexdigest() for role in ROLES},
        "db": str(database),
        "select": "+select" if database else "",
        "read-hook-queues": " ".join(f"%R~{queue} %R~{queue}??[369]" for queue in hook_queues),
        "hook-queues": " ".join(f"%W~{queue} %W~{queue}??[369] %W~_kombu.binding.{queue}" for queue in hook_queues),
    }
    text = re.sub(r"<([a-z-]+)>", lambda found: values[found[1]], _rules())
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines())


def _rules() -> str:
    """Return the template without comments, each user on one line."""
    lines = _TEMPLATE.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return re.sub(r"\n(?!user )", " ", "\n".join(kept)) + "\n"


def redis_url(url: str, role: str, password: str) -> str:
    """Return a Redis URL with the user of a role instead of the one that it names."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user(role)}:{quote(password, safe='')}@{address}"))
