"""Calls that take files: slides, documents and dubbing."""

import io
import zipfile
from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller

from harness import until

DUBBING = "/automation/translatevideos"
DOCUMENTS = "/automation/docs-to-video"


def send(caller: Caller, path: str, files: Any, fields: Any = None) -> requests.Response:
    headers = {"Authorization": caller.token}
    return caller.emulator.call("POST", f"{V3}{path}", headers=headers, files=files, data=fields)


def data(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def message(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["msg"])


def deck(slides: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(1, slides + 1):
            packed.writestr(f"ppt/slides/slide{number}.xml", "<slide/>" * 9000)
            packed.writestr(f"ppt/slides/_rels/slide{number}.xml.rels", "<rels/>")
    return file.getvalue()


def dub(caller: Caller, *targets: str, files: Any = None, **fields: Any) -> str:
    given = {"url": "https://youtu.be/abc", **{f"target_{index}": code for index, code in enumerate(targets)}, **fields}
    return str(data(send(caller, DUBBING, files or {"none": (None, "")}, given))["folderId"])


def videos(caller: Caller, folder: str) -> list[dict[str, Any]]:
    return list(caller.data("GET", f"{DUBBING}?folderId={folder}"))


PDF = (
    b"%PDF-1.4\n"
    + b"".join(b"%d 0 obj <</Type /Page /Parent 1 0 R>> endobj\n" % n for n in range(4))
    + b"/Type /Pages "
)


@pytest.mark.parametrize(
    ("name", "content", "scenes"),
    [("deck.pptx", deck(12), 12), ("Über.PDF", PDF, 4), ("old.ppt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, 3)],
)
def test_one_scene_per_slide(caller: Caller, name: str, content: bytes, scenes: int) -> None:
    answer = send(caller, "/editor/project/pptpdf", {"file": (name, content)}, {"name": "Deck", "workspaceId": "w"})
    project = caller.data("GET", f"/editor/project/{data(answer)['projectId']}")["project"]
    assert (project["name"], project["state"], len(project["scenes"])) == ("Deck", "draft", scenes)


def test_a_large_file_passes_by(caller: Caller) -> None:
    content = PDF + b"\r\n--not a boundary" * 500_000
    made = data(send(caller, "/editor/project/pptpdf", {"file": ("big.pdf", content)}))
    project = caller.data("GET", f"/editor/project/{made['projectId']}")["project"]
    assert (project["name"], len(project["scenes"])) == ("big", 4)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"file": ("deck.key", b"x")}, "file: 'deck.key' must end in one of pdf, pptx, ppt"),
        ({"file": ("deck", b"x")}, "must end in one of"),
        ({"file": ("deck.pdf", b"")}, "file: 'deck.pdf' is empty"),
        ({"file": ("deck.pdf", b"PK\x03\x04")}, "'deck.pdf' is not a pdf file"),
        ({"other": ("deck.pdf", PDF)}, "file: must be one file, not 0"),
        ([("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))], "file: must be one file, not 2"),
    ],
)
def test_slides_that_are_refused(caller: Caller, files: Any, words: str) -> None:
    assert words in message(send(caller, "/editor/project/pptpdf", files))
    assert caller.emulator.control("GET", "projects") == []


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary=z"])
def test_a_multipart_body_under_a_wrong_type_is_refused(caller: Caller, content_type: str) -> None:
    request = requests.Request("POST", "http://x", files={"file": ("deck.pdf", PDF)}).prepare()
    headers = {"Authorization": caller.token, "Content-Type": content_type}
    answer = caller.emulator.call("POST", f"{V3}/editor/project/pptpdf", data=request.body, headers=headers)
    assert "multipart" in message(answer)


def test_tags_in_the_names_of_files(caller: Caller) -> None:
    tagged = {"file": ("[sandbox:500@upload] deck.pdf", PDF)}
    codes = [send(caller, "/editor/project/pptpdf", tagged).status_code for _ in range(2)]
    assert codes == [500, 200]
    content = {"file": ("deck.pdf", PDF + b"\n% [sandbox:500@export]")}
    made = data(send(caller, "/editor/project/pptpdf", content))["projectId"]
    assert caller.call("POST", "/editor/project/export", {"projectId": made}).status_code == 500


def test_documents_become_a_generated_project(caller: Caller) -> None:
    files = [("files", ("a.txt", b"text")), ("files", ("b.pdf", PDF))]
    uploaded = data(send(caller, f"{DOCUMENTS}/upload-files", files))["uploadResults"]
    assert [entry["fileName"] for entry in uploaded] == ["a.txt", "b.pdf"]
    assert len({entry["uri"] for entry in uploaded}) == 2
    made = caller.data("POST", DOCUMENTS, {"files": uploaded, "options": {"language": "en"}})
    assert set(made) == {"projectId"}
    caller.emulator.control("POST", "complete", {"id": made["projectId"]})
    assert caller.data("GET", f"/automation/progress?projectId={made['projectId']}")["state"] == "finish"
    (noted,) = caller.emulator.control("GET", "charges")["noted"]
    assert (noted["sort"], noted["subject"]) == ("generation", "a.txt, b.pdf")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "files: is required"),
        ({"files": []}, "files: must be an array with at least one entry"),
        ({"files": ["x"]}, "files.0: must be an object"),
        ({"files": [{"uri": "documents/1", "fileName": "a"}]}, "files.0.uri: no such document was uploaded"),
        ({"files": [{"uri": [], "fileName": "a"}]}, "files.0.uri: must be a string"),
    ],
)
def test_documents_that_are_refused(caller: Caller, body: Any, words: str) -> None:
    assert words in message(caller.call("POST", DOCUMENTS, body))


def test_one_video_per_language_each_with_a_file_of_its_own(caller: Caller) -> None:
    folder = dub(caller, "ja-JP", "de-DE", files={"file": ("talk.mp4", b"video"), "originalSrt": ("o.srt", b"1")})
    rows = videos(caller, folder)
    assert [set(row) for row in rows] == [{"projectId", "name", "progress"}] * 2
    assert [row["name"] for row in rows] == ["talk.mp4 (ja-JP)", "talk.mp4 (de-DE)"]
    caller.emulator.control("POST", "complete", {"id": rows[1]["projectId"]})
    first, second = videos(caller, folder)
    assert "download_url" not in first
    assert second["progress"] == 100
    assert requests.get(second["download_url"], timeout=30).headers["Content-Type"] == "video/mp4"
    charges = caller.emulator.control("GET", "charges")
    assert (charges["started"]["dubbing"], charges["charged"]["dubbing"], charges["started"]["export"]) == (2, 1, 0)
    assert caller.call("GET", f"/editor/progress/{first['projectId']}").status_code == 404
    assert caller.emulator.control("GET", f"projects?id={first['projectId']}")[0]["language"] == "ja-JP"
    other = Caller(caller.emulator, "other")
    assert other.call("GET", f"{DUBBING}?folderId={folder}").status_code == 404


def test_one_language_fails_and_the_others_go_on(quick: Caller) -> None:
    url = "https://youtu.be/watch?v=%5Bsandbox:fail%40ja-JP%5D"
    folder = dub(quick, "ja-JP", "de-DE", url=url)
    rows = until(lambda: _settled(videos(quick, folder)))
    assert [row.get("state") for row in rows] == ["failed", None]
    assert set(rows[0]["error"]) == {"code", "msg"}
    every = dub(quick, "ja-JP", "de-DE", url="https://youtu.be/[sandbox:fail@dub]")
    assert [row["state"] for row in until(lambda: _settled(videos(quick, every)))] == ["failed", "failed"]
    assert quick.emulator.control("GET", "charges")["charged"]["dubbing"] == 1


def _settled(rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return rows if all("state" in row or "download_url" in row for row in rows) else None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target_0": "de-DE"}, "file: a file or a url is required"),
        ({"url": "https://x"}, "target_0: at least one target language is required"),
        ({"url": "https://x", "target_0": "de"}, "target_0: 'de' must be one of en-US"),
        ({"url": "https://x", "target_10": "de-DE"}, "target_10: must be target_0 to target_9"),
        ({"url": "https://x", "target_0": "de-DE", "target_1": "de-DE"}, "must not be named twice"),
        ({"url": "x", "target_0": "de-DE"}, "url: must be an http or https URL"),
        ({"url": "https://[", "target_0": "de-DE"}, "url: must be an http or https URL"),
        ({"url": "https://x", "target_0": "de-DE", "original": "x"}, "original: 'x' must be auto or one of"),
        ({"url": "https://x", "target_0": "de-DE", "numberOfSpeakers": "6"}, "numberOfSpeakers: '6' must be"),
        ({"url": "https://x", "target_0": "de-DE", "isRemoveBGM": "maybe"}, "isRemoveBGM: must be true or false"),
    ],
)
def test_dubbings_that_are_refused(caller: Caller, fields: dict[str, str], words: str) -> None:
    assert words in message(send(caller, DUBBING, {"none": (None, "")}, fields))
    assert caller.emulator.control("GET", "charges")["started"]["dubbing"] == 0
