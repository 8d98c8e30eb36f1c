"""The page of one render: why it is as it is, what can be done, its timeline, its video, its request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, request, url_for

from renderline.gateway.access import ADMIN, READ, SUBMIT
from renderline.gateway.board.access import may, requires
from renderline.gateway.board.blueprint import blp, page
from renderline.gateway.board.offers import DONE, offers, with_buttons
from renderline.gateway.context import context
from renderline.gateway.event_stream import render_messages
from renderline.gateway.stored_file import file_name
from renderline.hooks.media_type import media_type
from renderline.kinds import KINDS
from renderline.ledger import Ledger
from renderline.ledger.timeline import Timeline
from renderline.renders import FINAL

_LONGEST_REQUEST: Final = 64 * 1024
"""Characters of a request that the page shows."""
_FIELD: Final = re.compile(r"[^\s:\"]{1,60}")
_EDITOR: Final = "https://app.aistudios.com/editor/"


@dataclass(frozen=True)
class Media:
    """A stored file of a render, or a link to one that only the vendor has."""

    label: str
    kind: str = ""
    """`video`, `audio`, `image` or empty: shown in the page, or only offered for download."""
    source: str = ""
    """Its address at this gateway; empty if it is not stored."""
    stored_url: str = ""
    link: str = ""
    """The vendor's link; empty unless it is an http link."""


@blp.get("/renders/<render_id:render_id>")
@requires(READ)
def render(render_id: str) -> Response:
    """Show a render."""
    return render_page(render_id, said=DONE.get(request.args.get("done", "")))


def render_page(render_id: str, *, said: str | None = None, refused: str | None = None, status: int = 200) -> Response:
    """Return the page of a render; `said` is what an operation did, `refused` why one did nothing."""
    app = context()
    record = app.record(render_id)
    (explanation,) = app.explainer.explain([record])
    (dead,) = app.operations.dead_hooks([record])
    specs = app.ledger.hooks_of(render_id)
    offered = offers(record, dead=dead, may=may)
    instead = with_buttons(explanation.action, record, offered, resumes=may(ADMIN))
    return page(
        "render.html",
        status,
        render=record,
        explanation=explanation._replace(action=instead),
        offers=offered,
        timeline=Timeline(app.ledger).of(render_id),
        media=list(_media(record)),
        hooks=[
            {**hook, "target": hook_target(specs[index]) if index < len(specs) else "", "dead": index in dead}
            for index, hook in enumerate(record["hooks"])
        ],
        labels=[(str(name), value_text(value), search_for(name, value)) for name, value in record["metadata"].items()],
        request_text=request_text(app.ledger, render_id) if may(SUBMIT) else None,
        editor=editor_link(record),
        ended=record["state"] in FINAL,
        said=said,
        refused=refused,
    )


@blp.get("/board/renders/<render_id:render_id>/events")
@requires(READ)
def render_events(render_id: str) -> Response:
    """Follow a render until it ends, as `/v1/renders/<id>/events` does, with the session of a browser."""
    app = context()
    newest = app.queries.last_event()
    if app.record(render_id)["state"] in FINAL:
        return Response(status=204)
    return app.streams.open(render_messages(app.ledger, render_id, app.streams.events(app.queries, newest), []))


def _media(record: Mapping[str, Any]) -> Iterator[Media]:
    if record["outputs"]:
        for index, output in enumerate(record["outputs"]):
            yield _one_media(record, output, output["language"] or f"Output {index + 1}", index)
    else:
        one = _one_media(record, record, "Video", None)
        if one.source or one.link:
            yield one


def _one_media(record: Mapping[str, Any], of: Mapping[str, Any], label: str, output: int | None) -> Media:
    stored, link = of["stored_url"] or "", of["download_url"] or ""
    source = url_for("board.video", render_id=record["id"], output=output) if stored else ""
    kind = (media_type(file_name(stored)) or "").partition("/")[0] if stored else ""
    return Media(label, kind, source, stored, link if link.startswith(("https://", "http://")) else "")


def hook_target(spec: Mapping[str, Any]) -> str:
    """Return whom a hook calls, without secrets: of a URL the host alone, since its path may hold a token."""
    if spec["type"] == "celery":
        return " ".join(str(part) for part in (spec.get("task"), "in", spec.get("queue")) if part)
    try:
        host = urlsplit(str(spec.get("url", ""))).hostname or ""
    except ValueError:
        host = ""
    return host or str(spec.get("endpoint", ""))


def search_for(name: str, value: Any) -> str | None:
    """Return the address of a search for renders with this metadata; None if no search text can say it."""
    text = value_text(value)
    if isinstance(value, (dict, list)) or value is None or not _FIELD.fullmatch(name):
        return None
    if not text.strip() or '"' in text or not text.isprintable() or len(text) > 200:
        return None
    return url_for("board.renders", q=f'{name}:"{text}"' if re.search(r"\s", text) else f"{name}:{text}")


def value_text(value: Any) -> str:
    """Return a value of the metadata as text: JSON, or a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def request_text(ledger: Ledger, render_id: str) -> str | None:
    """Return the body of a render's request, indented and cut to what a page can show; None if it is not kept."""
    body = ledger.redis.get(ledger.keys.body(render_id))
    if body is None:
        return None
    try:
        text = json.dumps(json.loads(str(body)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = str(body)
    if len(text) <= _LONGEST_REQUEST:
        return text
    return f"{text[:_LONGEST_REQUEST]}\n… {len(text) - _LONGEST_REQUEST:,} more characters"


def editor_link(record: Mapping[str, Any]) -> str | None:
    """Return the address of a render's project in the vendor's editor; None without one."""
    kind, project = KINDS.get(record["kind"]), record["project_id"]
    known = kind is not None and kind.api == "v3" and project and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", project)
    return f"{_EDITOR}{project}" if known else None
