"""A download of a render with several outputs: a file for each, and none stops the others."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from renderline.hooks import Delivery, DownloadHook, HookFailed
from renderline.ledger import FileClaims, Ledger

KO, JA, EN = "ko-KR", "ja-JP", "en-US"


def output(language: str | None, link: str | None, *, state: str = "completed", project: str = "p1") -> dict[str, Any]:
    return {"language": language, "project_id": project, "state": state, "download_url": link, "stored_url": None}


def delivery(outputs: list[dict[str, Any]]) -> Delivery:
    first = next((one["download_url"] for one in outputs if one["state"] == "completed"), None)
    record = {"id": "r1", "kind": "dubbing", "name": "Talk", "download_url": first, "outputs": outputs}
    return Delivery("render.completed", "msg_r1_1_0", 1_795_170_245.0, record)


@pytest.fixture
def server(serve: Any) -> Any:
    def answer(request: Any) -> None:
        name = request.path.removeprefix("/").partition("?")[0]
        if name.startswith("gone"):
            request.reply(404)
        elif name.startswith("busy"):
            request.reply(503, Retry_After="7")
        else:
            request.reply(200, name.encode(), Content_Type="video/mp4")

    return serve(answer)


@pytest.fixture
def hook(redis: Any, tmp_path: Any) -> DownloadHook:
    return DownloadHook(tmp_path.as_uri(), claims=FileClaims(Ledger(redis)))


def files(tmp_path: Any) -> dict[str, str]:
    return {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}


def test_each_language_has_a_file_and_the_first_is_the_renders_own(hook: Any, server: Any, tmp_path: Any) -> None:
    outputs = [output(KO, None, state="failed"), output(JA, f"{server.url}/ja"), output(EN, f"{server.url}/en")]
    found = hook.deliver({"type": "download"}, delivery(outputs))
    assert files(tmp_path) == {"r1.ja-JP.mp4": "ja", "r1.en-US.mp4": "en"}
    assert found["stored_url"] == f"{tmp_path.as_uri()}/r1.ja-JP.mp4"
    assert json.loads(found["stored_outputs"]) == {
        "1": f"{tmp_path.as_uri()}/r1.ja-JP.mp4",
        "2": f"{tmp_path.as_uri()}/r1.en-US.mp4",
    }


@pytest.mark.parametrize(
    ("path", "stored"),
    [
        ("talks/{language}/{name}.mp4", {"talks/ko-KR/Talk.mp4", "talks/ja-JP/Talk.mp4"}),
        ("talks/{name}.mp4", {"talks/Talk.ko-KR.mp4", "talks/Talk.ja-JP.mp4"}),
        ("v1.0/{name}", {"v1.0/Talk.ko-KR", "v1.0/Talk.ja-JP"}),
    ],
)
def test_a_path_without_a_language_gets_one(hook: Any, server: Any, tmp_path: Any, path: str, stored: set[str]) -> None:
    outputs = [output(KO, f"{server.url}/ko"), output(JA, f"{server.url}/ja")]
    hook.deliver({"type": "download", "path": path}, delivery(outputs))
    assert files(tmp_path).keys() == stored


def test_videos_whose_language_is_unknown_have_their_projects_in_their_names(
    hook: Any, server: Any, tmp_path: Any
) -> None:
    outputs = [output(None, f"{server.url}/a", project="aa"), output(None, f"{server.url}/b", project="bb")]
    hook.deliver({"type": "download"}, delivery(outputs))
    assert files(tmp_path) == {"r1.aa.mp4": "a", "r1.bb.mp4": "b"}


def test_a_repeat_after_a_crash_between_two_files_replaces_its_own(hook: Any, server: Any, tmp_path: Any) -> None:
    outputs = [output(KO, f"{server.url}/ko"), output(JA, f"{server.url}/ja")]
    hook.deliver({"type": "download"}, delivery(outputs[:1]))
    found = [hook.deliver({"type": "download"}, delivery(outputs)) for _ in range(2)]
    assert found[0] == found[1]
    assert files(tmp_path) == {"r1.ko-KR.mp4": "ko", "r1.ja-JP.mp4": "ja"}


def test_one_that_cannot_be_had_stops_no_other_and_is_tried_again(hook: Any, server: Any, tmp_path: Any) -> None:
    outputs = [output(KO, f"{server.url}/busy"), output(JA, f"{server.url}/ja"), output(EN, f"{server.url}/gone")]
    with pytest.raises(HookFailed) as caught:
        hook.deliver({"type": "download"}, delivery(outputs))
    assert files(tmp_path) == {"r1.ja-JP.mp4": "ja"}
    failure = caught.value
    assert (failure.permanent, failure.unreachable, failure.retry_after) == (False, False, 7.0)
    assert str(failure).startswith(f"{KO}: {server.url} answered 503")
    assert f"{EN}: {server.url} answered 404" in str(failure)
    # What is stored already is recorded, but none of it is the render's own video.
    assert failure.fields == {"stored_outputs": json.dumps({"1": f"{tmp_path.as_uri()}/r1.ja-JP.mp4"})}


def test_an_expired_link_is_renewed_for_its_own_output(redis: Any, server: Any, tmp_path: Any) -> None:
    asked: list[Any] = []

    def fresh(record: Any) -> str:
        asked.append(record["output"])
        return f"{server.url}/fresh-{record['language']}"

    hook = DownloadHook(tmp_path.as_uri(), claims=FileClaims(Ledger(redis)), fresh_link=fresh)
    outputs = [output(KO, f"{server.url}/ko"), output(JA, f"{server.url}/gone", project="p2")]
    hook.deliver({"type": "download"}, delivery(outputs))
    assert asked == ["p2"]
    assert files(tmp_path) == {"r1.ko-KR.mp4": "ko", "r1.ja-JP.mp4": "fresh-ja-JP"}


def test_a_video_in_one_language_is_called_original(hook: Any, server: Any, tmp_path: Any) -> None:
    single = Delivery("render.completed", "m", 0.0, {"id": "r2", "name": "n", "download_url": f"{server.url}/v"})
    hook.deliver({"type": "download", "path": "{id}-{language}.mp4"}, single)
    assert files(tmp_path) == {"r2-original.mp4": "v"}


def test_names_of_the_vendor_leave_no_folder_and_overwrite_no_other_output(
    hook: Any, server: Any, tmp_path: Any
) -> None:
    projects = ("../../x", "x", "-x-", "../../../etc/x\x1b[2J")
    outputs = [output(None, f"{server.url}/{at}", project=project) for at, project in enumerate(projects)]
    hook.deliver({"type": "download"}, delivery(outputs))
    assert sorted(files(tmp_path).values()) == ["0", "1", "2", "3"]
    assert all(re.fullmatch(r"r1\.[\w-]+\.mp4", name) for name in files(tmp_path))
