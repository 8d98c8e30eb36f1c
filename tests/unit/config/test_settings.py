"""The environment becomes typed settings, or one refusal that names everything that is wrong with it."""

import base64
import sys

import pytest

from config.release import release
from config.settings import VARIABLES, SettingsError, load

V3 = {"AISTUDIOS_APP_ID": "studioV3.acme", "AISTUDIOS_USER_KEY": "key-of-acme-0001"}
HOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def refusal(environ, role="worker"):
    with pytest.raises(SettingsError) as refused:
        load(environ, role=role)
    return str(refused.value).splitlines()


@pytest.mark.contradiction(27, 34)
def test_credentials_alone_give_the_documented_defaults():
    settings = load(V3)
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert (settings.submit, settings.resubmit_unconfirmed, settings.render_deadline) == ("two_phase", None, 3600.0)
    assert (settings.allow_private_hooks, settings.api_keys_required) == (False, True)
    assert (settings.poll_min, settings.poll_max, settings.lease, settings.sweep_every) == (2.0, 60.0, 30.0, 5.0)
    assert (settings.retention, settings.max_request_bytes, settings.hook_attempts) == (604800.0, 1048576, None)
    assert (settings.worker_concurrency, settings.shutdown_timeout) == (16, 25.0)
    assert (settings.log_level, settings.log_format) == ("INFO", "console")
    assert settings.public_url is settings.secret_key is settings.celery_hooks is settings.storage_url is None
    (account,) = settings.accounts
    assert (account.name, account.base_url, account.v2_base_url) == (
        "default",
        "https://app.aistudios.com",
        "https://v2.aistudios.com",
    )
    assert (account.max_requests_per_second, account.max_concurrent_renders) == (None, None)
    assert account.has_v3
    assert not account.has_v2


def test_values_are_typed_and_tidied():
    settings = load(
        {
            **V3,
            "AISTUDIOS_V2_SECRET_KEY": "v2-secret",
            "AISTUDIOS_BASE_URL": "http://127.0.0.1:8900/",
            "RENDERLINE_MAX_REQUESTS_PER_SECOND": "2.5",
            "RENDERLINE_MAX_CONCURRENT_RENDERS": "4",
            "RENDERLINE_RESUBMIT_UNCONFIRMED": "900",
            "RENDERLINE_SUBMIT": "Direct",
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "yes",
            "RENDERLINE_PUBLIC_URL": "https://example.com/renders/",
            "RENDERLINE_SECRET_KEY": "9f0c4d3b2a1e8f7d6c5b4a39281706f5",
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_STORAGE_URL": "file:///srv/videos/",
            "RENDERLINE_LOG_LEVEL": "debug",
        }
    )
    account = settings.account("default")
    assert (account.base_url, account.has_v2) == ("http://127.0.0.1:8900", True)
    assert (account.max_requests_per_second, account.max_concurrent_renders) == (2.5, 4)
    assert (settings.resubmit_unconfirmed, settings.submit, settings.allow_private_hooks) == (900.0, "direct", True)
    assert settings.public_url == "https://example.com/renders"
    assert settings.storage_url == "file:///srv/videos"
    assert settings.log_level == "DEBUG"


def test_a_blank_variable_counts_as_unset():
    blank = dict.fromkeys(set(VARIABLES) - set(V3), "  ")
    assert load({**V3, **blank}) == load(V3)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("REDIS_URL", "redis://host/zero", "number"),
        ("REDIS_URL", "redis://host?password=hunter2", "rediss://"),
        ("REDIS_URL", "rediss://host?password=hunter2", "ssl_ca_certs"),
        ("REDIS_URL", "rediss://host?ssl_ca_certs=/no/such/file", "ssl_ca_certs: there is no such file"),
        ("REDIS_URL", "rediss://host?ssl_cert_reqs=sometimes", "required, optional or none"),
        ("REDIS_URL", f"rediss://host?ssl_certfile={__file__}", "both or neither"),
        ("REDIS_URL", "rediss://host?ssl_cert_reqs=none&ssl_cert_reqs=required", "twice"),
        ("REDIS_URL", "redis://host:port/0", "redis://"),
        ("REDIS_URL", "unix://run/redis.sock", "three slashes"),
        ("REDIS_URL", "unix:///run/redis.sock?password=hunter2&databse=1", "unknown option 'databse'"),
        ("REDIS_URL", "unix:///run/redis.sock?db=zero", "number"),
        ("REDIS_URL", "sentinel://h1,h2/0", "master_name is missing"),
        ("REDIS_URL", "sentinel://:hunter2@h1;sentinel://:other@h2?master_name=m", "the same for each Sentinel"),
        ("REDIS_URL", "sentinel://h1/0;sentinel://h2/1?master_name=m", "the same for each Sentinel"),
        ("REDIS_URL", "sentinel://h1,,h2?master_name=m", "host:port"),
        ("REDIS_URL", "sentinel://h1:port?master_name=m", "sentinel://host:port"),
        ("REDIS_URL", "sentinel://h1?master_name=m&sentinel_username=u", "needs sentinel_password"),
        ("REDIS_URL", "sentinel://h1?master_name=m&ssl_ca_certs=/no/such/file", "there is no such file"),
        ("AISTUDIOS_BASE_URL", "app.aistudios.com", "http(s)://"),
        ("AISTUDIOS_BASE_URL", "https://app.aistudios.com/api/odin", "without a path"),
        ("AISTUDIOS_V2_BASE_URL", "ftp://v2.aistudios.com", "http(s)://"),
        ("RENDERLINE_MAX_REQUESTS_PER_SECOND", "0", "above 0"),
        ("RENDERLINE_MAX_REQUESTS_PER_SECOND", "nan", "above 0"),
        ("RENDERLINE_MAX_CONCURRENT_RENDERS", "2.5", "whole number"),
        ("RENDERLINE_RENDER_DEADLINE", "1h", "seconds"),
        ("RENDERLINE_RENDER_DEADLINE", "inf", "seconds"),
        ("RENDERLINE_SUBMIT", "two-phase", "two_phase or direct"),
        ("RENDERLINE_RESUBMIT_UNCONFIRMED", "always", "never, or seconds"),
        ("RENDERLINE_RESUBMIT_UNCONFIRMED", "-1", "never, or seconds"),
        ("RENDERLINE_ALLOW_PRIVATE_HOOKS", "maybe", "true or false"),
        ("RENDERLINE_PUBLIC_URL", "example.com", "http(s)://"),
        ("RENDERLINE_STORAGE_URL", "/srv/videos", "file:///srv/videos"),
        ("RENDERLINE_STORAGE_URL", "file://srv/videos", "absolute"),
        ("RENDERLINE_STORAGE_URL", "s33://bucket", "unknown kind of storage"),
        ("RENDERLINE_LEASE", "0.5", "at least 1"),
        ("RENDERLINE_HOOK_ATTEMPTS", "0", "from 1 to 100"),
        ("RENDERLINE_HOOK_WAITS", "2,5,x", "such as 2s,30s,5m,1h"),
        ("RENDERLINE_HOOK_WAITS", "2,,5", "such as 2s,30s,5m,1h"),
        ("RENDERLINE_HOOK_WAITS", "0", "above 0"),
        ("RENDERLINE_HOOK_WAITS", "8d", "at most 7d"),
        ("RENDERLINE_HOOK_WAITS", ",".join("5" * 51), "1 to 50"),
        ("RENDERLINE_CELERY_HOOKS", "billing.video_ready", "task@queue"),
        ("RENDERLINE_CELERY_HOOKS", "*@*, a@b@c", "task@queue"),
        ("RENDERLINE_LOG_FORMAT", "xml", "console or json"),
        ("RENDERLINE_LOG_LEVEL", "loud", "WARNING"),
        ("RENDERLINE_GATEWAY_BIND", "8000", "host:port"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name, value, hint):
    environ = {**V3, "RENDERLINE_SECRET_KEY": "k" * 32, name: value}
    (line,) = refusal(environ)
    assert line.startswith(name)
    assert hint in line
    assert name == "REDIS_URL" or repr(value) in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis//:hunter2hunter2@host"),
        ("RENDERLINE_SECRET_KEY", "hunter2hunter2"),
        ("RENDERLINE_HOOK_SECRET", "hunter2hunter2"),
        ("RENDERLINE_HOOK_SECRET", "whsec_hunter2hunter2"),
        ("RENDERLINE_HOOK_SECRET", f"{HOOK_SECRET},whsec_hunter2hunter2"),
        ("RENDERLINE_HOOK_SECRET", f"{HOOK_SECRET} {HOOK_SECRET} {HOOK_SECRET}"),
        ("FLOWER_BASIC_AUTH", "hunter2hunter2"),
    ],
)
def test_a_bad_secret_is_named_but_not_shown(name, value):
    (line,) = refusal({**V3, name: value})
    assert line.startswith(f"{name} (value not shown): must be ")
    assert "hunter2" not in line


def test_everything_wrong_is_said_at_once():
    lines = refusal(
        {
            "AISTUDIOS_APP_ID": "studioV3.acme",
            "RENDERLINE_PUBLIC_URL": "https://example.com",
            "RENDERLINE_SUBMIT": "twice",
            "RENDERLINE_LEASE": "zero",
            "RENDERLINE_RENDER_DEADLIN": "60",
            "RENDERLINE_POLL_MIN": "61",
        }
    )
    named = [line.partition(":")[0].partition("=")[0].partition(" ")[0] for line in lines]
    assert sorted(named) == [
        "AISTUDIOS_USER_KEY",
        "RENDERLINE_LEASE",
        "RENDERLINE_POLL_MIN",
        "RENDERLINE_RENDER_DEADLIN",
        "RENDERLINE_SECRET_KEY",
        "RENDERLINE_SUBMIT",
    ]


def test_an_unknown_variable_is_refused_with_the_name_that_was_meant():
    assert refusal({**V3, "RENDERLINE_RENDER_DEADLIN": "60"}) == [
        "RENDERLINE_RENDER_DEADLIN: no such variable; did you mean RENDERLINE_RENDER_DEADLINE?"
    ]
    (line,) = refusal({**V3, "AISTUDIOS_BASEURL": "http://127.0.0.1"})
    assert "AISTUDIOS_BASE_URL?" in line


def test_settings_of_a_later_version_may_have_names_that_this_one_does_not_know():
    settings = load({**V3, "RENDERLINE_SETTINGS_VERSION": "999.0.0", "RENDERLINE_TINT": "blue", "AISTUDIOS_HUE": "3"})
    assert settings.unread == ("AISTUDIOS_HUE", "RENDERLINE_TINT")
    assert "settings of version 999.0.0: ignored, because this is version" in settings.warning()
    assert settings.warning().endswith(": AISTUDIOS_HUE, RENDERLINE_TINT")
    assert load({**V3, "RENDERLINE_SETTINGS_VERSION": "999.0.0"}).warning() is None


@pytest.mark.parametrize("version", ["", "0.0.1", release()])
def test_other_settings_may_not(version):
    (line,) = refusal({**V3, "RENDERLINE_SETTINGS_VERSION": version, "RENDERLINE_TINT": "blue"})
    assert line.startswith("RENDERLINE_TINT: no such variable")


def test_a_bad_value_of_a_known_name_is_refused_in_settings_of_a_later_version_too():
    lines = refusal({**V3, "RENDERLINE_SETTINGS_VERSION": "999.0.0", "RENDERLINE_SUBMIT": "three_phase"})
    assert [line.partition("=")[0] for line in lines] == ["RENDERLINE_SUBMIT"]
    (line,) = refusal({**V3, "RENDERLINE_SETTINGS_VERSION": "new"})
    assert "must be the version for which they were written, such as 0.2.0" in line


def test_other_programs_variables_are_not_looked_at():
    assert load({**V3, "PATH": "/bin", "CELERY_LOG_LEVEL": "9", "AIS": "?"}) == load(V3)


@pytest.mark.parametrize("role", ["gateway", "redis"])
def test_a_process_that_calls_no_vendor_needs_no_credentials(role):
    assert load({}, role=role).accounts == ()


def test_a_worker_needs_an_account():
    (line,) = refusal({})
    for name in ("AISTUDIOS_APP_ID", "AISTUDIOS_USER_KEY", "AISTUDIOS_V2_SECRET_KEY", "AISTUDIOS_ACCOUNTS"):
        assert name in line


def test_a_v2_key_alone_is_an_account():
    account = load({"AISTUDIOS_V2_SECRET_KEY": "v2-secret"}).account("default")
    assert (account.has_v3, account.has_v2) == (False, True)


def test_flower_needs_a_password():
    (line,) = refusal({}, role="flower")
    assert line.startswith("FLOWER_BASIC_AUTH is missing")
    assert load({"FLOWER_BASIC_AUTH": "ops:secret"}, role="flower").flower_basic_auth == "ops:secret"


def test_no_secret_shows_when_settings_are_printed_and_each_is_known_for_masking():
    secrets = {
        "REDIS_URL": "redis://:redis%40pass@127.0.0.1/0",
        "AISTUDIOS_APP_ID": "studioV3.acme",
        "AISTUDIOS_USER_KEY": "secret-user-key",
        "AISTUDIOS_V2_SECRET_KEY": "secret-v2-key",
        "RENDERLINE_SECRET_KEY": "secret-signing-key-of-32-letters",
        "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
        "FLOWER_BASIC_AUTH": "ops:secret-one,dev:secret-two",
    }
    settings = load(secrets)
    shown = repr(settings)
    known = settings.secrets()
    assert {"redis@pass", "redis%40pass", "secret-user-key", "secret-v2-key", HOOK_SECRET} <= set(known)
    assert {"secret-signing-key-of-32-letters", "secret-one", "secret-two"} <= set(known)
    assert not [secret for secret in known if secret in shown]
    assert "studioV3.acme" not in shown


@pytest.mark.parametrize("between", [",", " ", ", "])
def test_two_hook_secrets_while_one_replaces_the_other(between):
    settings = load({**V3, "RENDERLINE_HOOK_SECRET": f"{HOOK_SECRET}{between}{OTHER_SECRET}"})
    assert settings.hook_secrets == (HOOK_SECRET, OTHER_SECRET)
    assert {HOOK_SECRET, OTHER_SECRET} <= set(settings.secrets())
    assert HOOK_SECRET not in repr(settings)


def test_celery_hooks_are_patterns():
    assert load(V3).celery_hooks is None
    settings = load({**V3, "RENDERLINE_CELERY_HOOKS": "billing.*@billing, *@reports"})
    assert settings.celery_hooks == ("billing.*@billing", "*@reports")


def test_an_unknown_account_is_a_key_error():
    with pytest.raises(KeyError, match="nobody"):
        load(V3).account("nobody")


def test_a_bad_value_brings_no_second_complaint_about_its_relation_to_another():
    (line,) = refusal({**V3, "RENDERLINE_POLL_MIN": "61", "RENDERLINE_POLL_MAX": "soon"})
    assert line.startswith("RENDERLINE_POLL_MAX='soon'")


def test_a_bucket_without_its_library_is_refused_with_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(SettingsError, match=r"RENDERLINE_STORAGE_URL.*make s3.*--build-arg EXTRAS=s3"):
        load({**V3, "RENDERLINE_STORAGE_URL": "s3://videos/renders"}, role="worker")
