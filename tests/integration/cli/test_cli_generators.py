"""`renderline generate` and `renderline avatars`: against the emulator, and against a vendor that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness import SandboxProcess
from harness.command_result import CommandResult
from harness.fake_vendor import Answer, Drop, FakeVendor, failure, success
from harness.forked_sandbox import ForkedSandbox
from renderline import studio
from workers.cli import avatars, generators

VOICE = ("--model", "v1", "--type", "google", "--language", "en")
PERSON = ("--name", "Anna", "--gender", "FEMALE")
URL = "https://media.example.com/anna.mp4"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = ForkedSandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.log")
    yield process
    process.kill()


@pytest.fixture
def ask(run: Callable[..., CommandResult], sandbox: SandboxProcess) -> Callable[..., CommandResult]:
    """Run a command with the emulator as the vendor."""
    return lambda *arguments, **more: run(*arguments, **{"AISTUDIOS_BASE_URL": sandbox.url, **more})


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as one:
        yield one


def test_a_text(ask):
    ended = ask("generate", "text", "bees", "--json")
    assert (ended.code, set(ended.value)) == (0, {"script"})
    assert "bees" in ask("generate", "text", "-", given="bees and flowers").out


def test_a_text_of_the_vendor_gives_a_terminal_no_orders(run, vendor):
    said = "One.\n\tTwo.\x1b]0;owned\x07 \x9b2J\r\u202e"
    vendor.override = lambda call: success({"script": said}) if call.name.startswith("/tools") else None
    ended = run("generate", "text", "bees", AISTUDIOS_BASE_URL=vendor.url)
    assert ended.out == "One.\n\tTwo.\ufffd]0;owned\ufffd \ufffd2J\ufffd\ufffd\n"


FILES = {
    "image": ("image", "bees", "--style", "3d", "--size", "SQUARE"),
    "video": ("video", "bees"),
    "voice": ("voice", "Hello there.", *VOICE),
}


@pytest.mark.parametrize(("name", "ending"), [("image", "png"), ("video", "mp4"), ("voice", "wav")])
def test_a_file_is_named_and_stored_at_once(ask, name, ending):
    shown = ask("generate", *FILES[name], "--json")
    assert (shown.code, shown.value["stored_url"]) == (0, None)
    assert shown.value["url"].startswith("http://")
    stored = ask("generate", *FILES[name], "--store", "--json")
    assert stored.code == 0, stored.err
    path = Path(unquote(urlsplit(stored.value["stored_url"]).path))
    assert path.stat().st_size > 0
    assert (path.parent.name, path.suffix) == ("generated", f".{ending}")
    assert path.name.startswith(f"{name}-")
    assert ask("generate", *FILES[name]).out.startswith("http://")


def test_avatars_and_voices(ask):
    custom = ask("avatars", "custom", URL, *PERSON, "--locale", "ko", "--no-per-frame", "--webcam", "--json")
    assert (custom.code, set(custom.value)) == (0, {"avatar_id", "voice_id"})
    assert all(custom.value.values())
    assert set(ask("avatars", "dream", URL, *PERSON, "--json").value) == {"avatar_id"}
    assert set(ask("avatars", "voice-clone", URL, *PERSON, "--json").value) == {"voice_id"}
    assert ask("avatars", "custom", URL, *PERSON).out.split()[:2] == ["AVATAR", "VOICE"]


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (("generate", "text", " "), "must not be blank"),
        (("generate", "image", "bees", "--style", "OIL"), "'VECTOR_IMAGE'"),
        (("generate", "image", "bees", "--size", "HUGE"), "'SQUARE'"),
        (("generate", "voice", "Hi", *VOICE[:4]), "--language"),
        (("generate", "voice", "Hi", *VOICE[:5], ""), "must not be blank"),
        (("avatars", "custom", "anna.mp4", *PERSON), "http:// or https:// URL"),
        (("avatars", "custom", "https://[", *PERSON), "http:// or https:// URL"),
        (("avatars", "dream", URL, "--name", "Anna", "--gender", "OTHER"), "'FEMALE'"),
        (("avatars", "custom", URL, *PERSON, "--locale", "de"), "'zh'"),
        (("generate", "video", "bees", "--account", "nobody"), "no account nobody"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed_and_no_call(run, vendor, arguments, allowed):
    ended = run(*arguments, AISTUDIOS_BASE_URL=vendor.url)
    assert ended.code == (5 if "nobody" in arguments else 2)
    assert allowed.casefold() in ended.err.casefold()
    assert not vendor.calls


def test_a_file_that_could_not_be_stored_is_not_asked_for(run, vendor):
    ended = run("generate", "video", "bees", "--store", AISTUDIOS_BASE_URL=vendor.url, RENDERLINE_STORAGE_URL="")
    assert ended.code == 2
    assert "RENDERLINE_STORAGE_URL" in ended.err
    assert not vendor.calls


def test_a_file_that_was_made_and_not_stored_is_still_named(run, vendor):
    url = f"{vendor.url}/gone/x.mp4"
    vendor.override = lambda call: success({"downloadUrl": url}) if call.name.startswith("/tools") else None
    ended = run("generate", "video", "bees", "--store", "--json", AISTUDIOS_BASE_URL=vendor.url)
    assert (ended.code, ended.value) == (1, {"url": url, "stored_url": None})
    assert "not stored" in ended.err
    assert url in ended.err
    assert run("generate", "video", "bees", "--store", AISTUDIOS_BASE_URL=vendor.url).out == f"{url}\n"


EACH = [
    *(("generate", *arguments) for arguments in (("text", "bees"), *FILES.values())),
    *(("avatars", name, URL, *PERSON) for name in ("custom", "dream", "voice-clone")),
]


@pytest.mark.parametrize("arguments", EACH, ids=lambda found: " ".join(found[:2]))
def test_a_lost_answer_is_reported_plainly_and_the_call_not_repeated(run, vendor, arguments):
    def drop(call) -> Answer | None:
        if call.name.startswith(("/tools", "/avatars")):
            raise Drop
        return None

    vendor.override = drop
    ended = run(*arguments, "--json", AISTUDIOS_BASE_URL=vendor.url)
    assert (ended.code, ended.out) == (1, "")
    assert "the outcome is unknown" in ended.err
    assert "charged" in ended.err
    assert "before you repeat" in ended.err
    assert ended.err.count("\n") == 1
    assert sum(count for name, count in vendor.calls.items() if name.startswith(("/tools", "/avatars"))) == 1


def test_the_vendors_refusal_is_shown(run, vendor):
    vendor.override = lambda call: failure(400, "E7", "no such topic") if call.name.startswith("/tools") else None
    ended = run("generate", "text", "bees", AISTUDIOS_BASE_URL=vendor.url)
    assert ended.code == 1
    assert "no such topic" in ended.err


def test_the_allowed_values_are_those_of_the_client():
    assert (generators.STYLES, generators.SIZES) == (studio.IMAGE_STYLES, studio.IMAGE_SIZES)
    assert (avatars.GENDERS, avatars.LOCALES) == (studio.GENDERS, studio.LOCALES)


def test_a_script_keeps_its_lines(run, vendor):
    script = "First [b]line.\nSecond line, which is longer than any terminal is wide. " + "words " * 50
    vendor.override = lambda call: success({"script": script}) if call.name.startswith("/tools") else None
    assert run("generate", "text", "bees", AISTUDIOS_BASE_URL=vendor.url).out == script + "\n"
    assert json.loads(run("generate", "text", "bees", "--json", AISTUDIOS_BASE_URL=vendor.url).out)["script"] == script
