"""The vendor's webhooks, called by someone else: floods, forged figures, forged signatures."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import VICTIM, Target, a_render
from harness import call, until


@attack("webhook-flood", "a genuine webhook URL that is called a thousand times while its render runs")
def webhook_flood(target: Target, long: bool) -> Finding:
    flooded, calm = (
        target.accepted(a_render(f"[sandbox:slow=40] {one}"), tenant=VICTIM) for one in ("flooded", "calm")
    )

    def polls(render_id: str) -> int:
        return int(target.record(render_id, tenant=VICTIM)["polls"])

    for one in (flooded, calm):
        until(lambda one=one: target.record(one, tenant=VICTIM)["state"] == "rendering", what="rendering")
    url, once = (until(lambda one=one: target.project_of(one)["webhook_url"], what="a URL") for one in (flooded, calm))
    before = polls(flooded), polls(calm)
    count = 5000 if long else 600
    with ThreadPoolExecutor(8) as threads:
        forged = {"state": "finish", "progress": 100}
        call("POST", once, json=forged)
        taken = sum(answer.ok for answer in threads.map(lambda _: call("POST", url, json=forged), range(count)))
    time.sleep(1)
    asked, usual = polls(flooded) - before[0], polls(calm) - before[1]
    for one in (flooded, calm):
        target.ask("POST", f"/v1/renders/{one}/cancel", tenant=VICTIM)
    # A call that turns out to be untrue brings the usual polls back: one call does that as well as many.
    assert taken == count, f"{taken} of {count} calls were genuine"
    return Finding(asked <= usual + 3, f"{count} calls led to {asked} polls; one call to {usual}")


@attack("webhook-credit", "a webhook after the end that reports another price, link and project")
def webhook_credit(target: Target, long: bool) -> Finding:
    render_id = target.accepted(a_render(), tenant=VICTIM)
    before = target.ended(render_id, tenant=VICTIM)
    url = target.project_of(render_id)["webhook_url"]
    forged = {
        "state": "finish",
        "progress": 100,
        "credit": 999999,
        "creditSubstracted": 999999,
        "downloadUrl": "https://attacker.example/evil.mp4",
        "download_url": "https://attacker.example/evil.mp4",
        "projectId": "f" * 24,
    }
    statuses = [call("POST", url, json=body).status_code for body in (forged, {**forged, "credit": "1e300"})]
    statuses.append(call("GET", url, params={"credit": "999999", "url": "https://attacker.example/e.mp4"}).status_code)
    time.sleep(1)
    after = target.record(render_id, tenant=VICTIM)
    changed = [name for name in ("credit", "download_url", "project_id", "state") if before[name] != after[name]]
    figure = f"answers {statuses}; changed: {', '.join(changed) or 'nothing'}"
    return Finding(not changed, figure)


@attack("webhook-forgery", "webhooks with invented signatures, of other renders, attempts and times")
def webhook_forgery(target: Target, long: bool) -> Finding:
    render_id = target.accepted(a_render("[sandbox:slow=20]"), tenant=VICTIM)
    other = target.accepted(a_render(), tenant=VICTIM)
    target.ended(other, tenant=VICTIM)
    url = until(lambda: target.project_of(other)["webhook_url"], what="a webhook URL")
    base, _, signature = url.rpartition("/")
    attempt, expires, mac = signature.split(".")
    forged = [
        f"{base.replace(other, render_id)}/{signature}",
        f"{base}/{int(attempt) + 1}.{expires}.{mac}",
        f"{base}/{attempt}.{int(expires) + 10**6}.{mac}",
        f"{base}/{attempt}-2.{expires}.{mac}",
        f"{base}/{attempt}.{expires}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
        f"{base}/{attempt}.{expires}.",
        f"{base}/{attempt}.{expires}.{mac.upper()}x",
        f"{base}/x.y.z",
        f"{base}/{attempt}.{'9' * 5000}.{mac}",
        *(f"{base}/{attempt}.{expires}.{secrets.token_hex(32)}" for _ in range(50)),
    ]
    taken = [url for url in forged if call("POST", url, json={"progress": 100}).status_code not in (400, 404, 414, 431)]
    target.ask("POST", f"/v1/renders/{render_id}/cancel", tenant=VICTIM)
    return Finding(not taken, f"{len(taken)} of {len(forged)} taken")
