"""Goes through the assumptions one after the other, and yields what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.accounts.token import lifetime_of
from renderline.probe.draft import ProbeDraft
from renderline.probe.finding import Finding, Verdict
from renderline.probe.raw_reads import RawAnswer, RawReads
from renderline.studio import PayloadRefused, ProjectMissing, StudioFault

_V3: Final = "/api/odin/v3"
_NO_PROJECT: Final = "0" * 24
_PAGES: Final = frozenset({"page", "total", "totalcount", "next", "cursor", "limit", "offset", "hasnext", "pages"})
_LOOKS: Final = (0, 1, 2, 4, 8)
"""How the time between two looks for something that may come late grows; 15 of these are the patience."""
_WINDOW: Final = 180.0
"""The default of RENDERLINE_EVIDENCE_WINDOW."""
_TOLERABLE_SKEW: Final = 30.0


@dataclass
class Probe:
    """Probes one account. It makes no call that costs: reads, one draft, and its deletion.

    Run `results` to its end, and `clean_up` in any case.
    """

    clients: AccountClients
    base_url: str
    v2_base_url: str = ""
    v2_key: str = ""
    patience: float = 8.0
    """Seconds for which it looks for something that may come late."""

    def __post_init__(self) -> None:
        self._reads = RawReads(self.clients, self.base_url)
        self._draft: ProbeDraft | None = None
        self._lag = 0.0

    def results(self) -> Iterator[Finding]:
        """Yield a finding after the other; raises a `StudioFault` if the vendor cannot be asked at all."""
        if self.clients.v3 is not None:
            token = self.clients.token.current() if self.clients.token else ""
            yield from self._token(token)
            yield from self._lists(token)
            yield from self._wrong_id(token)
            yield from self._projects(token)
            yield from self._finished(token)
        if self.clients.v2 is not None:
            yield from self._v2()
        yield self._limits()
        yield self._clock()

    def clean_up(self) -> str | None:
        """Delete the draft if it is still there; returns what a person must delete, None if nothing is left."""
        return self._draft.clean_up() if self._draft else None

    # -- parts

    def _token(self, token: str) -> Iterator[Finding]:
        hours = lifetime_of(token, now=time.time()) / 3600
        stated = hours != 24.0 or token.count(".") == 2
        yield Finding(
            "token_lifetime",
            "a token lives for 24 h, or for as long as it says",
            "holds" if stated else "unknown",
            f"it says {hours:g} h" if stated else "it does not say; 24 h are assumed",
        )
        plain = self._reads.get(f"{_V3}/auth", token)
        bearer = self._reads.get(f"{_V3}/auth", f"Bearer {token}")
        yield Finding(
            "token_header",
            "the token is sent as it is, without Bearer",
            _verdict(plain.succeeded),
            f"as it is: {plain.shown}; with Bearer: {bearer.shown}",
        )
        wrong = self._reads.get(f"{_V3}/auth", "no-token")
        known = wrong.status in (401, 403) or (wrong.status == 200 and not wrong.succeeded)
        yield Finding(
            "token_refused", "a wrong token is refused with 401, 403 or success: false", _verdict(known), wrong.shown
        )

    def _lists(self, token: str) -> Iterator[Finding]:
        for name, path in (
            ("models", "model"),
            ("models_short", "dropdown/models"),
            ("workspaces", "dropdown/workspaces"),
            ("templates", "dropdown/templates_business"),
        ):
            answer = self._reads.get(f"{_V3}/{path}", token)
            rows, where = _rows(answer.data)
            found = f"{len(rows)} rows {where}" if rows is not None else answer.shown
            yield Finding(f"list_{name}", f"GET /{path} answers a list", _verdict(rows is not None), found)

    def _wrong_id(self, token: str) -> Iterator[Finding]:
        answers = {
            what: self._reads.get(f"{_V3}/editor/{what}/{_NO_PROJECT}", token) for what in ("project", "progress")
        }
        missing = self._missing(_NO_PROJECT)
        yield Finding(
            "wrong_id",
            "an id that does not exist is answered in a form that is taken for not found",
            _verdict(missing),
            "; ".join(f"{what}: {answer.shown}" for what, answer in answers.items()),
            "none"
            if missing
            else "RENDERLINE_RESUBMIT_UNCONFIRMED=never: no deletion can be seen, an operator settles",
        )

    def _projects(self, token: str) -> Iterator[Finding]:
        before = self._reads.get(f"{_V3}/editor/project", token)
        rows, where = _rows(before.data)
        yield Finding(
            "list_projects",
            "GET /editor/project answers a list",
            _verdict(rows is not None),
            f"{len(rows or [])} rows {where}" if rows is not None else before.shown,
        )
        paged = sorted(str(name) for name in _names_beside(before) if str(name).lower() in _PAGES)
        paged += ["header Link"] if any(name.lower() == "link" for name in before.headers) else []
        yield Finding(
            "list_pages",
            "the list has no pages",
            "unknown" if rows is None else _verdict(not paged),
            f"{', '.join(paged)}" if paged else "no sign of pages",
            "RENDERLINE_POLL_STRATEGY=progress: the list may not have all" if paged else "none",
        )
        assert self.clients.v3 is not None
        self._draft = ProbeDraft(self.clients.v3)
        try:
            project = self._draft.make()
        except PayloadRefused as refused:
            self._draft.asked = False
            yield Finding(
                "draft",
                "a draft can be made with isExport: false",
                "unknown",
                f"refused: {refused.status} [{refused.code}]",
            )
            return
        yield from self._of_draft(token, project)
        yield from self._deletion(token, project)

    def _of_draft(self, token: str, project: str) -> Iterator[Finding]:
        assert self._draft is not None
        answer, after = self._until(
            lambda: self._reads.get(f"{_V3}/editor/project/{project}", token), lambda one: one.succeeded
        )
        content = answer.data.get("project", answer.data) if isinstance(answer.data, dict) else {}
        content = content if isinstance(content, dict) else {}
        self._lag = after or 0.0
        window = max(_WINDOW, 3 * self._lag)
        yield Finding(
            "draft",
            "a draft can be read at once",
            _verdict(after == 0.0) if after is not None else "differs",
            _soon(after, answer, self.patience),
            "none" if window == _WINDOW else f"RENDERLINE_EVIDENCE_WINDOW={window:.0f} or more",
        )
        spent = bool(
            content.get("creditSubstracted") or content.get("creditSubtracted") or content.get("backendTaskId")
        )
        yield Finding(
            "draft_free",
            "a draft renders nothing and costs nothing",
            _verdict(not spent) if content else "unknown",
            f"creditSubstracted {content.get('creditSubstracted')}, state {content.get('state')}",
            "none" if not spent else "RENDERLINE_SUBMIT=direct: a draft is no safe first step here",
        )
        kept = content.get("name") == self._draft.name
        yield Finding(
            "draft_name",
            "a draft keeps its name, with our tag at its end",
            _verdict(kept) if content else "unknown",
            "it does" if kept else f"it is called {str(content.get('name'))[:80]!r}",
            "none" if kept else "leave RENDERLINE_DELETE_STORED_PROJECTS=false: only projects with the tag are deleted",
        )
        listed, after = self._until(
            lambda: self._reads.get(f"{_V3}/editor/project", token), lambda one: self._place(one, project) is not None
        )
        place, rows = self._place(listed, project), _rows(listed.data)[0] or []
        named = place is not None and rows[place].get("name") == self._draft.name
        yield Finding(
            "list_drafts",
            "the list shows drafts, with their names: a lost draft is found",
            _verdict(named),
            (f"after {after:.1f} s, as row {(place or 0) + 1} of {len(rows)}" + ("" if named else ", without its name"))
            if place is not None
            else "it does not: a lost draft stays as an orphan that costs nothing",
            "RENDERLINE_SUBMIT=two_phase (the default) stays right",
        )
        yield Finding(
            "list_order",
            "newest first",
            "unknown" if place is None or len(rows) < 2 else _verdict(place == 0),
            "nothing to compare" if place is None or len(rows) < 2 else f"the newest is row {place + 1} of {len(rows)}",
        )

    def _deletion(self, token: str, project: str) -> Iterator[Finding]:
        assert self._draft is not None
        count = self._draft.delete()
        answer, after = self._until(
            lambda: self._reads.get(f"{_V3}/editor/project/{project}", token),
            lambda one: not one.succeeded and one.status not in (0, 429) and one.status < 500,
        )
        gone = after is not None and self._missing(project)
        yield Finding(
            "deleted",
            "a deleted project is not found any more",
            _verdict(gone),
            f"deletedCount {count}; "
            + (
                f"{answer.shown} after {after:.1f} s"
                if after is not None
                else f"still readable after {self.patience:g} s"
            ),
            "none"
            if gone
            else "RENDERLINE_RESUBMIT_UNCONFIRMED=never, and no revocation is seen: settle unconfirmed renders by hand",
        )
        listed = self._reads.get(f"{_V3}/editor/project", token)
        if listed.succeeded:
            still = self._place(listed, project) is not None
            yield Finding(
                "deleted_list",
                "a deleted project leaves the list",
                _verdict(not still),
                "still listed" if still else "not listed",
            )

    def _finished(self, token: str) -> Iterator[Finding]:
        rows, _ = _rows(self._reads.get(f"{_V3}/editor/project", token).data)
        done = next((row for row in rows or [] if str(row.get("state")).lower() in _ENDS or _url(row)), None)
        about = "the link to a finished video is in the progress answer"
        if done is None:
            yield Finding("video_url", about, "unknown", "the list shows no finished project")
            return
        one = str(done.get("id") or done.get("_id"))
        progress = self._reads.get(f"{_V3}/editor/progress/{one}", token).data
        project = self._reads.get(f"{_V3}/editor/project/{one}", token).data
        project = project.get("project", project) if isinstance(project, dict) else {}
        places = {"progress": progress, "get-project": project, "list": done}
        found = [f"{name} ({field})" for name, where in places.items() if (field := _url(where))]
        in_progress, listed = bool(_url(progress)), bool(_url(done))
        state = project.get("state") if isinstance(project, dict) else None
        number = progress.get("progress") if isinstance(progress, dict) else None
        yield Finding(
            "video_url",
            about,
            _verdict(in_progress) if found else "unknown",
            f"in {', '.join(found) or 'none of them: it may have expired'}; state {state}, progress {number}",
            "none: get-project and the list are read too" if found and not in_progress else "none",
        )
        yield Finding(
            "list_finished",
            "the list alone tells which renders are finished",
            _verdict(listed or str(done.get("state")).lower() in _ENDS),
            f"state {done.get('state')}, link {'there' if listed else 'missing'}",
            "RENDERLINE_POLL_STRATEGY=list is possible, if the list stays short"
            if listed
            else "RENDERLINE_POLL_STRATEGY=progress",
        )

    def _v2(self) -> Iterator[Finding]:
        reads = RawReads(self.clients, self.v2_base_url)
        answer = reads.get(f"/api/odin/editor/progress/{_NO_PROJECT}", self.v2_key)
        refused = reads.get(f"/api/odin/editor/progress/{_NO_PROJECT}", "no-key")
        self._reads.limits.update(reads.limits)
        self._reads.skews += reads.skews
        distinct = answer.shown != refused.shown
        yield Finding(
            "v2_wrong_id",
            "v2 tells a wrong key of the account from a wrong project",
            _verdict(distinct),
            f"wrong project: {answer.shown}; wrong key: {refused.shown}",
        )

    def _limits(self) -> Finding:
        announced = "; ".join(f"{name}: {value}" for name, value in sorted(self._reads.limits.items()))
        refused = (
            f"{len(self._reads.refused)} answers 429, Retry-After {self._reads.refused[0]}"
            if self._reads.refused
            else ""
        )
        found = "; ".join(part for part in (refused, announced) if part)
        return Finding(
            "limits",
            "no limit is announced; a 429 says when to go on",
            "differs" if announced else "unknown" if not refused else "holds",
            found or "no header announces one, and these few calls met none",
            "RENDERLINE_MAX_REQUESTS_PER_SECOND below what is announced" if found else "none",
        )

    def _clock(self) -> Finding:
        if not self._reads.skews:
            return Finding("clock", "the vendor's clock agrees with ours", "unknown", "no answer has a date")
        skew = sorted(self._reads.skews)[len(self._reads.skews) // 2]
        return Finding(
            "clock",
            "the vendor's clock agrees with ours",
            _verdict(abs(skew) < _TOLERABLE_SKEW),
            f"it is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}" if abs(skew) >= 1 else "to the second",
            "none" if abs(skew) < _TOLERABLE_SKEW else "none: set this machine's clock (NTP)",
        )

    # -- shared

    def _missing(self, project: str) -> bool:
        """Return whether the client takes the answer about a project for not found."""
        assert self.clients.v3 is not None
        try:
            self.clients.v3.get_project(project)
        except ProjectMissing:
            return True
        except StudioFault:
            return False
        return False

    def _until(
        self, look: Callable[[], RawAnswer], found: Callable[[RawAnswer], bool]
    ) -> tuple[RawAnswer, float | None]:
        """Look until it is found; returns the last answer, and after how many seconds, None: not in this time."""
        passed = 0.0
        for share in _LOOKS:
            pause = share * self.patience / sum(_LOOKS)
            time.sleep(pause)
            passed += pause
            if found(answer := look()):
                return answer, passed
        return answer, None

    @staticmethod
    def _place(answer: RawAnswer, project: str) -> int | None:
        rows = _rows(answer.data)[0] or []
        return next((place for place, row in enumerate(rows) if project in (row.get("id"), row.get("_id"))), None)


_ENDS: Final = frozenset({"exported", "complete", "completed"})


def _verdict(holds: bool) -> Verdict:
    return "holds" if holds else "differs"


def _rows(data: Any) -> tuple[list[dict[str, Any]] | None, str]:
    """Return the rows of a list answer, and where they are."""
    if isinstance(data, list):
        return [row for row in data if isinstance(row, dict)], "in data"
    if isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, list):
                return [row for row in value if isinstance(row, dict)], f"in data.{str(name)[:40]}"
    return None, ""


def _names_beside(answer: RawAnswer) -> list[Any]:
    beside = [*answer.body] if isinstance(answer.body, dict) else []
    return beside + ([*answer.data] if isinstance(answer.data, dict) else [])


def _url(where: Any) -> str:
    if not isinstance(where, dict):
        return ""
    return next((name for name in ("downloadUrl", "download_url") if where.get(name)), "")


def _soon(after: float | None, answer: RawAnswer, patience: float) -> str:
    if after is None:
        return f"not readable within {patience:g} s: {answer.shown}"
    return "readable at once" if after == 0 else f"readable after {after:.1f} s"
