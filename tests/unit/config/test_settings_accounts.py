"""Several vendor accounts come from one TOML file."""

import pytest

from config.settings import SettingsError, load

TWO = """
[[account]]
name = "default"
app_id = "studioV3.acme"
user_key = "key-one"
max_requests_per_second = 5

[[account]]
name = "china"
v2_secret_key = "v2-key"
base_url = "https://app.aistudios.cn/"
max_concurrent_renders = 3
"""


@pytest.fixture
def accounts_file(tmp_path):
    def write(text):
        path = tmp_path / "accounts.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def refusal(environ):
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return str(refused.value).splitlines()


def test_each_account_has_its_own_credentials_hosts_and_limits(accounts_file):
    settings = load({"AISTUDIOS_ACCOUNTS": accounts_file(TWO), "RENDERLINE_MAX_CONCURRENT_RENDERS": "9"})
    assert settings.account_names == ("default", "china")
    default, china = settings.accounts
    assert (default.has_v3, default.has_v2, china.has_v3, china.has_v2) == (True, False, False, True)
    assert (default.max_requests_per_second, china.max_requests_per_second) == (5.0, None)
    assert (default.max_concurrent_renders, china.max_concurrent_renders) == (9, 3)
    assert (default.base_url, china.base_url) == ("https://app.aistudios.com", "https://app.aistudios.cn")
    assert {"key-one", "v2-key"} <= set(settings.secrets())
    assert not [secret for secret in ("key-one", "v2-key", "studioV3.acme") if secret in repr(settings)]


def test_every_wrong_field_of_the_file_is_named_without_its_secrets(accounts_file):
    path = accounts_file(
        """
        [[account]]
        name = "Default!"
        app_id = "studioV3.acme"
        max_request_per_second = 5

        [[account]]
        name = "b"
        v2_secret_key = "hunter2"
        base_url = "app.aistudios.com"
        max_concurrent_renders = 0

        [[account]]
        name = "b"
        """
    )
    lines = refusal({"AISTUDIOS_ACCOUNTS": path})
    assert all(line.startswith(f"AISTUDIOS_ACCOUNTS: {path}: account.") for line in lines)
    assert sorted(line.split(": ")[2] for line in lines) == [
        "account.0.max_request_per_second",
        "account.0.name",
        "account.0.user_key",
        "account.1.base_url",
        "account.1.max_concurrent_renders",
        "account.2.keys",
        "account.2.name",
    ]
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "[[account]] tables"),
        ("[account]\nname = 'a'\n", "[[account]] tables"),
        ("account = [1]\n", "[[account]] tables"),
        ("[[account]\n", "not TOML"),
    ],
)
def test_a_file_of_another_form_is_refused(accounts_file, text, reason):
    (line,) = refusal({"AISTUDIOS_ACCOUNTS": accounts_file(text)})
    assert line.startswith("AISTUDIOS_ACCOUNTS=")
    assert reason in line


def test_a_missing_file_is_named(tmp_path):
    (line,) = refusal({"AISTUDIOS_ACCOUNTS": str(tmp_path / "none.toml")})
    assert "No such file" in line


def test_file_and_single_account_exclude_each_other(accounts_file):
    lines = refusal({"AISTUDIOS_ACCOUNTS": accounts_file(TWO), "AISTUDIOS_V2_SECRET_KEY": "hunter2"})
    assert [line.partition(":")[0] for line in lines] == ["AISTUDIOS_V2_SECRET_KEY"]
    assert "hunter2" not in lines[0]
