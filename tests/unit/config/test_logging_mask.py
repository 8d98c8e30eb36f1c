"""All log lines have one format and show no secret."""

import io
import json
import logging
import time
import timeit
import warnings

import pytest
import structlog

from config.logging import Mask, configure

SECRET = 'pa"ss/wörd'
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhcHBJZCI6InN0dWRpbyJ9.c2lnbmF0dXJlLW9mLXRva2Vu"


@pytest.fixture
def restored():
    root = logging.getLogger()
    before, structlog_before = (root.handlers[:], root.level), structlog.get_config()
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)
    # Not the defaults: modules whose loggers were used before keep the processors of then, and `capture_logs` needs
    # those.
    structlog.configure(**structlog_before)


def lines(fmt, write, level="INFO"):
    stream = io.StringIO()
    configure(level=level, fmt=fmt, secrets=[SECRET, "ab"], stream=stream)
    write()
    return stream.getvalue()


def speak():
    log = structlog.get_logger("renderline.ledger")
    log.info("render.accepted", render="r1", about=SECRET, token=TOKEN)
    logging.getLogger("celery").warning("connecting to redis://:%s@host", "pa%22ss%2Fw%C3%B6rd", extra={"data": "x-y"})
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("render.failed")
        logging.getLogger("other").exception("failed as well")


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("fmt", ["console", "json"])
def test_no_line_shows_a_secret_or_a_token(fmt):
    text = lines(fmt, speak)
    assert "render.accepted" in text
    assert "failed as well" in text
    for form in (SECRET, 'pa\\"ss', "w\\u00f6rd", "wörd", "pa%22ss", TOKEN, "eyJ", "x-y"):
        assert form not in text
    assert "***" in text


@pytest.mark.usefixtures("restored")
def test_json_is_one_object_a_line_with_the_same_keys_for_everybody():
    found = [json.loads(line) for line in lines("json", speak).splitlines()]
    assert [entry["message"] for entry in found] == [
        "render.accepted",
        "connecting to redis://:***@host",
        "render.failed",
        "failed as well",
    ]
    assert all({"timestamp", "level", "logger"} <= set(entry) for entry in found)
    assert found[0]["render"] == "r1"


@pytest.mark.usefixtures("restored")
def test_the_level_holds_for_everybody_and_warnings_are_lines():
    def write():
        structlog.get_logger("renderline").info("quiet")
        logging.getLogger("urllib3").info("quiet")
        with warnings.catch_warnings(action="always"):
            warnings.warn("worth a line", stacklevel=1)

    text = lines("console", write, level="WARNING")
    assert "quiet" not in text
    assert "worth a line" in text


@pytest.mark.usefixtures("restored")
def test_configuring_again_replaces_the_former_set_up():
    first = io.StringIO()
    configure(stream=first)
    assert lines("console", lambda: logging.getLogger("x").warning("once")).count("once") == 1
    assert first.getvalue() == ""


@pytest.mark.parametrize("around", ["{}", "Bearer%20{}", "x{}", "a.b.{}", "longer-than-a-token.{}.x", "{0}.{0} {0}"])
def test_a_token_is_masked_wherever_it_begins(around):
    masked = Mask().text(around.format(TOKEN))
    assert "eyJ" not in masked
    assert masked.count("***") == around.count("{")


@pytest.mark.parametrize(
    "piece", ["eyJ", "eyJabcdefgh.", "eyJabcdefghi.bbbbbbbb.c ", "whsec_", "a.", "eyJabcdefgh.bbbbbbbb."]
)
def test_masking_a_long_line_takes_time_in_proportion_to_its_length(piece):
    def seconds(length):
        line = piece * (length // len(piece))
        return min(timeit.repeat(lambda: Mask().text(line), number=1, repeat=3, timer=time.process_time))

    # 32 times the length: 32 times the time, or a thousand times as much if each beginning is searched from anew.
    assert seconds(640_000) < 200 * max(seconds(20_000), 0.001)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("fmt", ["console", "json"])
def test_no_foreign_text_forges_a_line(fmt):
    forged = "\n2026-11-21T00:00:00Z [info     ] paid [renderline] \x1b[2J\r\x85\u2028"

    def write():
        structlog.get_logger("renderline").warning("refused", name=forged)
        structlog.get_logger("renderline").warning(forged)
        logging.getLogger("celery").warning("sync with %s", forged)
        try:
            raise ValueError(forged)
        except ValueError:
            logging.getLogger("celery").exception("failed")

    text = lines(fmt, write)
    assert not [line for line in text.splitlines() if line.startswith("2026-11-21T00:00:00Z")]
    assert "\x1b" not in text
    assert "\r" not in text
    assert text.count("paid") >= 4
