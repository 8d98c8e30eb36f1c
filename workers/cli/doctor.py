"""`renderline doctor`: every part that a render needs, each with a verdict and what to do."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence

import click
from rich.console import Group, RenderableType
from rich.text import Text

from workers.cli.checks.finding import PollResult
from workers.cli.session import Session, json_option, pass_session
from workers.cli.trouble import Code, complain, plain

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "bold yellow"), "fail": ("FAIL", "bold red")}


@click.command()
@json_option
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session) -> None:
    """Check Redis, vendor, storage, workers, queues and what waits for a decision.

    Exit code 1 if a check fails, 3 if Redis cannot be reached. Run it with the settings of a worker, as its user: the
    storage is checked from here.
    """
    findings: list[PollResult] = []
    code = Code.DONE
    for finding in _findings(session):
        findings.append(finding)
        if not session.as_json:
            session.console.print(_shown(finding))
        if finding.verdict == "fail":
            code = max(code, Code.UNREACHABLE if finding.check == _UNREACHABLE else Code.FAILED)
    if session.as_json:
        session.answer({"ok": not code, "checks": [dataclasses.asdict(one) for one in findings]}, lambda: None)
    if code:
        complain(f"{_count(findings, 'fail')} of {len(findings)} checks failed")
    context.exit(code)


_UNREACHABLE = "redis connection"


def _findings(session: Session) -> Iterator[PollResult]:
    from redis import RedisError

    settings = session.settings
    yield _settings(session)
    from workers.cli.checks import backlog, processes, server, storage, vendor

    try:
        yield from server.check(session.ledger.redis)
    except (RedisError, OSError) as error:
        address = settings.redis_url.rpartition("@")[2].removeprefix("redis://").removeprefix("rediss://")
        advice = "start it, or correct REDIS_URL; nothing else can be checked without it"
        yield PollResult(_UNREACHABLE, "fail", f"{address}: {error}", advice)
        return
    yield from vendor.check(settings, session.services.submitter.accounts)
    yield storage.check(settings.storage_url)
    yield from processes.check(session.app, session.ledger.redis, settings, prefix=session.ledger.prefix)
    yield from backlog.check(session.ledger, session.listing, session.commands)


def _settings(session: Session) -> PollResult:
    from config import settings

    try:
        settings.load(os.environ, role="worker")
    except settings.SettingsError as error:
        return PollResult("settings", "fail", str(error), "give this shell the settings of a worker")
    return PollResult("settings", "ok", f"{len(session.settings.accounts)} account(s), Redis, storage as for a worker")


def _shown(finding: PollResult) -> RenderableType:
    mark, style = _MARKS[finding.verdict]
    line = Text.assemble((mark, style), f"  {finding.check:<22} {plain(finding.detail)}")
    return Group(line, Text(f"      {'':<22} -> {plain(finding.advice)}", style="bold")) if finding.advice else line


def _count(findings: Sequence[PollResult], verdict: str) -> int:
    return sum(finding.verdict == verdict for finding in findings)


COMMANDS = (doctor,)
