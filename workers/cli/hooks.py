"""`renderline hooks`: trying receivers of hooks: listen for deliveries, and send samples."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from workers.cli.errors import CommandError, ExitCode, plain
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.tenants import Tenants

_EVENTS = ("render.completed", "render.failed", "render.expired", "render.canceled")
_VARIABLE = "RENDERLINE_HOOK_SECRET"

_SECRET = click.option(
    "--secret", metavar="WHSEC", help=f"The secret that signs, whsec_... (default: {_VARIABLE} of the environment)."
)


@click.group()
def hooks() -> None:
    """Try receivers of hooks on this machine: listen for deliveries, send samples."""


@hooks.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4242, show_default=True, help="Where to listen; 0: any.")
@click.option("--forward", metavar="URL", help="Pass each delivery on to this URL, and its answer back.")
@_SECRET
@click.option("--url", metavar="GATEWAY", help="Follow the renders of this gateway instead of listening on a port.")
@click.option("--key", metavar="KEY", help="An API key of that gateway; without it, it is asked for.")
@json_option
@pass_session
def listen(
    session: Session, port: int, forward: str | None, secret: str | None, url: str | None, key: str | None
) -> None:
    """Print deliveries as they come, verified or not, until Ctrl-C.

    Listens on the loopback address. A deployment elsewhere cannot reach it: with --url its renders are followed through
    its API, and for each that ends a signed delivery goes to --forward.

    With --json: one object on a line for each delivery.
    """
    from workers.cli.hook_listener import Listener, Printer

    printer = Printer(session)
    if url is None:
        if key is not None:
            raise click.UsageError("--key needs --url")
        known = _given(secret)
        with Listener(port, known, forward, printer) as listener:
            printer.note(f"listening on {listener.url}; Ctrl-C ends")
            if not known:
                printer.note(f"without --secret or {_VARIABLE} nothing is verified")
            listener.serve()
        return
    from workers.cli.hook_follower import Follower

    key = key or click.prompt("API key", hide_input=True, err=True)
    follower = Follower(url, key, forward, _given(secret), printer)
    printer.note(f"following {follower.gateway}; Ctrl-C ends")
    follower.run()


@hooks.command()
@click.argument("event", type=click.Choice(_EVENTS))
@click.option("--to", metavar="URL", help="Where to send it. May be an address of this machine.")
@click.option("--endpoint", metavar="NAME", help="A registered endpoint instead.")
@click.option("--tenant", metavar="TENANT", default="default", show_default=True, help="Whose endpoint and secret.")
@click.option("--render", "render_id", metavar="ID", help="Send the record of this render instead of a made-up one.")
@_SECRET
@json_option
@pass_session
@click.pass_context
def trigger(
    context: click.Context,
    session: Session,
    event: str,
    to: str | None,
    endpoint: str | None,
    tenant: str,
    render_id: str | None,
    secret: str | None,
) -> None:
    """Send a signed sample of an event, once, and print the answer. Exit code 1 if it was not accepted.

    No hook is delivered by it, and no render changes.
    """
    if (to is None) == (endpoint is None):
        raise click.UsageError("give either --to or --endpoint")
    from renderline.hooks import HookFailed, HttpHook
    from renderline.hooks.sample import sample

    record = session.ledger.record(render_id) if render_id else None
    if render_id and record is None:
        raise CommandError(f"no render {render_id}", ExitCode.NOT_FOUND)
    sender = HttpHook(_tenants(session, to, tenant, secret), allow_private=to is not None or _private(session))
    delivery = sample(event, now=time.time(), record=record)
    delivery.record["tenant"] = tenant
    hook = {"type": "http", **({"url": to} if to else {"endpoint": endpoint})}
    if problem := _fault(sender, hook):
        raise CommandError(problem, ExitCode.REFUSED)
    began = time.monotonic()
    status, error = None, None
    try:
        status = sender.deliver(hook, delivery)["status"]
    except HookFailed as failure:
        status, error = failure.status, str(failure)
    answer = {
        "event": event,
        "webhook_id": delivery.webhook_id,
        "to": sender.endpoint(hook, delivery.record),
        "status": status,
        "seconds": round(time.monotonic() - began, 3),
        "error": error,
    }
    session.answer(answer, lambda: plain(_sentence(answer)))
    if error:
        context.exit(ExitCode.FAILED)


def _sentence(answer: dict[str, Any]) -> str:
    outcome = answer["error"] or f"answered {answer['status']}"
    return f"{answer['event']} to {answer['to']}: {outcome} in {answer['seconds']:.2f} s ({answer['webhook_id']})"


def _given(secret: str | None) -> tuple[str, ...]:
    """Return the secrets of the option, or else of the environment; raises CommandError for one of another form."""
    import base64
    import binascii

    from config import secret_file
    from config.env_file import environment

    try:
        text = secret_file.lookup(environment(), _VARIABLE) if secret is None else secret
    except ValueError as problem:
        raise CommandError(str(problem), ExitCode.REFUSED) from None
    found = tuple(one.strip() for one in text.split(",") if one.strip())
    for one in found:
        try:
            if not base64.b64decode(one.removeprefix("whsec_"), validate=True) or not one.startswith("whsec_"):
                raise ValueError
        except (binascii.Error, ValueError):
            raise CommandError("a secret must be whsec_ and base64", ExitCode.REFUSED) from None
    return found


def _tenants(session: Session, to: str | None, tenant: str, secret: str | None) -> Tenants:
    """Return the tenants whose secrets sign. For a URL and a secret no setting is read."""
    from renderline.tenants import Tenant, Tenants

    if to is None or tenant != "default":
        from workers.composition.tenants import tenants

        known = tenants(session.settings)
        if tenant not in known.names:
            raise CommandError(f"unknown tenant {tenant}; known: {', '.join(known.names)}", ExitCode.REFUSED)
        if secret is None:
            return known
        policy = known.of(tenant)
        return Tenants([Tenant(name=tenant, hook_secrets=_given(secret), endpoints=policy.endpoints)])
    return Tenants(unlisted=Tenant(name=tenant, hook_secrets=_given(secret)))


def _fault(sender: Any, hook: dict[str, Any]) -> str | None:
    """Return what is wrong with the hook's fields."""
    from marshmallow import ValidationError

    try:
        sender.schema.load(hook)
    except ValidationError as error:
        return "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in error.normalized_messages().items())
    return None


def _private(session: Session) -> bool:
    return session.settings.allow_private_hooks


COMMANDS = (hooks,)
