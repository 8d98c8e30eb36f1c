"""Multipart forms in every cut of the stream, and slides counted across chunks."""

import contextlib

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from renderline.sandbox.multipart import FormReader, boundary_of
from renderline.sandbox.responses import Refusal
from renderline.sandbox.slides import SlideCounter


def prepared(files: object, fields: object = None) -> tuple[str, bytes]:
    request = requests.Request("POST", "http://x", files=files, data=fields).prepare()
    boundary = boundary_of(request.headers["Content-Type"])
    assert boundary
    return boundary, request.body


@pytest.mark.parametrize("step", [1, 2, 7, 64, 10_000])
def test_the_same_form_however_it_is_cut(step: int) -> None:
    content = b"--\r\n--x\r\n" * 50
    files = {"file": ('a "b".pdf', content), "empty": ("e.txt", b""), "ünï": ("日本.txt", b"x")}
    boundary, body = prepared(files, {"name": "Näme", "none": "--"})
    reader = FormReader(boundary)
    for start in range(0, len(body), step):
        reader.feed(body[start : start + step])
    form = reader.form()
    assert form.fields() == {"name": "Näme", "none": "--"}
    (file,) = form.files("file")
    assert (file.file_name, file.size, file.head) == ('a "b".pdf', len(content), content)
    assert form.files("empty")[0].size == 0
    assert form.files("ünï")[0].file_name == "日本.txt"


def test_only_the_beginning_of_a_file_is_kept() -> None:
    boundary, body = prepared({"file": ("a.txt", b"x" * 1_000_000)})
    reader = FormReader(boundary)
    for start in range(0, len(body), 65536):
        reader.feed(body[start : start + 65536])
    (file,) = reader.form().files("file")
    assert (file.size, len(file.head), len(file.sha256)) == (1_000_000, 4096, 64)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"--b", b"--b\r\n\r\nx\r\n--b--", b"--bxx\r\n", b"--b\r\n" + b"x" * 20_000]
)
def test_bodies_that_are_no_form(body: bytes) -> None:
    reader = FormReader("b")
    reader.feed(body)
    with pytest.raises(Refusal):
        reader.form()


@given(
    st.lists(
        st.sampled_from([b"--b", b"--", b"\r\n", b"\r\n\r\n", b'name="x"', b"; ", b"Content-Disposition:", b"\xff"])
    )
)
def test_any_bytes_are_a_form_or_refused(pieces: list[bytes]) -> None:
    reader = FormReader("b")
    for piece in pieces:
        reader.feed(piece)
    with contextlib.suppress(Refusal):
        form = reader.form()
        assert [form.fields(), form.files("x"), form.texts()]


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/mixed; boundary=x", "multipart/form-data", ";;"])
def test_types_without_a_boundary(content_type: str) -> None:
    assert boundary_of(content_type) is None


@pytest.mark.parametrize("step", [1, 3, 11, 5000])
def test_slides_are_counted_once_each(step: int) -> None:
    pages = b"/Type /Page\n/Type/Page>>/Type /Pages /Type  /Page "
    names = b"".join(b"PK ppt/slides/slide%d.xml PK ppt/slides/_rels/slide%d.xml.rels" % (n, n) for n in (1, 2, 30)) * 2
    for content, count in ((pages, 3), (names, 3), (b"nothing" * 50, None)):
        counter = SlideCounter()
        for start in range(0, len(content), step):
            counter.feed(content[start : start + step])
        assert counter.count == count
