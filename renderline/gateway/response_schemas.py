"""The schemas of the API's answers; the class names are component names of the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from renderline.kinds import KINDS
from renderline.renders import State

STATES = [state.value for state in State]

LOCATION: Final = {"Location": {"description": "The path of the render's record.", "schema": {"type": "string"}}}
"""The header of an answer to an accepted render."""


def _about(text: str) -> dict[str, Any]:
    return {"description": text}


def _text(about: str = "", *, null: bool = False, **options: Any) -> fields.String:
    return fields.String(required=True, allow_none=null, metadata=_about(about) if about else {}, **options)


class Response(Schema):
    """An answer that is public JSON already: `dump` returns it unchanged.

    The schema documents it. Dumping a page of 500 renders would take as long as reading them from Redis.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return `obj`."""
        return obj


class Upload(Response):
    """A file that was stored."""

    file = _text("What a request writes as its `file`.")
    name = _text("The file's name, without folders and characters that are not safe everywhere.")
    bytes = fields.Integer(required=True)


class Fault(Response):
    """Why a render failed, and whose fault it is."""

    code = _text("The vendor's code, or ours.", null=True)
    message = _text()
    origin = _text("Whose fault it is.", validate=validate.OneOf(["vendor", "caller", "renderline"]))


class HookOutcome(Response):
    """The state of a hook."""

    type = _text()
    endpoint = fields.String(
        metadata={"description": "The name of the registered endpoint that it calls, if it has one."}
    )
    state = _text(validate=validate.OneOf(["pending", "delivered", "retrying", "dead", "skipped"]))
    attempts = fields.Integer(required=True)
    error = _text("Why the last delivery failed.", null=True)
    at = _text("Time of the last delivery, ISO 8601.", null=True)


class Attempt(Response):
    """An earlier attempt of a render that was retried."""

    attempt = fields.Integer(required=True)
    state = _text(validate=validate.OneOf(STATES))
    error = fields.Nested(Fault, required=True, allow_none=True)
    project_id = _text(null=True)
    progress = fields.Float(required=True)
    credit = fields.Float(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    polls = fields.Integer(required=True)
    times = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    hooks = fields.List(fields.Nested(HookOutcome), required=True)


class Output(Response):
    """One of several files of a render."""

    language = _text(null=True)
    project_id = _text("The vendor's project of this file.", null=True)
    state = _text(validate=validate.OneOf(["rendering", "completed", "failed", "expired"]))
    progress = fields.Float(required=True, metadata=_about("0 to 100."))
    download_url = _text("The vendor's link to the file, which expires.", null=True)
    stored_url = _text("Where the hook `download` stored the file.", null=True)
    error = _text("Why the vendor did not make it.", null=True)


class HeldBy(Response):
    """Who holds a render back from its submission, since when, and why."""

    at = _text("ISO 8601.")
    by = _text("The name of the API key or of the user.")
    reason = _text("Empty if none was given.")


class Render(Response):
    """A render: its state and result, and when it entered each state."""

    id = _text("32 hexadecimal digits.")
    kind = _text(validate=validate.OneOf(list(KINDS)))
    name = _text("Null once it is forgotten.", null=True)
    tenant = _text("Whose render it is.")
    account = _text()
    accepted_by = _text("Who had it accepted: an API key, a message or the command line; null if unknown.", null=True)
    request_id = _text("The `X-Request-ID` of the call that it was accepted by; null if it had none.", null=True)
    priority = _text(validate=validate.OneOf(["high", "normal", "low"]))
    state = _text("Ends: delivered, undelivered, failed, expired, canceled.", validate=validate.OneOf(STATES))
    held = fields.Nested(
        HeldBy, required=True, allow_none=True, metadata=_about("Who holds it back from its submission; null: nobody.")
    )
    stage = _text("The stage of its plan that comes next, or is followed; null before the first.", null=True)
    progress = fields.Float(required=True, metadata=_about("0 to 100."))
    project_id = _text("The vendor's project.", null=True)
    download_url = _text("The vendor's link to the video, which expires.", null=True)
    stored_url = _text("Where the hook `download` stored the video.", null=True)
    outputs = fields.List(
        fields.Nested(Output), required=True, metadata=_about("Its files, if one call makes several; otherwise none.")
    )
    credit = fields.Float(required=True, allow_none=True, metadata=_about("What it cost, if known."))
    attempt = fields.Integer(required=True, metadata=_about("1, plus one for each retry of the render."))
    attempts = fields.Integer(required=True, metadata=_about("Submissions to the vendor."))
    polls = fields.Integer(required=True, metadata=_about("Polls of the vendor."))
    hooks = fields.List(fields.Nested(HookOutcome), required=True, metadata=_about("In the order of the request."))
    error = fields.Nested(Fault, required=True, allow_none=True)
    note = _text("Why it waits.", null=True)
    warnings = fields.List(
        fields.String(), required=True, metadata=_about("What was sent although it may be wrong: `path: why`.")
    )
    metadata = fields.Dict(required=True, metadata=_about("As in the request."))
    deadline = _text("When it expires, ISO 8601; null before its submission.", null=True)
    forgotten = _text("When its content was erased, ISO 8601; null: it was not.", null=True)
    times = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata=_about("ISO 8601 by state.")
    )
    history = fields.List(fields.Nested(Attempt), required=True)


class TimelineEntry(Response):
    """One thing that happened to a render."""

    at = _text("When it began, ISO 8601.")
    type = _text(validate=validate.OneOf(["transition", "call", "hook", "operation", "webhook"]))
    name = _text("The new state, the vendor's endpoint, `hook 0 http`, or the operation.")
    attempt = fields.Integer(required=True, metadata=_about("The attempt of the render, from 1."))
    status = fields.Integer(required=True, allow_none=True, metadata=_about("The HTTP status of the answer."))
    seconds = fields.Float(required=True, allow_none=True, metadata=_about("How long it took."))
    result = _text("`ok`, or what went wrong; empty for a transition.")
    by = _text("Who did it, if a person or a key did.", null=True)
    endpoint = _text("Where a hook went, without query and secrets.", null=True)
    webhook_id = _text("The id under which a hook was sent; null for other entries.", null=True)


class TimelineAnswer(Response):
    """What happened to a render, oldest first."""

    id = _text("The render.")
    polls = fields.Integer(required=True, metadata=_about("Polls of the vendor; most of them are not listed."))
    entries = fields.List(fields.Nested(TimelineEntry), required=True)


class Page(Response):
    """A page of renders, newest first."""

    renders = fields.List(fields.Nested(Render), required=True)
    next = _text("The cursor of the next page; null on the last page.", null=True)


class RenderTotal(Response):
    """How many renders are in one state, of one kind, account and tenant."""

    state = _text(validate=validate.OneOf(STATES))
    kind = _text()
    account = _text()
    tenant = _text()
    count = fields.Integer(required=True)


class ChartMinute(Response):
    """What happened in one minute."""

    at = _text("Its begin, ISO 8601.")
    accepted = fields.Integer(required=True)
    completed = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    failed = fields.Integer(required=True, metadata=_about("Failed or expired."))
    credits = fields.Float(required=True, metadata=_about("What the completed ones cost, where known by then."))
    lag = fields.Float(
        required=True,
        allow_none=True,
        metadata=_about("Seconds from the vendor's webhook about the end to our notice of it, on average."),
    )


class StatisticsAnswer(Response):
    """Totals of all renders, and what happened of late."""

    totals = fields.List(fields.Nested(RenderTotal), required=True)
    minutes = fields.List(fields.Nested(ChartMinute), required=True, metadata=_about("Oldest first."))


class Wrong(Response):
    """A wrong field."""

    path = _text("Its path, such as `scenes.0.script`.")
    message = _text()


class ProblemDocument(Response):
    """An error (RFC 9457)."""

    type = _text()
    title = _text()
    status = fields.Integer(required=True)
    detail = _text()
    errors = fields.List(fields.Nested(Wrong), metadata=_about("Every wrong field."))


class BatchResult(Response):
    """The result of one request of a batch."""

    index = fields.Integer(required=True, metadata=_about("Its index in the batch, from 0."))
    status = fields.Integer(
        required=True,
        validate=validate.OneOf([202, 409, 422]),
        metadata=_about("The status that the request alone would have got."),
    )
    id = _text("The render; null if it was refused.", null=True)
    location = _text("The path of its record.", null=True)
    detail = _text("Why it was refused.", null=True)
    errors = fields.List(fields.Nested(Wrong), required=True)


class BatchAnswer(Response):
    """The results of a batch, in its order."""

    accepted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(fields.Nested(BatchResult), required=True)


class ExplanationAnswer(Response):
    """Why a render is not done yet, or what it ended with: sentences in English, with times in UTC."""

    id = _text("The render.")
    sentence = _text("Why it is not done yet, or what it ended with.")
    ends = _text("What ends the wait, and when; may be empty.")
    action = _text("What a person can do, such as a command; may be empty.")


class BulkRefusal(Response):
    """A render to which the action did not apply when its turn came."""

    id = _text("The render.")
    why = _text()


class BulkAnswer(Response):
    """What an operation on many renders did."""

    matched = fields.Integer(required=True, metadata=_about("Renders that were taken: those done and those refused."))
    done = fields.List(
        fields.String(), required=True, metadata=_about("The renders that were changed; with `dry_run`: would be.")
    )
    refused = fields.List(fields.Nested(BulkRefusal), required=True)
    more = fields.Boolean(required=True, metadata=_about("Whether further renders may match."))
    cursor = _text("Where the next call goes on; null: nothing is left.", null=True)
    dry_run = fields.Boolean(required=True)


class Letter(Response):
    """A dead-lettered hook."""

    id = _text("The render.")
    tenant = _text("Whose render it is.")
    name = _text()
    hook = fields.Integer(required=True, metadata=_about("Its index among the render's hooks, from 0."))
    type = _text()
    attempts = fields.Integer(required=True)
    error = _text(null=True)
    at = _text()


class Letters(Response):
    """Dead-lettered hooks, newest first."""

    dead_letters = fields.List(fields.Nested(Letter), required=True)


class Account(Response):
    """A vendor account, and whether submissions for it are paused."""

    name = _text()
    paused = fields.Boolean(required=True)


class Accounts(Response):
    """The configured vendor accounts."""

    accounts = fields.List(fields.Nested(Account), required=True)


def _time(about: str) -> fields.String:
    return _text(f"{about} ISO 8601.", null=True)


class Hold(Response):
    """Why the vendor refuses to render for an account."""

    reason = _text()
    since = _time("When it first did.")
    next_attempt = _time("When one render is submitted, to see whether it still does.")


class CircuitState(Response):
    """The circuit breaker of an account."""

    state = _text("probing: one call is under way to see.", validate=validate.OneOf(["closed", "open", "probing"]))
    failures = fields.Integer(required=True, metadata=_about("Unanswered calls in a row."))
    since = _time("When it opened.")
    next_probe = _time("When a call may try the vendor again.")


class Slots(Response):
    """The renders that an account has at the vendor."""

    limit = fields.Integer(required=True, allow_none=True, metadata=_about("How many there may be; null: any number."))
    taken = fields.Integer(required=True)
    renders = fields.List(fields.String(), required=True, metadata=_about("The ids of up to 20 of them."))


class TokenTimes(Response):
    """The times of an account's token; null if they are not known."""

    issued_at = _time("When the vendor issued it.")
    refresh_at = _time("When it is renewed.")
    expires_at = _time("When it ends.")
    refused_at = _time("When the vendor refused it.")
    failed_at = _time("When a request for one failed.")


class AccountWorkers(Response):
    """The workers that have an account's credentials."""

    announced_at = _time("When one last said that it has them; without news for a minute it counts as gone.")
    apis = fields.List(fields.String(), required=True, metadata=_about("The APIs for which they do: v3, v2."))


class Duration(Response):
    """How long the newest renders of a kind took at the vendor, up to 64 of them."""

    kind = _text()
    stage = _text("The stage of its plan; null: the whole.", null=True)
    count = fields.Integer(required=True)
    median = fields.Float(required=True, metadata=_about("Seconds."))
    slow = fields.Float(required=True, metadata=_about("Seconds; a tenth took longer."))


class AccountTotal(Response):
    """How many renders of an account are in one state, of one kind."""

    state = _text(validate=validate.OneOf(STATES))
    kind = _text()
    count = fields.Integer(required=True)


class AccountState(Response):
    """The state of a vendor account."""

    name = _text()
    paused = fields.Boolean(required=True)
    hold = fields.Nested(Hold, required=True, allow_none=True)
    backoff_until = _time("No call is made before: a Retry-After of the vendor.")
    circuit = fields.Nested(CircuitState, required=True)
    calls_per_second = fields.Float(
        required=True, allow_none=True, metadata=_about("To which 429s have slowed it; null: not slowed.")
    )
    slots = fields.Nested(Slots, required=True)
    parked = fields.Integer(required=True, metadata=_about("Submissions that wait for the account."))
    at_vendor = fields.Integer(required=True, metadata=_about("Renders that are polled."))
    token = fields.Nested(TokenTimes, required=True)
    webhooks_until = _time("Until when the vendor's webhooks are relied on; null: renders are polled.")
    workers = fields.Nested(AccountWorkers, required=True)
    durations = fields.List(fields.Nested(Duration), required=True)
    renders = fields.List(fields.Nested(AccountTotal), required=True, metadata=_about("Only what is above 0."))
