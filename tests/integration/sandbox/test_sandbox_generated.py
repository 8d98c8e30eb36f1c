"""Speech audio and generated projects as a caller sees them, and what they cost."""

import io
import wave
from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller, running

from harness import until

AUTOMATION = f"{V3}/automation"


def charges(caller: Caller) -> Any:
    return caller.emulator.control("GET", "charges")


def generate(caller: Caller, subject: str = "topic", words: str = "Bees", **options: Any) -> str:
    made = caller.data("POST", f"/automation/{subject}_to_video", {subject: words, "options": options})
    return str(made["projectId"])


def generation(caller: Caller, project_id: str) -> dict[str, Any]:
    return dict(caller.data("GET", f"/automation/progress?projectId={project_id}"))


def test_audio_is_answered_in_the_call(caller: Caller) -> None:
    answer = caller.data("POST", "/simple/audio", {"language": "en", "text": "Good day.", "model": "M000045058"})
    assert set(answer) == {"fileName", "downloadUrl", "metaList"}
    file = requests.get(answer["downloadUrl"], timeout=30)
    assert file.headers["Content-Type"] == "audio/wav"
    with wave.open(io.BytesIO(file.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == 1.0
    assert charges(caller)["charged"] == {"export": 0, "generation": 0, "dubbing": 0, "audio": 1}
    (noted,) = charges(caller)["noted"]
    assert (noted["sort"], noted["account"], noted["subject"]) == ("audio", "app", "Good day.")
    project_id = answer["fileName"].partition(".")[0]
    assert caller.call("GET", f"/editor/project/{project_id}").status_code == 404
    assert caller.call("POST", "/simple/audio", {"text": "x"}).status_code == 400


def test_an_audio_whose_answer_is_lost_was_charged(caller: Caller) -> None:
    body = {"language": "en", "text": "[sandbox:drop@audio]", "model": "M1"}
    with pytest.raises(requests.ConnectionError):
        caller.call("POST", "/simple/audio", body)
    assert charges(caller)["charged"]["audio"] == 1


@pytest.mark.parametrize(
    ("subject", "words"), [("topic", "Bees"), ("url", "https://example.com/bees"), ("scripts", "Bees. They fly.")]
)
def test_generation_follows_the_clock_and_ends_with_finish(quick: Caller, subject: str, words: str) -> None:
    made = generate(quick, subject, words, duration=90, language="en")
    seen: list[dict[str, Any]] = []
    until(lambda: seen.append(generation(quick, made)) or seen[-1]["state"] == "finish")
    assert seen[-1] == {"state": "finish", "progress": 100.0}
    assert [entry["progress"] for entry in seen] == sorted(entry["progress"] for entry in seen)
    project = quick.data("GET", f"/editor/project/{made}")["project"]
    assert (project["state"], len(project["scenes"])) == ("draft", 3)
    quick.data("POST", "/editor/project/export", {"projectId": made})
    until(lambda: quick.progress(made).get("downloadUrl"))
    assert charges(quick)["charged"] == {"export": 1, "generation": 1, "dubbing": 0, "audio": 0}


@pytest.mark.contradiction(17)
def test_three_spellings_of_the_progress(caller: Caller) -> None:
    made = generate(caller)
    for path in (f"progress?projectId={made}", f"progress/?projectId={made}", f"progress/{made}"):
        assert set(caller.data("GET", f"/automation/{path}")) == {"state", "progress"}
    assert caller.call("GET", "/automation/progress?projectId=none").status_code == 404
    assert caller.call("GET", f"/automation/progress/{caller.create(export=False)}").status_code == 404


def test_nothing_is_exported_before_the_generation_has_finished(caller: Caller) -> None:
    made = generate(caller)
    assert caller.data("GET", f"/editor/project/{made}")["project"]["state"] == "generating"
    assert caller.call("POST", "/editor/project/export", {"projectId": made}).status_code == 409
    caller.emulator.control("POST", "complete", {"id": made})
    assert generation(caller, made)["state"] == "finish"
    assert caller.call("POST", "/editor/project/export", {"projectId": made}).status_code == 200


@pytest.mark.parametrize("place", ["topic", "tone"])
def test_tags_of_the_generation_and_of_its_export(quick: Caller, place: str) -> None:
    failing = "[sandbox:fail=30@generate]"
    made = generate(quick, words=failing) if place == "topic" else generate(quick, tone=failing)
    until(lambda: generation(quick, made)["state"] == "failed")
    assert set(generation(quick, made)["error"]) == {"code", "msg"}
    stuck = generate(quick, words="[sandbox:stuck=20@generate]")
    until(lambda: generation(quick, stuck)["progress"] == 20)
    later = generate(quick, words="[sandbox:fail=50] [sandbox:500@export]")
    until(lambda: generation(quick, later)["state"] == "finish")
    assert quick.call("POST", "/editor/project/export", {"projectId": later}).status_code == 500
    quick.data("POST", "/editor/project/export", {"projectId": later})
    until(lambda: quick.progress(later)["state"] == "failed")
    assert charges(quick)["charged"]["generation"] == 3


def test_a_lost_generation_was_charged_and_shows(caller: Caller) -> None:
    with pytest.raises(requests.ConnectionError):
        generate(caller, words="Lost [sandbox:drop@generate]")
    assert charges(caller)["calls"][f"POST {AUTOMATION}/topic_to_video"]["charged"]["generation"] == 1
    (shown,) = caller.emulator.control("GET", "projects")
    assert (shown["origin"], shown["generation"]["state"]) == (f"POST {AUTOMATION}/topic_to_video", "ready")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("topic", {}, "topic: is required"),
        ("topic", {"topic": 5}, "topic: must be a string"),
        ("url", {"url": "bees"}, "url: must be an http or https URL"),
        ("topic", {"topic": "t", "options": []}, "options: must be an object"),
        ("topic", {"topic": "t", "options": {"duration": 45}}, "options.duration: must be one of 30, 60"),
        ("topic", {"topic": "t", "options": {"language": "english"}}, "options.language: must be an ISO 639-1"),
        ("scripts", {"scripts": "t", "options": {"scriptOption": "x"}}, "options.scriptOption: must be one of"),
        ("topic", {"topic": "t", "options": {"speed": 3}}, "options.speed: must be between 0.5 and 1.5"),
        ("topic", {"topic": "t", "options": {"style": []}}, "options.style: must be one of"),
    ],
)
def test_refused_generations_cost_nothing(caller: Caller, path: str, body: Any, message: str) -> None:
    answer = caller.call("POST", f"/automation/{path}_to_video", body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["msg"]
    assert charges(caller)["started"]["generation"] == 0


def test_generations_may_be_quicker_than_renders() -> None:
    with running("--render-seconds", "600", "--generation-seconds", "0") as emulator:
        caller = Caller(emulator)
        assert generation(caller, generate(caller))["state"] == "finish"
