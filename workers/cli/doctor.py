"""`renderline doctor`: checks every part that a render needs, and gives advice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import click
from rich.console import Group, RenderableType
from rich.text import Text

from workers.cli.checks.result import CheckResult
from workers.cli.errors import ExitCode, plain, print_error
from workers.cli.session import Session, json_option, pass_session

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "bold yellow"), "fail": ("FAIL", "bold red")}


@click.command()
@json_option
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session) -> None:
    """Check Redis, vendor, storage, workers, queues, what waits for a decision, and what protects the installation.

    Exit code 1 if a check fails, 3 if Redis cannot be reached. Run it with the settings of a worker and as its user,
    because storage and vendor are checked from here.
    """
    results: list[CheckResult] = []
    code = ExitCode.DONE
    for result in _results(session):
        results.append(result)
        if not session.as_json:
            session.console.print(_shown(result))
        if result.verdict == "fail":
            code = max(code, ExitCode.UNREACHABLE if result.check == _UNREACHABLE else ExitCode.FAILED)
    if session.as_json:
        session.answer({"ok": not code, "checks": [dataclasses.asdict(one) for one in results]}, lambda: None)
    if code:
        print_error(f"{_count(results, 'fail')} of {len(results)} checks failed")
    context.exit(code)


_UNREACHABLE = "redis connection"


def _results(session: Session) -> Iterator[CheckResult]:
    from redis import RedisError

    from config import redis_address
    from renderline.ledger.schema import SchemaMismatch, old_writes

    settings = session.settings
    yield _settings(session)
    from workers.cli.checks import backlog, hardening, processes, server, storage, vendor
    from workers.cli.checks import tenants as of_tenants
    from workers.composition.tenants import tenants

    try:
        found = server.check(session.services.ledger.redis, settings)
        yield from found
        if found[0].verdict == "fail":
            return  # no such server: the other checks would say what follows from that
        ledger = session.ledger  # checks the schema
        if old_writes(ledger.redis, prefix=ledger.prefix):
            detail = "a process of the previous version wrote to it after its migration, under the old names"
            yield CheckResult("ledger schema", "fail", detail, "stop that process, and run: renderline migrate")
    except (RedisError, OSError) as error:
        address = redis_address.shown(settings.redis_url)
        advice = "start it, or correct REDIS_URL; nothing else can be checked without it"
        yield CheckResult(_UNREACHABLE, "fail", f"{address}: {error}", advice)
        return
    except SchemaMismatch as mismatch:
        yield CheckResult("ledger schema", "fail", str(mismatch), "docs/ledger.md says how")
        return
    yield from vendor.check(settings, session.services.submitter.accounts)
    yield storage.check(settings.storage_url)
    yield from processes.check(session.app, session.ledger.redis, settings, prefix=session.ledger.prefix)
    yield from of_tenants.check(tenants(settings), session.ledger.tenants())
    yield from backlog.check(session.ledger, session.queries, session.commands)
    yield from hardening.check(session.ledger.redis, settings, tenants(settings))


def _settings(session: Session) -> CheckResult:
    from config import settings
    from config.env_file import environment

    try:
        chosen = settings.load(environment(), role="worker")
    except settings.SettingsError as error:
        return CheckResult("settings", "fail", str(error), "give this shell the settings of a worker")
    if ignored := chosen.warning():
        return CheckResult("settings", "warn", ignored, "run doctor of that version too")
    return CheckResult("settings", "ok", f"{len(session.settings.accounts)} account(s), Redis, storage as for a worker")


def _shown(result: CheckResult) -> RenderableType:
    mark, style = _MARKS[result.verdict]
    line = Text.assemble((mark, style), f"  {result.check:<22} {plain(result.detail)}")
    return Group(line, Text(f"      {'':<22} -> {plain(result.advice)}", style="bold")) if result.advice else line


def _count(results: Sequence[CheckResult], verdict: str) -> int:
    return sum(result.verdict == verdict for result in results)


COMMANDS = (doctor,)
