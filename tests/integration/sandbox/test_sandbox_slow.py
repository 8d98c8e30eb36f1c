"""A vendor that is slow rather than broken: calls that it carries out late, and reads that lag behind."""

import threading
import time
from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller

from harness import until

EXPORT = f"POST {V3}/editor/project/export"
READS = [f"GET {V3}/editor/progress/{{key}}", f"GET {V3}/editor/project/{{key}}", f"GET {V3}/editor/project"]


def rule(caller: Caller, **wish: Any) -> None:
    caller.emulator.control("POST", "faults", wish)


def export(caller: Caller, project_id: str, **how: Any) -> requests.Response:
    return caller.call("POST", "/editor/project/export", {"projectId": project_id}, **how)


def exports(caller: Caller) -> list[int]:
    return [shown["exports"] for shown in caller.emulator.control("GET", "projects")]


def listed(caller: Caller) -> list[str]:
    return [item["id"] for item in caller.data("GET", "/editor/project")]


def test_a_late_export_is_carried_out_although_its_client_has_gone(caller: Caller) -> None:
    draft = caller.create("Hello", export=False)
    rule(caller, call=EXPORT, fault="late", seconds=0.7, times=1)
    with pytest.raises(requests.ReadTimeout):
        export(caller, draft, timeout=0.2)
    assert exports(caller) == [0]
    assert caller.data("GET", f"/editor/project/{draft}")["project"]["state"] == "draft"
    until(lambda: exports(caller) == [1])


def test_a_late_call_is_answered_to_a_client_that_waits(caller: Caller) -> None:
    draft = caller.create("Hello [sandbox:late=0.3]", export=False)
    begin = time.monotonic()
    assert export(caller, draft).status_code == 200
    assert time.monotonic() - begin >= 0.3
    assert exports(caller) == [1]


def test_a_late_export_of_a_project_deleted_meanwhile_renders_nothing(caller: Caller) -> None:
    draft = caller.create("Hello", export=False)
    rule(caller, call=EXPORT, fault="late", seconds=0.7, times=1)
    with pytest.raises(requests.ReadTimeout):
        export(caller, draft, timeout=0.2)
    assert caller.call("DELETE", "/editor/project", {"ids": [draft]}).status_code == 200
    time.sleep(0.8)
    assert exports(caller) == [0]


def test_reads_that_lag_behind_miss_a_draft_just_made_and_an_export_just_begun(caller: Caller) -> None:
    caller.create("Before", export=False)
    rule(caller, call=READS, fault="stale-reads", seconds=2.5)
    draft = caller.create("Hello", export=False)
    assert caller.call("GET", f"/editor/project/{draft}").status_code == 404
    assert draft not in listed(caller)
    until(lambda: draft in listed(caller))
    export(caller, draft)
    assert caller.data("GET", f"/editor/project/{draft}")["project"]["state"] == "draft"
    assert caller.data("GET", f"/editor/project/{draft}")["project"]["backendTaskId"] is None
    assert caller.data("GET", f"/editor/progress/{draft}")["state"] == "draft"
    until(lambda: caller.data("GET", f"/editor/progress/{draft}")["state"] == "exporting")
    assert caller.data("GET", f"/editor/project/{draft}")["project"]["backendTaskId"]


def test_reads_that_lag_behind_show_what_was_just_deleted(caller: Caller) -> None:
    rule(caller, call=READS, fault="stale-reads", seconds=2.5)
    draft = caller.create("Hello", export=False)
    until(lambda: draft in listed(caller))
    caller.call("DELETE", "/editor/project", {"ids": [draft]})
    assert caller.data("GET", f"/editor/project/{draft}")["project"]["state"] == "draft"
    assert draft in listed(caller)
    until(lambda: draft not in listed(caller))
    assert caller.call("GET", f"/editor/project/{draft}").status_code == 404


def test_reads_that_lag_behind_show_a_finished_render_as_it_was(caller: Caller) -> None:
    rule(caller, call=READS, fault="stale-reads", seconds=2.5)
    project = caller.create("Hello", export=True)
    until(lambda: project in listed(caller))
    caller.emulator.control("POST", "complete", {"id": project})
    seen = caller.data("GET", f"/editor/progress/{project}")
    assert seen["state"] == "exporting"
    assert "downloadUrl" not in seen
    until(lambda: caller.data("GET", f"/editor/progress/{project}").get("downloadUrl"))


def test_only_reads_lag_behind(caller: Caller) -> None:
    rule(caller, call="*", fault="stale-reads", seconds=60)
    draft = caller.create("Hello", export=False)
    assert export(caller, draft).status_code == 200
    assert exports(caller) == [1]


def test_in_an_outage_that_hangs_no_call_is_answered_or_processed(caller: Caller) -> None:
    draft = caller.create("Hello", export=False)
    caller.emulator.control("POST", "outage", {"on": True, "hangs": True})
    with pytest.raises(requests.ReadTimeout):
        export(caller, draft, timeout=0.2)
    waiting = threading.Thread(target=lambda: answers.append(cut(caller, draft)))
    answers: list[bool] = []
    waiting.start()
    counted = f"GET {V3}/editor/project/{{key}}"
    until(lambda: caller.emulator.control("GET", "counts").get(counted))
    caller.emulator.control("POST", "outage", {"on": False})
    waiting.join(60)
    assert answers == [True]
    assert exports(caller) == [0]
    assert export(caller, draft).status_code == 200


def cut(caller: Caller, project_id: str) -> bool:
    """Whether the line of a read is cut; on a connection of its own, since another thread has the caller's."""
    url, headers = f"{caller.emulator.url}{V3}/editor/project/{project_id}", {"Authorization": caller.token}
    try:
        requests.get(url, headers=headers, timeout=60)
    except requests.ConnectionError:
        return True
    return False
