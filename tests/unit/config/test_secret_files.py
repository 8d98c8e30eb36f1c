"""A secret may stand in a file: NAME_FILE names it, and what is wrong with it is said with everything else."""

import os

import pytest

from config.env_file import NAME, environment
from config.settings import VARIABLES, SettingsError, load
from config.variable import file_variables

SECRETS = sorted(name for name, wanted in VARIABLES.items() if wanted.secret)
VALUES = {
    "REDIS_URL": "redis://:hunter2-hunter3@redis.internal:6380/2",
    "AISTUDIOS_APP_ID": "studioV3.acme",
    "AISTUDIOS_USER_KEY": "key-of-acme-0001",
    "AISTUDIOS_V2_SECRET_KEY": "v2-key-of-acme",
    "RENDERLINE_SECRET_KEY": "a signing key of thirty-two characters",
    "RENDERLINE_HOOK_SECRET": "whsec_" + "AAEC" * 8,
    "FLOWER_BASIC_AUTH": "ops:wRk3-vTz8-pQm2",
    "RENDERLINE_REDIS_PASSWORD": "0fb8-c1d2-e3a4-9586",
    "RENDERLINE_GRAFANA_PASSWORD": "gQz7-mLw4-rTy9",
}


@pytest.fixture
def files(tmp_path):
    """Write each value to a file of its own, as `echo` does, and return the variables that name them."""

    def write(values):
        for name, text in values.items():
            (tmp_path / name).write_text(f"{text}\n")
        return {f"{name}_FILE": str(tmp_path / name) for name in values}

    return write


def refusal(environ, role="worker"):
    with pytest.raises(SettingsError) as refused:
        load(environ, role=role)
    return str(refused.value).splitlines()


def test_every_secret_can_be_in_a_file():
    assert set(VALUES) == set(SECRETS)
    assert {one.name for one in file_variables(VARIABLES.values())} == {f"{name}_FILE" for name in SECRETS}
    assert not [name for name in VARIABLES if name.endswith("_FILE") and VARIABLES[name].secret]


@pytest.mark.parametrize("role", ["worker", "gateway", "flower"])
def test_settings_from_files_are_those_from_the_environment(files, role):
    assert load(files(VALUES), role=role) == load(VALUES, role=role)


def test_a_secret_from_a_file_is_masked_like_any_other(files):
    found = load(files(VALUES)).secrets()
    assert {VALUES["RENDERLINE_SECRET_KEY"], VALUES["AISTUDIOS_USER_KEY"], "hunter2-hunter3"} <= set(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"redis://first:1/0\nredis://second:2/0\n", "the file has 2 lines"),
        (b"\xff\xfe", "the file is not UTF-8"),
        (b"x" * 20_000, "the file has more than 16384 bytes"),
    ],
)
def test_a_file_without_exactly_one_line_is_refused(tmp_path, content, reason):
    path = tmp_path / "redis-url"
    path.write_bytes(content)
    (line,) = refusal({"REDIS_URL_FILE": str(path)}, role="gateway")
    assert line.startswith(f"REDIS_URL_FILE='{path}': {reason}; ")
    assert "redis://" not in line


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path, reason in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        (line,) = refusal({"REDIS_URL_FILE": str(path)}, role="gateway")
        assert f"{path}': {reason}" in line


def test_one_secret_given_twice_is_refused_without_showing_it(files):
    (line,) = refusal({**files(VALUES), "REDIS_URL": VALUES["REDIS_URL"]}, role="gateway")
    assert line == "REDIS_URL_FILE: must not be set beside REDIS_URL; unset one of the two"


def test_a_secret_in_place_of_a_path_is_not_shown():
    (line,) = refusal({"RENDERLINE_SECRET_KEY_FILE": VALUES["RENDERLINE_SECRET_KEY"]}, role="gateway")
    assert VALUES["RENDERLINE_SECRET_KEY"] not in line
    assert "value not shown" in line


def test_a_bad_value_in_a_file_is_named_as_that_secret_without_showing_it(files):
    (line,) = refusal(files({"RENDERLINE_SECRET_KEY": "too-short"}), role="gateway")
    assert line.startswith("RENDERLINE_SECRET_KEY (value not shown): must be at least 32 characters")


def test_all_bad_files_are_named_at_once_with_all_other_bad_variables_and_nothing_counts_as_missing(tmp_path):
    missing = {f"{name}_FILE": str(tmp_path / name) for name in SECRETS}
    lines = refusal({**missing, "RENDERLINE_LEASE": "soon", "RENDERLINE_LEESE": "3"}, role="flower")
    named = sorted(line.partition("=")[0].partition(":")[0] for line in lines)
    assert named == sorted([*missing, "RENDERLINE_LEASE", "RENDERLINE_LEESE"])


def test_a_file_for_something_that_is_no_secret_is_no_variable(tmp_path):
    (line,) = refusal({"RENDERLINE_LEASE_FILE": str(tmp_path)}, role="gateway")
    assert "RENDERLINE_LEASE_FILE: no such variable" in line


def test_the_environment_wins_over_the_env_file_whichever_of_them_names_a_file(tmp_path, files):
    dotenv = tmp_path / "settings.env"
    dotenv.write_text("REDIS_URL=redis://of-the-file:1/0\n")
    given = files({"REDIS_URL": "redis://of-the-environment:2/0"})
    assert load(environment({NAME: str(dotenv), **given}), role="gateway").redis_url.endswith("environment:2/0")

    dotenv.write_text(f"REDIS_URL_FILE={given['REDIS_URL_FILE']}\n")
    chosen = environment({NAME: str(dotenv), "REDIS_URL": "redis://localhost:3/0"})
    assert load(chosen, role="gateway").redis_url == "redis://localhost:3/0"
    assert load(environment({NAME: str(dotenv)}), role="gateway").redis_url.endswith("environment:2/0")


def test_a_pipe_that_nobody_writes_to_stops_no_process(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (line,) = refusal({"RENDERLINE_SECRET_KEY_FILE": str(tmp_path / "pipe")}, role="gateway")
    assert "it is no regular file" in line


def test_the_mark_that_windows_editors_put_first_is_no_part_of_a_secret(tmp_path, files):
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbf" + VALUES["RENDERLINE_SECRET_KEY"].encode() + b"\r\n")
    found = load({**files(VALUES), "RENDERLINE_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert found.secret_key == VALUES["RENDERLINE_SECRET_KEY"]
