"""The board: ranges of videos, videos that nobody reads, forms of other sites, renders of another tenant."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Final
from urllib.parse import urlsplit

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.measurements import measure
from benchmarks.attack.target import ATTACKER, VICTIM, Target, a_render

_RANGES: Final = (
    "bytes=" + ",".join(["0-"] * 4000),
    "bytes=" + ",".join(f"{first}-{first}" for first in range(3000)),
    f"bytes=0-{'9' * 20000}",
    f"bytes={'9' * 20000}-",
    "bytes=-0",
    "bytes=-99999999999999999999",
    "bytes=5-1",
    "lines=0-",
)
_LARGE: Final = 64 << 20
_READERS: Final = 100
_MEMORY: Final = 64 << 20


def _with_video(target: Target, name: str, size: int) -> str:
    """Return a render of the attacker whose video has so many bytes; the file is sparse."""
    render_id = target.accepted(a_render(name=name), tenant=ATTACKER)
    target.ended(render_id, tenant=ATTACKER)
    folder = target.directory / "videos" / "tenants" / ATTACKER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.mp4").open("wb") as file:
        file.truncate(size)
    target.redis.hset(f"renderline:render:{render_id}", "stored_url", f"{folder.as_uri()}/{name}.mp4")
    return render_id


@attack("video-ranges", "headers that ask for thousands of ranges of a video, or for impossible ones")
def video_ranges(target: Target, long: bool) -> Finding:
    size = 1 << 20
    render_id = _with_video(target, "ranges", size)
    target.gateway.forget_peak()
    start = target.gateway.memory()
    statuses, most = set(), 0
    for _ in range(20 if long else 4):
        for wanted in _RANGES:
            answer = target.ask("GET", f"/renders/{render_id}/video", tenant=ATTACKER, headers={"Range": wanted})
            statuses.add(answer.status_code)
            most = max(most, len(answer.content))
    grown = target.gateway.memory() - start
    figure = f"answers {', '.join(map(str, sorted(statuses)))}; {most >> 20} MiB at most of a video of 1 MiB"
    return Finding(statuses <= {200, 206, 400, 416} and most <= size and grown < _MEMORY, figure)


@attack("unread-videos", "a large video that is asked for again and again and never read")
def unread_videos(target: Target, long: bool) -> Finding:
    render_id = _with_video(target, "unread", _LARGE)
    place = urlsplit(target.gateway.url)
    header = (
        f"GET /renders/{render_id}/video HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {target.keys[ATTACKER]}\r\n\r\n"
    )
    target.gateway.forget_peak()
    start = target.gateway.memory()
    with contextlib.ExitStack() as open_ones:
        answers = []
        for _ in range(_READERS):
            reader = open_ones.enter_context(socket.create_connection((place.hostname, place.port), timeout=10))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(header.encode())
            answers.append(reader.recv(12)[-3:].decode())
        honest = measure(
            [lambda: target.ask("GET", "/v1/renders", tenant=VICTIM)], seconds=15 if long else 3, pause=0.02
        )
        grown = target.gateway.memory() - start
    figure = (
        f"{_READERS} readers: {answers.count('200')} served, {answers.count('429')} refused; "
        f"{grown >> 20} MiB; honest calls {honest}"
    )
    return Finding(answers.count("200") < _READERS // 2 and honest.p95 < 1 and grown < _MEMORY, figure)


def _session(target: Target, tenant: str) -> tuple[requests.Session, str]:
    """Return a session of the board, and the token of its forms."""
    browser = requests.Session()
    browser.trust_env = False
    page = browser.get(f"{target.gateway.url}/login", timeout=10).text
    fields = {"form_token": _token(page), "key": target.keys[tenant]}
    page = browser.post(f"{target.gateway.url}/login", data=fields, timeout=10).text
    return browser, _token(page)


def _token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    return found[1] if found else ""


_FORMS: Final = ("cancel", "retry", "hold", "release", "adopt", "resubmit", "fail", "hooks/0/replay", "hooks/0/discard")


@attack("board-forms", "forms of another site in an operator's browser, and forms for renders of another tenant")
def board_forms(target: Target, long: bool) -> Finding:
    theirs = target.accepted(a_render(name="Board"), tenant=VICTIM)
    target.ended(theirs, tenant=VICTIM)
    before = target.redis.hgetall(f"renderline:render:{theirs}")
    wrong: list[str] = []
    victim, _ = _session(target, VICTIM)
    attacker, own_token = _session(target, ATTACKER)
    calls = 0
    with victim, attacker:
        for form in _FORMS:
            url = f"{target.gateway.url}/board/renders/{theirs}/{form}"
            for who, browser, token, allowed in (
                ("other site", victim, "", (403,)),
                ("stolen token", victim, own_token, (403,)),
                ("other tenant", attacker, own_token, (404,)),
            ):
                calls += 1
                data = {"form_token": token, "project_id": "1" * 24}
                answer = browser.post(
                    url, data=data, headers={"Origin": "https://evil.example"}, timeout=10, allow_redirects=False
                )
                if answer.status_code not in allowed and not (who == "other tenant" and answer.status_code == 403):
                    wrong.append(f"{who} {form}: {answer.status_code}")
        for path in ("", "/video"):
            calls += 1
            if attacker.get(f"{target.gateway.url}/renders/{theirs}{path}", timeout=10).status_code != 404:
                wrong.append(f"other tenant saw {path or 'the page'}")
    changed = target.redis.hgetall(f"renderline:render:{theirs}") != before
    figure = f"{calls} calls, {len(wrong)} let in" + (f": {wrong[0]}" if wrong else "")
    return Finding(not wrong and not changed and bool(own_token), figure)
