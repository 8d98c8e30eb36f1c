"""A secret that protects nothing is refused where it matters, with the reason and without showing it."""

import pytest

from config.settings import SettingsError, load

HERE, EVERYWHERE = "127.0.0.1", "0.0.0.0"
RANDOM_KEY = "9f0c4d3b2a1e8f7d6c5b4a39281706f5"


def flower(login, address):
    return load({"FLOWER_BASIC_AUTH": login, "FLOWER_ADDRESS": address}, role="flower")


def refusal(load_it):
    with pytest.raises(SettingsError) as refused:
        load_it()
    (line,) = str(refused.value).splitlines()
    return line


@pytest.mark.parametrize(
    "login",
    ["ops:ops", "ops:OPS", "ops:changeme", "ops:change-me", "ops:aaaaaaaaaaaaaaaa", "dev:wRk3-vTz8-pQm2,ops:ops"],
)
@pytest.mark.parametrize("address", [HERE, EVERYWHERE])
def test_a_password_that_everybody_tries_first_is_refused_anywhere(login, address):
    line = refusal(lambda: flower(login, address))
    assert line.startswith("FLOWER_BASIC_AUTH (value not shown): ")
    assert "openssl rand" in line
    assert login.rpartition(":")[2] not in line or login.rpartition(":")[2] == "ops"


MODEST = ["user:password", "ops:secret", "user:password-123", "ops:hunter2", "ops:abababababababab"]


@pytest.mark.parametrize("login", MODEST)
@pytest.mark.parametrize("address", [HERE, "localhost", "::1"])
def test_a_modest_password_is_enough_on_loopback(login, address):
    assert flower(login, address).flower_basic_auth == login


@pytest.mark.parametrize("login", MODEST)
@pytest.mark.parametrize("address", [EVERYWHERE, "::", "192.0.2.7", "flower.example.com"])
def test_a_modest_password_is_refused_beyond_loopback(login, address):
    assert "beyond loopback" in refusal(lambda: flower(login, address))


@pytest.mark.parametrize("password", ["wRk3-vTz8-pQm2", "hq7TX0m1zC2r", "correct-horse-battery"])
def test_a_long_password_is_enough_anywhere(password):
    assert flower(f"ops:{password}", EVERYWHERE)


def test_a_process_that_is_not_flower_does_not_judge_its_password():
    assert load({"FLOWER_BASIC_AUTH": "ops:ops", "FLOWER_ADDRESS": EVERYWHERE}, role="gateway")


WEAK_KEYS = ["k" * 32, "0123456789abcdef" * 2, "changeme" * 4, "change-me" * 5, "abcabcd" * 6, ("1234567890" * 4)[:32]]


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_a_signing_key_of_low_variety_is_refused_where_others_reach_the_gateway(key):
    environ = {"RENDERLINE_SECRET_KEY": key, "RENDERLINE_PUBLIC_URL": "https://renders.example.com"}
    line = refusal(lambda: load(environ, role="gateway"))
    assert line.startswith("RENDERLINE_SECRET_KEY (value not shown): ")
    assert key not in line
    for harmless in ({}, {"RENDERLINE_PUBLIC_URL": "http://127.0.0.1:8000"}):
        assert load({"RENDERLINE_SECRET_KEY": key, **harmless}, role="gateway").secret_key == key
    assert load({**environ, "RENDERLINE_SECRET_KEY": RANDOM_KEY}, role="gateway").secret_key == RANDOM_KEY


@pytest.mark.parametrize(
    "password", ["short", "fifteen-letters", "a" * 32, "changeme" * 3, "p@ssword/with:signs", "two words of it"]
)
def test_a_weak_password_for_redis_is_refused(password):
    line = refusal(lambda: load({"RENDERLINE_REDIS_PASSWORD": password}, role="gateway"))
    assert line.startswith("RENDERLINE_REDIS_PASSWORD (value not shown): must be at least 16 letters, digits, - or _")
    assert password not in line
    assert load({"RENDERLINE_REDIS_PASSWORD": RANDOM_KEY}, role="gateway")


@pytest.mark.parametrize("secret", ["whsec_" + "A" * 44, "whsec_" + "QUFB" * 11, "whsec_" + "YWJj" * 8])
def test_a_hook_secret_of_low_variety_is_refused_where_others_reach_the_gateway(secret):
    environ = {
        "RENDERLINE_HOOK_SECRET": secret,
        "RENDERLINE_SECRET_KEY": RANDOM_KEY,
        "RENDERLINE_PUBLIC_URL": "https://renders.example.com",
    }
    line = refusal(lambda: load(environ, role="gateway"))
    assert line.startswith("RENDERLINE_HOOK_SECRET (value not shown): ")
    assert secret not in line
    assert load({"RENDERLINE_HOOK_SECRET": secret}, role="gateway").hook_secrets == (secret,)
