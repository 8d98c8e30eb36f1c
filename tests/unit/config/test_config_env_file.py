"""The file .env: read by every process, and less than the environment."""

import os

import pytest

from config import env_file
from config.env_file import NAME, environment
from config.settings import SettingsError, load


@pytest.fixture
def written(tmp_path):
    def write(text, **environ):
        path = tmp_path / "settings.env"
        path.write_text(text)
        return {NAME: str(path), **environ}

    return write


def test_variables_of_the_file_are_added_and_those_of_the_environment_win(written):
    environ = written(
        "REDIS_URL=redis://a:1/0\n# a comment\nexport RENDERLINE_LOG_LEVEL='DEBUG'\n", REDIS_URL="redis://b:2/0"
    )
    found = environment(environ)
    assert (found["REDIS_URL"], found["RENDERLINE_LOG_LEVEL"]) == ("redis://b:2/0", "DEBUG")
    assert load(found, role="gateway").redis_url == "redis://b:2/0"


def test_a_blank_variable_is_no_value(written):
    assert environment(written("REDIS_URL=redis://a:1/0\n", REDIS_URL=" "))["REDIS_URL"] == "redis://a:1/0"


def test_a_wrong_variable_of_the_file_is_refused_like_any_other(written):
    with pytest.raises(SettingsError, match="RENDERLINE_LEASES: no such variable; did you mean RENDERLINE_LEASE"):
        load(environment(written("RENDERLINE_LEASES=3\n")), role="gateway")


@pytest.mark.parametrize("text", ["REDIS_URL\n", "A=1\n= secret-value\n", "A='secret-value\n"])
def test_a_line_that_is_no_variable_is_named_without_its_text(written, text):
    with pytest.raises(SettingsError, match=r"settings.env line \d: must be NAME=value") as refused:
        environment(written(text))
    assert "secret-value" not in str(refused.value)


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(SettingsError, match=r"No such file.*RENDERLINE_ENV_FILE"):
        environment({NAME: str(tmp_path / "none")})


def test_without_a_name_it_is_the_one_of_the_checkout_and_an_empty_name_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(env_file, "DEFAULT", tmp_path / ".env")
    assert env_file.path_of({}) is None
    (tmp_path / ".env").write_text("RENDERLINE_LEASE=7\n")
    assert environment({})["RENDERLINE_LEASE"] == "7"
    assert environment({NAME: ""}) == {NAME: ""}


def test_dollars_stay_as_they_are(written):
    assert environment(written("FLOWER_BASIC_AUTH='a:b$HOME${X}'\n"))["FLOWER_BASIC_AUTH"] == "a:b$HOME${X}"


def test_tests_read_none():
    assert env_file.path_of(os.environ) is None
