"""Partial files of killed workers are removed; those that are being written are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import ROOT, until
from renderline.storage import Folder, partial_file

WRITER = """
import sys, time
from renderline.storage import Folder
with Folder(sys.argv[1]).storing("video.mp4", claim=lambda *_: True, suffix="r1") as draft:
    draft.write(b"half of it")
    draft._partial._file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _scans_anew() -> None:
    partial_file._next_scan.clear()


def drafts(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name.endswith(".part"))


def aged(folder: Path, *, seconds: float = 3600.0) -> None:
    for one in folder.iterdir():
        os.utime(one, (time.time() - seconds,) * 2)


def download_into(folder: Path, name: str = "other.mp4") -> None:
    with Folder(folder.as_uri()).storing(name, claim=lambda *_: True, suffix="r1") as draft:
        draft.write(b"video")


def test_the_draft_of_a_killed_worker_is_removed_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, tmp_path.as_uri()]
    writer = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        # Nothing was written to it for an hour: its worker is frozen, perhaps, and goes on.
        aged(tmp_path)
        download_into(tmp_path)
        assert len(drafts(tmp_path)) == 1
        writer.send_signal(signal.SIGKILL)
        writer.wait(60)
    partial_file._next_scan.clear()
    download_into(tmp_path)
    assert drafts(tmp_path) == []
    assert (tmp_path / "other.mp4").read_bytes() == b"video"


def test_a_draft_that_went_on_becomes_the_video(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, tmp_path.as_uri()]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdin
        assert writer.stdout.readline() == "writing\n"
        aged(tmp_path)
        download_into(tmp_path)
        writer.stdin.close()
        until(lambda: writer.poll() is not None, what="the writer's end")
    assert (tmp_path / "video.mp4").read_bytes() == b"half of it"
    assert drafts(tmp_path) == []


def test_young_or_foreign_projects_are_not_deleted(tmp_path: Path) -> None:
    for name in ("mine.part", ".hidden.part", "." + "a" * 16 + ".part", ".video.mp4.0123456789ABCDEF.part"):
        (tmp_path / name).write_bytes(b"x")
    aged(tmp_path)
    (tmp_path / ".young.mp4.0123456789abcdef.part").write_bytes(b"x")
    before = drafts(tmp_path)
    download_into(tmp_path)
    assert drafts(tmp_path) == before


def test_a_folder_is_not_looked_through_at_every_download(tmp_path: Path) -> None:
    download_into(tmp_path)
    (tmp_path / ".video.mp4.0123456789abcdef.part").write_bytes(b"x")
    aged(tmp_path)
    download_into(tmp_path)
    assert len(drafts(tmp_path)) == 1
    partial_file._next_scan.clear()
    download_into(tmp_path)
    assert drafts(tmp_path) == []
