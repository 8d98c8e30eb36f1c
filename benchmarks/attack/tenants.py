"""One tenant against another: every route, idempotency keys, vendor projects, hook secrets."""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from standardwebhooks import Webhook

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, HOOK_SECRETS, VICTIM, Target, a_render
from harness import call, until
from renderline.signed_urls.download_links import DownloadLinks

_SECRET_NAME: Final = "Merger-Of-Zanzibar"
_STORED: Final[dict[str, Any]] = {"stored_url": "file:///videos/a.mp4", "outputs": []}
_NO_RENDERS: Final = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json", "/metrics"})


@attack("foreign-tenant", "another tenant's key on every route of the OpenAPI document")
def foreign_tenant(target: Target, long: bool) -> Finding:
    render_id = target.accepted(a_render(name=_SECRET_NAME, metadata={"order": _SECRET_NAME}), tenant=VICTIM)
    target.ended(render_id, tenant=VICTIM)
    document = target.ask("GET", "/openapi.json", tenant=ATTACKER).json()
    let_in: list[str] = []
    calls = 0
    for path, methods in document["paths"].items():
        if not path.startswith("/v1"):
            continue
        for method in methods.keys() & {"get", "post", "put", "patch", "delete"}:
            calls += 1
            filled = re.sub(r"\{(\w+)\}", lambda found: render_id if "id" in found[1] else "0", path)
            filled = filled.replace("/accounts/0", "/accounts/default")
            if shown := _foreign(target, method.upper(), filled, render_id):
                let_in.append(f"{method.upper()} {path}: {shown}")
    figure = f"{calls} routes, {len(let_in)} let it in" + (f": {'; '.join(let_in[:3])}" if let_in else "")
    return Finding(calls > 10 and not let_in, figure)


def _foreign(target: Target, method: str, path: str, render_id: str) -> str:
    """Return what a call of the attacker gave away or did; empty if nothing."""
    bodies: dict[str, Any] = {
        "/adopt": {"project_id": "1" * 24},
        "/fail": {"message": "attack"},
        "/batch": {"requests": [{"request": a_render()}]},
    }
    body = next((body for ending, body in bodies.items() if path.endswith(ending)), {} if method == "POST" else None)
    headers = {"Authorization": f"Bearer {target.keys[ATTACKER]}"}
    with requests.Session() as session:
        session.trust_env = False
        url = f"{target.gateway.url}{path}"
        try:
            with session.request(method, url, json=body, headers=headers, stream=True, timeout=3) as answer:
                text = answer.raw.read1(65536).decode(errors="replace") if answer.status_code < 300 else ""
                status = answer.status_code
        except requests.RequestException:
            return ""
        except Exception as error:
            # An event stream that says nothing for three seconds.
            return "" if "timed out" in str(error).lower() else f"{type(error).__name__}"
    if render_id in text or _SECRET_NAME in text:
        return f"{status} with the render"
    if render_id in path and status not in (404, 405):
        return f"{status} instead of 404"
    if path.endswith(("/pause", "/resume")) and status < 300:
        return f"{status}: acts on all tenants"
    return ""


@attack(
    "foreign-forgetting", "DELETE of another tenant's render, with the vendor's project, and of its other spellings"
)
def foreign_forgetting(target: Target, long: bool) -> Finding:
    render_id = target.accepted(a_render(name=_SECRET_NAME), tenant=VICTIM)
    target.ended(render_id, tenant=VICTIM)
    tries = [render_id, f"{render_id}?vendor=true", render_id.upper(), f"{render_id}/", f"{render_id}%00"]
    statuses = [target.ask("DELETE", f"/v1/renders/{one}", tenant=ATTACKER).status_code for one in tries]
    unknown = target.ask("DELETE", f"/v1/renders/{'0' * 32}", tenant=ATTACKER).status_code
    kept = target.record(render_id, tenant=VICTIM)["forgotten"] is None
    figure = f"{len(tries)} ways: {sorted(set(statuses))}, an unknown id {unknown}; kept: {'yes' if kept else 'no'}"
    return Finding(kept and set(statuses) <= {404, 405} and unknown == 404, figure)


@attack("forged-links", "links to another tenant's stored file: made with a foreign key, changed, and guessed")
def forged_links(target: Target, long: bool) -> Finding:
    body = a_render(hooks=[{"type": "download"}])
    render_id, own = (target.accepted(body, tenant=tenant) for tenant in (VICTIM, ATTACKER))
    target.ended(render_id, tenant=VICTIM)
    target.ended(own, tenant=ATTACKER)
    asked = target.ask("POST", f"/v1/renders/{render_id}/links", {}, tenant=ATTACKER).status_code
    expires = int(time.time()) + 600
    guessed = DownloadLinks("a key of the attacker's own, 32 characters").make({"id": render_id, **_STORED}).path
    forged = [
        guessed,
        *(f"/links/{render_id}/video.{expires}.{mac}" for mac in ("", "0" * 64, "f" * 63, "0" * 5_000)),
    ]
    mine = target.ask("POST", f"/v1/renders/{own}/links", {}, tenant=ATTACKER)
    if mine.ok:
        path = urlsplit(mine.json()["url"]).path
        forged += [path.replace(own, render_id), path.replace("video.", "0."), f"{path}%0a"]
    answers = [requests.get(f"{target.gateway.url}{one}", timeout=10) for one in forged]
    let_in = [one.status_code for one in answers if one.status_code < 400 or one.status_code >= 500]
    return Finding(asked == 404 and not let_in, f"asking for one: {asked}; {len(forged)} forged, {len(let_in)} let in")


@attack("metrics-access", "/metrics with another tenant's key, without one through a proxy, and posing as local")
def metrics_access(target: Target, long: bool) -> Finding:
    own = {"Authorization": f"Bearer {target.keys[ATTACKER]}"}
    tries: list[dict[str, str]] = [own, {**own, "X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": "127.0.0.1"}]
    tries += [{"Forwarded": "for=127.0.0.1"}, {"Via": "1.1 local"}, {"Host": "localhost.attacker.example"}]
    tries += [{"X-Real-IP": "::1"}, {"x-forwarded-host": "localhost"}]
    answers = [requests.get(f"{target.gateway.url}/metrics", headers=one, timeout=10) for one in tries]
    let_in = [one.status_code for one in answers if one.status_code not in (401, 403) or "renderline_" in one.text]
    return Finding(not let_in, f"{len(tries)} ways, {len(let_in)} let it in")


@attack("foreign-events", "following all renders while another tenant's render runs")
def foreign_events(target: Target, long: bool) -> Finding:
    seen: list[str] = []
    headers = {"Authorization": f"Bearer {target.keys[ATTACKER]}", "Last-Event-ID": "0-1"}
    answer = requests.get(f"{target.gateway.url}/v1/events", headers=headers, stream=True, timeout=30)
    lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
    threading.Thread(target=lambda: seen.extend(_until_closed(lines)), daemon=True).start()
    render_id = target.accepted(a_render(), tenant=VICTIM)
    target.ended(render_id, tenant=VICTIM)
    own = target.accepted(a_render(), tenant=ATTACKER)
    until(lambda: any(own in line for line in seen), what="an event of the attacker's own render")
    leaked = sum(render_id in line for line in tuple(seen))
    answer.close()
    return Finding(not leaked, f"{leaked} events of the other tenant's render")


def _until_closed(lines: Any) -> Any:
    try:
        yield from lines
    except (requests.RequestException, AttributeError, ValueError):
        return


@attack("foreign-idempotency-key", "taking an idempotency key before its owner uses it, and asking for one")
def foreign_idempotency_key(target: Target, long: bool) -> Finding:
    taken, used = f"order-{time.time_ns()}", f"order-{time.time_ns() + 1}"
    mine = target.accepted(a_render("Mine."), tenant=ATTACKER, key=taken)
    owner = target.submit(a_render("Hello."), tenant=VICTIM, key=taken)
    theirs = target.accepted(a_render("Yours."), tenant=VICTIM, key=used)
    asked = target.submit(a_render("Yours."), tenant=ATTACKER, key=used)
    blocked = owner.status_code != 202 or owner.json()["id"] == mine
    leaked = asked.status_code != 202 or asked.json()["id"] == theirs
    figure = f"owner of a taken key: {owner.status_code}; asking for a used one: {asked.status_code}"
    if asked.status_code == 202 and leaked:
        figure += " with the owner's render"
    return Finding(not blocked and not leaked, figure)


@attack("foreign-projects", "naming another tenant's vendor project in export, edit and adopt, and a template")
def foreign_projects(target: Target, long: bool) -> Finding:
    render_id = target.accepted(a_render(), tenant=VICTIM)
    target.ended(render_id, tenant=VICTIM)
    project = target.record(render_id, tenant=VICTIM)["project_id"]
    asked = {
        "export": {"kind": "export", "project_id": project},
        "edit": {
            "kind": "edit",
            "project_id": project,
            "updates": {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Mine now."}}]},
        },
        "template": {"kind": "template", "template_id": project},
    }
    statuses = {name: target.submit(body, tenant=ATTACKER).status_code for name, body in asked.items()}
    batch = {"requests": [{"request": asked["export"]}]}
    answer = target.ask("POST", "/v1/renders/batch", batch, tenant=ATTACKER)
    statuses["export in a batch"] = answer.json()["results"][0]["status"] if answer.ok else answer.status_code
    own = target.submit({"kind": "export", "project_id": project}, tenant=VICTIM).status_code
    refused = all(status in (404, 422) for status in statuses.values())
    figure = ", ".join(f"{name} {status}" for name, status in statuses.items()) + f"; its owner {own}"
    return Finding(refused and own == 202, figure)


@attack("celery-hook-to-internal-task", "a hook that publishes a task of Renderline itself, or of another service")
def celery_hook(target: Target, long: bool) -> Finding:
    hooks = [
        {"type": "celery", "task": "renderline.submit", "queue": "submit"},
        {"type": "celery", "task": "renderline.request", "queue": "requests"},
        {"type": "celery", "task": "billing.refund", "queue": "billing"},
        {"type": "celery", "task": "celery.chain", "queue": "hooks"},
    ]
    answers = [target.submit(a_render(hooks=[hook]), tenant=ATTACKER) for hook in hooks]
    named = all("RENDERLINE_CELERY_HOOKS" in answer.text or "celery_hooks" in answer.text for answer in answers)
    refused = sum(answer.status_code == 422 for answer in answers)
    figure = f"{refused} of {len(hooks)} refused" + (", naming the setting" if named else "")
    return Finding(refused == len(hooks), figure)


@attack("foreign-hook-secret", "a receiver that forges hooks for another one with the secret that it verifies with")
def foreign_hook_secret(target: Target, long: bool) -> Finding:
    sent = {}
    for tenant in HOOK_SECRETS:
        path = f"/{tenant}-{time.time_ns()}"
        target.accepted(a_render(hooks=[{"type": "http", "url": target.receiver.url(path)}]), tenant=tenant)
        sent[tenant] = until(lambda path=path: target.receiver.got(path), what=f"the hook of {tenant}")[0]
    verified = {
        (of, by) for of in sent for by in HOOK_SECRETS if _verifies(HOOK_SECRETS[by], sent[of].raw, sent[of].headers)
    }
    own = all((tenant, tenant) in verified for tenant in HOOK_SECRETS)
    crossed = sum(of != by for of, by in verified)
    figure = f"own secret verifies: {'yes' if own else 'no'}; the other's: {crossed} of 2"
    return Finding(own and not crossed, figure)


def _verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    except Exception:
        return False
    return True


@attack("foreign-metrics", "metrics and errors that name another tenant's renders, accounts or volume")
def foreign_metrics(target: Target, long: bool) -> Finding:
    target.accepted(a_render(name=_SECRET_NAME), tenant=VICTIM)
    found = []
    for path in ("/metrics", "/healthz", "/readyz", "/openapi.json"):
        for headers in ({}, {"Authorization": f"Bearer {target.keys[ATTACKER]}"}):
            text = call("GET", f"{target.gateway.url}{path}", headers=headers).text
            found += [path for word in (_SECRET_NAME, f'tenant="{VICTIM}"') if word in text]
    return Finding(not found, f"{len(found)} places" + (f": {', '.join(sorted(set(found)))}" if found else ""))
