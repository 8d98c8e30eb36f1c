"""Generated and dubbed videos end to end: real workers, real Valkey, the sandbox over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from standardwebhooks import Webhook

from harness import HOOK_SECRET, ROOT, until
from tests.acceptance.command_line import CommandLine, CommandLineHere, reach
from tests.acceptance.conftest import System

KO, JA, ES = "ko-KR", "ja-JP", "es-ES"
SUBJECTS = {"topic_video": "topic", "url_video": "url", "script_video": "scripts"}


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "1", "--generation-seconds", "0.6", workers=1, RENDERLINE_CHECK_PAGES="any")


def generated(system: System, kind: str, words: str, **fields: Any) -> dict[str, Any]:
    subject = f"https://pages.example.com/{words}" if kind == "url_video" else words
    return {"kind": kind, SUBJECTS[kind]: subject, "hooks": system.request()["hooks"], **fields}


def dubbed(system: System, words: str = "talk", **fields: Any) -> dict[str, Any]:
    url = f"https://videos.example.com/{words}"
    return {
        "kind": "dubbing",
        "url": url,
        "targets": [KO, JA, ES],
        "hooks": system.request()["hooks"],
        **fields,
    }


def take(system: System, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Return the records in the verified deliveries of the wanted renders, by render id."""
    found: dict[str, dict[str, Any]] = {}
    while set(found) < wanted:
        headers, raw = system.hook_endpoint.take(60.0)
        data = Webhook(HOOK_SECRET).verify(raw, headers)["data"]
        if data["id"] in wanted:
            found[data["id"]] = data
    return found


def enqueued(system: System, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the record that the hook endpoint got for each of the requests."""
    ids = [system.enqueue(request) for request in requests]
    found = take(system, set(ids))
    return [found[one] for one in ids]


def charged(system: System, words: str) -> dict[str, int]:
    """Return how many generations and exports the vendor counted for projects with these words."""
    noted = system.sandbox.control("GET", "charges")["noted"]
    projects = [project for project in system.sandbox.projects() if words in project["name"]]
    return {
        "generations": sum(entry["sort"] == "generation" and words in entry["subject"] for entry in noted),
        "exports": sum(project["exports"] for project in projects),
    }


def stored(url: str) -> bytes:
    return Path(unquote(urlsplit(url).path)).read_bytes()


def test_each_kind_is_generated_exported_and_delivered_and_paid_once(system: System) -> None:
    options = {"language": "en", "duration": 60, "media": "generative", "style": "anime"}
    records = enqueued(
        system,
        *(generated(system, kind, f"smooth-{kind}", options=options, resolution="720") for kind in SUBJECTS),
    )
    assert [record["state"] for record in records] == ["completed"] * 3
    assert [record["stage"] for record in records] == ["export"] * 3
    assert {record["progress"] for record in records} == {100}
    assert [charged(system, f"smooth-{kind}") for kind in SUBJECTS] == [{"generations": 1, "exports": 1}] * 3
    files = {stored(record["stored_url"]) for record in records}
    assert len(files) == 3
    # The page has no address here, which is a doubt and no reason to refuse it.
    assert [bool(record["warnings"]) for record in records] == [False, True, False]
    assert records[1]["warnings"][0].startswith("url: not seen from here, ")


def test_faults_of_a_generation_end_well(system: System) -> None:
    faults = {
        # The page of a proxy, or an error: nobody knows whether the call took effect.
        "500@generate": "expired",
        "503@generate": "expired",
        "429=1@generate": "completed",
        "malformed@generation": "completed",
        "drop@generation": "completed",
        "slow=2@generate": "completed",
        "drop@export": "completed",
        "refuse@generate": "failed",
        "fail@generate": "failed",
        "fail": "failed",
        "stuck@generate": "expired",
    }
    requests = [
        generated(system, "topic_video", f"Case {number}. [sandbox:{fault}]", deadline=10)
        for number, fault in enumerate(faults)
    ]
    records = enqueued(system, *requests)
    assert {fault: record["state"] for fault, record in zip(faults, records, strict=True)} == faults
    for number, (fault, record) in enumerate(zip(faults, records, strict=True)):
        paid = charged(system, f"Case {number}.")
        assert paid["generations"] == (0 if fault in ("refuse@generate", "500@generate", "503@generate") else 1), fault
        assert paid["exports"] == (0 if fault.endswith("@generate") and faults[fault] != "completed" else 1), fault
        if fault == "fail@generate":
            assert (record["error"]["message"], record["stage"]) == ("the generation failed", "generate")


@pytest.fixture
def renderline(system: System) -> CommandLine:
    return CommandLineHere(system.environ, system.directory)


def test_a_generating_call_without_an_answer_is_repeated_by_nobody_but_an_operator(
    system: System, renderline: CommandLine
) -> None:
    lost, found, again, given_up = (
        system.enqueue(generated(system, "topic_video", f"{words} once. [sandbox:drop@generate]", deadline=deadline))
        # The command line may take seconds on a busy machine; until then what it is called for must not expire.
        for words, deadline in (("Lost", 15), ("Found", 90), ("Again", 90), ("Given up", 90))
    )
    for one in (lost, found, again, given_up):
        reach(system, one, "unconfirmed")
    (project,) = [one["id"] for one in system.sandbox.projects() if one["name"].startswith("Found once.")]
    assert renderline("adopt", found, project).code == 0
    assert renderline("resubmit", again).code == 0
    assert renderline("fail", given_up, "--reason", "It was never made.").code == 0
    records = take(system, {lost, found, again, given_up})
    states = {one: records[one]["state"] for one in records}
    assert states == {lost: "expired", found: "completed", again: "completed", given_up: "failed"}
    assert records[found]["project_id"] == project
    assert records[lost]["error"]["code"] == "unconfirmed"
    assert charged(system, "Lost once.") == {"generations": 1, "exports": 0}
    assert charged(system, "Found once.") == {"generations": 1, "exports": 1}
    # The operator said that the first call never took effect.
    assert charged(system, "Again once.") == {"generations": 2, "exports": 1}


def test_a_retry_goes_on_with_what_was_generated(system: System, renderline: CommandLine) -> None:
    refused, failed = (
        system.enqueue(generated(system, "script_video", f"Retried {number}. [sandbox:{fault}]"))
        for number, fault in enumerate(("refuse*1@export", "fail*1@generate"))
    )
    records = take(system, {refused, failed})
    assert [records[one]["state"] for one in (refused, failed)] == ["failed"] * 2
    for one in (refused, failed):
        assert renderline("retry", one).code == 0
    again = take(system, {refused, failed})
    assert [again[one]["state"] for one in (refused, failed)] == ["completed"] * 2
    assert again[refused]["project_id"] == records[refused]["project_id"]
    assert again[failed]["project_id"] != records[failed]["project_id"]
    assert charged(system, "Retried 0.") == {"generations": 1, "exports": 1}
    assert charged(system, "Retried 1.") == {"generations": 2, "exports": 1}


@pytest.mark.parametrize(("seconds", "words"), [("30@generate", "Early"), ("30@export", "Late")])
def test_a_render_is_canceled_in_either_phase(
    system: System, renderline: CommandLine, seconds: str, words: str
) -> None:
    one = system.enqueue(generated(system, "topic_video", f"{words} cancel. [sandbox:slow={seconds}]"))
    stage = seconds.partition("@")[2]
    record = until(
        lambda: (seen := system.record(one))["stage"] == stage and seen["state"] == "rendering" and seen,
        what=f"the stage {stage}",
    )
    assert (record["progress"] >= 50) == (stage == "export")
    assert renderline("cancel", one).code == 0
    record = system.record(one)
    assert (record["state"], record["stage"]) == ("canceled", stage)
    assert charged(system, f"{words} cancel.")["exports"] == (stage == "export")


def test_a_page_that_is_gone_costs_nothing(system: System) -> None:
    # The sandbox answers 404 to every path that it does not know.
    request = {"kind": "url_video", "url": f"{system.sandbox.url}/no/such/page", "hooks": system.request()["hooks"]}
    (record,) = enqueued(system, request)
    assert (record["state"], record["error"]["origin"]) == ("failed", "caller")
    assert record["error"]["message"].startswith("url: nobody can read this page: it answers 404")
    assert "no/such/page" not in str(system.sandbox.projects())


def test_a_dubbing_has_a_video_for_each_language(system: System) -> None:
    (record,) = enqueued(system, dubbed(system, "smooth", source_language="en-US", speakers=2, captions=True))
    assert (record["state"], record["stage"], record["error"]) == ("completed", "dub", None)
    outputs = record["outputs"]
    assert [(one["language"], one["state"], one["progress"]) for one in outputs] == [
        (language, "completed", 100) for language in (KO, JA, ES)
    ]
    assert len({stored(one["stored_url"]) for one in outputs}) == 3
    assert [one["stored_url"].endswith(f"{record['id']}.{one['language']}.mp4") for one in outputs] == [True] * 3
    assert (record["download_url"], record["stored_url"]) == (outputs[0]["download_url"], outputs[0]["stored_url"])
    videos = [one for one in system.sandbox.projects() if "/smooth (" in one["name"]]
    assert sorted(one["exports"] for one in videos) == [1, 1, 1]


def test_a_dubbing_fails_only_with_every_language(system: System) -> None:
    tags = {
        f"one-[sandbox:fail@{JA}]": ("completed", ["completed", "failed", "completed"]),
        f"first-[sandbox:fail@{KO}]": ("completed", ["failed", "completed", "completed"]),
        "all-[sandbox:fail]": ("failed", ["failed"] * 3),
        f"stuck-[sandbox:stuck@{ES}]": ("completed", ["completed", "completed", "expired"]),
        "stuck-all-[sandbox:stuck]": ("expired", ["expired"] * 3),
        "refuse-[sandbox:refuse@dub]": ("failed", []),
        "busy-[sandbox:429=1@dub]": ("completed", ["completed"] * 3),
        "lost-[sandbox:drop@dub]": ("expired", []),
        "odd-[sandbox:malformed@progress]": ("completed", ["completed"] * 3),
    }
    records = enqueued(system, *(dubbed(system, words, deadline=9) for words in tags))
    ends = {
        words: (record["state"], [one["state"] for one in record["outputs"]])
        for words, record in zip(tags, records, strict=True)
    }
    assert ends == tags
    first = records[1]
    assert (first["download_url"], first["stored_url"]) == (
        first["outputs"][1]["download_url"],
        first["outputs"][1]["stored_url"],
    )
    assert "no language could be dubbed" in records[2]["error"]["message"]
    assert records[7]["error"]["code"] == "unconfirmed"
    for words in tags:
        videos = [one for one in system.sandbox.projects() if f"/{words} (" in one["name"]]
        assert len(videos) == (0 if words.startswith("refuse") else 3), words


def test_a_dubbing_without_an_answer_goes_on_with_the_folder_that_an_operator_names(
    system: System, renderline: CommandLine
) -> None:
    one = system.enqueue(dubbed(system, "adopted-[sandbox:drop@dub]"))
    reach(system, one, "unconfirmed")
    first = next(project["id"] for project in system.sandbox.projects() if "/adopted-" in project["name"])
    assert renderline("adopt", one, first[:12] + first[:11:-1]).code == 0
    record = take(system, {one})[one]
    assert [output["state"] for output in record["outputs"]] == ["completed"] * 3
    assert record["stored_url"] == record["outputs"][0]["stored_url"]


def test_a_video_and_its_subtitles_are_dubbed_from_files(system: System, renderline: CommandLine) -> None:
    (system.directory / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nHello.\n")
    (system.directory / "talk.mp4").write_bytes((ROOT / "renderline/sandbox/landscape.mp4").read_bytes())
    request = {
        "kind": "dubbing",
        "file": "talk.mp4",
        "targets": [KO, JA],
        "source_srt": "talk.srt",
        "target_srts": {JA: "talk.srt"},
        "hooks": [{"type": "download"}],
    }
    (system.directory / "dub.json").write_text(json.dumps(request))
    sent = renderline("submit", str(system.directory / "dub.json"), "--wait")
    assert sent.code == 0, sent
    videos = [one for one in system.sandbox.projects() if one["name"].startswith("talk.mp4 (")]
    assert [one["name"] for one in videos] == [f"talk.mp4 ({KO})", f"talk.mp4 ({JA})"]
    assert [one["exports"] for one in videos] == [1, 1]
