"""References to files, and the names of uploads."""

from __future__ import annotations

import pytest

from renderline.uploads import Reference, UploadRefused, fault_of, parse
from renderline.uploads.reference import clean_name

SHA = "a" * 64
SLIDES = ("pdf", "pptx", "ppt")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("deck.pptx", "deck.pptx"),
        ("../../etc/deck.pptx", "deck.pptx"),
        ("C:\\Users\\me\\deck.pptx", "deck.pptx"),
        ("de\x00ck\r\n\x1b[31m.pdf", "deck-[31m.pdf"),
        ("a\u202efdp.exe.pdf", "afdp.exe.pdf"),
        ("  .hidden deck .pdf ", "hidden-deck.pdf"),
        ('a"b;c*d?.pdf', "a-b-c-d.pdf"),
        ("Z\u0065\u0301.pdf", "Z\u00e9.pdf"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
        ("\u754c" * 100 + ".pdf", "\u754c" * 48 + ".pdf"),
    ],
)
def test_a_name_has_no_folder_and_no_control_character(given: str, kept: str) -> None:
    assert clean_name(given) == kept
    assert clean_name(kept) == kept


@pytest.mark.parametrize("given", ["", "deck", ".pdf", "/", "a/b/", "..", "\x00.pdf", "deck." + "x" * 200])
def test_a_name_needs_a_stem_and_an_ending(given: str) -> None:
    with pytest.raises(UploadRefused):
        clean_name(given)


def test_a_reference_is_read_as_it_is_written() -> None:
    reference = Reference(SHA, "deck.pptx")
    assert str(reference) == f"upload:{SHA}/deck.pptx"
    assert parse(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    [
        f"upload:{SHA}",
        f"upload:{SHA}/",
        f"upload:{'A' * 64}/deck.pdf",
        f"upload:{SHA[1:]}/deck.pdf",
        f"upload:../{SHA}/deck.pdf",
        f"upload:{SHA}/../deck.pdf",
        f"upload:{SHA}/a/deck.pdf",
        f"upload:{SHA}/deck.pdf\n",
        f"upload:{SHA}/de\u202eck.pdf",
        f"upload:tenants/other/{SHA}/deck.pdf",
    ],
)
def test_no_reference_names_another_place(text: str) -> None:
    assert parse(text) is None
    assert "must be upload:" in str(fault_of(text, SLIDES))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deck.pdf", "renderline submit"),
        ("/srv/deck.pdf", "renderline submit"),
        ("http://example.com/deck.pdf", "https URL"),
        ("file:///etc/passwd", "https URL"),
        ("https://127.0.0.1/deck.pdf", "public address"),
        ("https://[::1]/deck.pdf", "public address"),
        ("https://localhost/deck.pdf", "public address"),
        ("https://user:secret@example.com/deck.pdf", "user name or password"),
        ("https://example.com/deck.docx", "pdf, pptx, ppt"),
        (f"upload:{SHA}/deck.docx", "pdf, pptx, ppt"),
    ],
)
def test_what_is_no_such_file_is_refused_at_the_door(text: str, said: str) -> None:
    assert said in str(fault_of(text, SLIDES))
    assert "secret" not in str(fault_of(text, SLIDES))


@pytest.mark.parametrize(
    "text",
    [
        f"upload:{SHA}/deck.PPTX",
        "https://example.com/deck.pptx",
        "https://example.com/download?id=4",
        "https://e.com/v1.2",
    ],
)
def test_what_may_be_such_a_file_is_taken(text: str) -> None:
    assert fault_of(text, SLIDES) is None
