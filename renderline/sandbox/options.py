"""The command line of the sandbox, read once into a frozen value."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

from renderline.sandbox.curves import CURVES, MIXED

WEBHOOK_MODES = ("normal", "none", "duplicate", "reordered", "final-only", "wrapped")


@dataclass(frozen=True)
class Options:
    """What may differ between two sandboxes; times in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    render_seconds: float = 10.0
    generation_seconds: float | None = None
    spread: float = 0.0
    curve: str = "linear"
    latency: float = 0.0
    token_seconds: int = 86400
    failures: str = "4xx"
    webhooks: str = "normal"
    project_list: str = "exported"
    order: str = "newest"
    names: str = "kept"
    deleted: str = "gone"
    announced_limit: int | None = None
    clock_skew: float | None = None
    urls: str = "everywhere"
    words: str = "normal"
    link_seconds: float | None = None
    samples: bool = True
    named_lists: bool = False
    edits: str = "same"
    v2_answers: str = "both"
    lenient: bool = False
    max_concurrent: int | None = None
    credentials: dict[str, str] = field(default_factory=dict)
    v2_keys: frozenset[str] = frozenset()
    seed: int | None = None


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError("must be at least 0 and below 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if value < 0.0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def options_parser() -> argparse.ArgumentParser:
    """The command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m renderline.sandbox", description="An emulator of the AI Studios API (v3 and v2)."
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one and prints it (default)")
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--public-url", help="base of download URLs (default: the host that the caller used)")
    add("--render-seconds", type=_seconds, default=10.0, metavar="S", help="how long a render takes (default 10)")
    add("--generation-seconds", type=_seconds, metavar="S", help="how long a generation takes (default: as a render)")
    add("--spread", type=_share, default=0.0, metavar="X", help="durations vary by this share, 0.8: 0.2 to 1.8 times")
    add("--curve", choices=[*CURVES, MIXED], default="linear", help="how progress grows (default linear)")
    add("--latency", type=_seconds, default=0.0, metavar="S", help="every answer takes so long (default 0)")
    add("--token-seconds", type=int, default=86400, metavar="S", help="lifetime of a token (default 86400)")
    add("--failures", choices=["4xx", "200"], default="4xx", help="refusals as 4xx (default), or as 200")
    add("--webhooks", choices=WEBHOOK_MODES, default="normal", help="how webhooks are sent (default normal)")
    add(
        "--list",
        choices=["exported", "all"],
        default="exported",
        dest="project_list",
        help="what the project list shows (default exported)",
    )
    add("--order", choices=["newest", "oldest"], default="newest", help="which project the list shows first")
    add("--names", choices=["kept", "cut"], default="kept", help="cut: names of projects end after 30 characters")
    add("--deleted", choices=["gone", "readable"], default="gone", help="readable: a deleted project can still be read")
    add("--announced-limit", type=int, metavar="N", help="every answer announces a limit of N calls in a header")
    add("--clock-skew", type=float, metavar="S", help="answers have a date, S seconds ahead (default: no date)")
    add("--urls", choices=["everywhere", "project"], default="everywhere", help="project: URLs only in get-project")
    add("--words", choices=["normal", "complete"], default="normal", help="complete: the only state word is Complete")
    add("--link-seconds", type=_seconds, metavar="S", help="links are signed and expire after S seconds")
    add("--lists", choices=["bare", "named"], default="bare", help="lists alone in data, or below a name")
    add("--samples", choices=["on", "off"], default="on", help="projects made by the editor (default on)")
    add("--edits", choices=["same", "new"], default="same", help="an edit changes the project, or makes a new one")
    add("--v2-answers", choices=["both", "top", "data"], default="both", help="where v2 puts its answers")
    add("--lenient", action="store_true", help="accept any body that has scenes")
    add("--max-concurrent", type=int, metavar="N", help="renders at once per account; one more is answered 429")
    add("--app-id", action="append", default=[], metavar="A", help="accept only this appId (repeatable, in pairs ...)")
    add("--user-key", action="append", default=[], metavar="K", help="... with this userKey)")
    add("--v2-key", action="append", default=[], metavar="K", help="accept only this v2 key (repeatable)")
    add("--seed", type=int, help="makes ids, chance and mixed curves repeatable")
    return parser


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Options from a command line; exits with the usage text if one is wrong."""
    parser = options_parser()
    given = vars(parser.parse_args(arguments))
    app_ids, user_keys, v2_keys = given.pop("app_id"), given.pop("user_key"), given.pop("v2_key")
    if len(app_ids) != len(user_keys):
        parser.error("--app-id and --user-key go in pairs")
    given["samples"] = given["samples"] == "on"
    given["named_lists"] = given.pop("lists") == "named"
    if given["public_url"]:
        given["public_url"] = given["public_url"].rstrip("/")
    return Options(**given, credentials=dict(zip(app_ids, user_keys, strict=True)), v2_keys=frozenset(v2_keys))
