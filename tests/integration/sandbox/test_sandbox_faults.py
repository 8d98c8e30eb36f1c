"""Every fault on demand, by magic input and by rule, seen over a real connection."""

import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller, SandboxClient, project

from harness import until

EXPORT = f"POST {V3}/editor/project/export"


def export(caller: Caller, project_id: str, **how: Any) -> requests.Response:
    return caller.call("POST", "/editor/project/export", {"projectId": project_id}, **how)


def exports(caller: Caller) -> list[int]:
    return [shown["exports"] for shown in caller.emulator.control("GET", "projects")]


@pytest.mark.parametrize("tag", ["401", "429", "500", "503", "429=none", "429=date", "503=7"])
def test_not_processed_once(caller: Caller, tag: str) -> None:
    draft = caller.create(f"Hello [sandbox:{tag}]", export=False)
    spoiled = export(caller, draft)
    assert spoiled.status_code == int(tag[:3])
    assert exports(caller) == [0]
    caller.token = caller.emulator.token()
    assert export(caller, draft).status_code == 200
    assert exports(caller) == [1]


def test_a_401_refuses_the_token_for_good(caller: Caller) -> None:
    draft = caller.create("[sandbox:401]", export=False)
    assert export(caller, draft).status_code == 401
    assert caller.call("GET", "/auth").status_code == 401


def test_retry_after(caller: Caller) -> None:
    def header(tag: str) -> str | None:
        return export(caller, caller.create(tag, export=False)).headers.get("Retry-After")

    assert header("[sandbox:429]") == "1"
    assert header("[sandbox:429=2.5]") == "2.5"
    assert header("[sandbox:429=none]") is None
    assert parsedate_to_datetime(header("[sandbox:429=date]") or "").timestamp() > time.time()


@pytest.mark.parametrize("tag", ["drop", "drop-before"])
def test_cut_lines(caller: Caller, tag: str) -> None:
    draft = caller.create(f"[sandbox:{tag}]", export=False)
    with pytest.raises(requests.ConnectionError):
        export(caller, draft)
    assert exports(caller) == ([1] if tag == "drop" else [0])
    assert export(caller, draft).status_code == 200


def test_dropped_draft_made_again_goes_through(caller: Caller) -> None:
    body = project("[sandbox:drop@draft]", isExport=False)
    with pytest.raises(requests.ConnectionError):
        caller.call("POST", "/editor/project", {**body, "name": "Film rnd_0000000000000001"})
    assert caller.call("POST", "/editor/project", {**body, "name": "Film rnd_0000000000000002"}).status_code == 200
    assert exports(caller) == [0, 0]


@pytest.mark.parametrize("form", ["html", "json", "empty"])
def test_malformed_after_processing(caller: Caller, form: str) -> None:
    draft = caller.create(f"[sandbox:malformed={form}]", export=False)
    spoiled = export(caller, draft)
    assert spoiled.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        spoiled.json()
    assert exports(caller) == [1]


def test_500_after_processing_and_direct_submission(caller: Caller) -> None:
    answer = caller.call("POST", "/editor/project", project("[sandbox:500-after]"))
    assert (answer.status_code, exports(caller)) == (500, [1])


def test_hang_past_a_read_timeout(caller: Caller) -> None:
    draft = caller.create("[sandbox:hang=30]", export=False)
    with pytest.raises(requests.ReadTimeout):
        export(caller, draft, timeout=0.2)
    assert exports(caller) == [1]


def test_refuse_and_credit(caller: Caller) -> None:
    refused = caller.call("POST", "/editor/project", project("[sandbox:refuse=70123]", isExport=False))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 70123)
    draft = caller.create("[sandbox:credit]", export=False)
    assert [export(caller, draft).status_code for _ in range(2)] == [402, 402]
    assert exports(caller) == [0]


def test_unknown_tags_are_refused(caller: Caller) -> None:
    answer = caller.call("POST", "/editor/project", project("[sandbox:slwo]"))
    assert "there is no such tag" in answer.json()["error"]["msg"]


def test_stages_of_reading(caller: Caller) -> None:
    made = caller.create("[sandbox:500@progress*2] [sandbox:malformed=html@project]", export=True)
    codes = [caller.call("GET", f"/editor/progress/{made}").status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert caller.call("GET", f"/editor/project/{made}").text.startswith("<html")
    assert caller.data("GET", f"/editor/project/{made}")


def test_render_tags(quick: Caller) -> None:
    failing = quick.create("[sandbox:fail]", export=True)
    once = quick.create("[sandbox:fail*1]", export=True)
    stuck = quick.create("A name does too.", export=True, name="[sandbox:stuck]")
    late = quick.create("[sandbox:late-url=0.3]", export=True)
    slow = quick.create("[sandbox:slow=1000]", export=True)
    assert until(lambda: quick.progress(late)["progress"] == 100)
    assert quick.progress(late) == {"progress": 100.0, "state": "exported", "downloadUrl": ""}
    assert until(lambda: quick.progress(late)["downloadUrl"])
    assert quick.progress(failing)["state"] == "failed"
    assert set(quick.progress(failing)["error"]) == {"code", "msg"}
    assert quick.data("GET", f"/editor/project/{failing}")["project"]["error"]
    assert quick.progress(stuck) == {"progress": 42.0, "state": "exporting"}
    assert quick.progress(slow)["progress"] < 1
    quick.data("POST", "/editor/project/export", {"projectId": once})
    assert until(lambda: quick.progress(once)["state"] == "exported")


def test_rules_over_http(caller: Caller) -> None:
    control = caller.emulator.control
    control("POST", "faults", {"call": EXPORT, "fault": "500", "times": 1, "name": "blue"})
    red, blue = caller.create(export=False, name="red"), caller.create(export=False, name="blue")
    assert [export(caller, each).status_code for each in (red, blue, blue)] == [200, 500, 200]
    control("POST", "faults", {"call": "*", "fault": "401", "rate": 1})
    assert caller.call("GET", "/editor/project").status_code == 401
    control("DELETE", "faults")
    assert control("GET", "faults") == []
    answer = caller.emulator.call("POST", "/_sandbox/faults", json={"call": "GET /typo", "fault": "drop"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("fault", "started"), [("hold", 1), ("hold-before", 0)])
def test_held_calls(caller: Caller, fault: str, started: int) -> None:
    control = caller.emulator.control
    draft = caller.create(export=False, name="held one")
    control("POST", "faults", {"call": EXPORT, "fault": fault, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        export(caller, draft, timeout=0.2)
    (entry,) = until(lambda: [held for held in control("GET", "held") if held["client_gone"]])
    assert (entry["call"], entry["project"], entry["name"]) == (EXPORT, draft, "held one")
    assert exports(caller) == [started]
    assert control("POST", "release", {"id": entry["id"]}) == {"released": 1}
    assert control("GET", "held") == []
    assert exports(caller) == [1]


def test_held_answer_reaches_a_client_that_waits(emulator: SandboxClient, caller: Caller) -> None:
    emulator.control("POST", "faults", {"call": f"GET {V3}/auth", "fault": "hold", "times": 2})
    answers: list[int | str] = []

    def ask() -> None:
        try:
            answer = requests.get(f"{emulator.url}{V3}/auth", headers={"Authorization": caller.token}, timeout=30)
            answers.append(answer.status_code)
        except requests.ConnectionError:
            answers.append("cut")

    for forget, expected in [(False, 200), (True, "cut")]:
        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: emulator.control("GET", "held"))
        emulator.control("POST", "release", {"forget": forget})
        thread.join(60)
        assert answers.pop() == expected


def test_outage(caller: Caller) -> None:
    control = caller.emulator.control
    made = caller.create(export=True)
    control("POST", "complete", {"id": made})
    control("POST", "outage", {"on": True, "retry_after": 3})
    answer = caller.call("GET", "/auth")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert caller.emulator.call("POST", f"{V3}/auth/token", json={}).status_code == 503
    assert caller.emulator.call("GET", f"/files/{made}.mp4").status_code == 200
    control("POST", "outage", {"on": False})
    assert caller.call("GET", "/auth").status_code == 200
