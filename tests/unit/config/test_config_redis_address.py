"""REDIS_URL in each of its forms: one spelling for all, what Celery gets, and what people see."""

from __future__ import annotations

import ssl

import pytest

from config import redis_address
from config.celery import options
from config.redis_address import Address
from config.settings import load
from renderline.producer import celery_options

SENTINELS = "sentinel://u:p%40s@h1:26379,h2:5/3?master_name=mymaster&sentinel_username=watch&sentinel_password=w%2Fw"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("rediss://u:p%40s@host:6380/1", "rediss://u:p%40s@host:6380/1?ssl_cert_reqs=required"),
        ("rediss://host?ssl_cert_reqs=CERT_NONE", "rediss://host?ssl_cert_reqs=none"),
        (f"rediss://host?ssl_ca_certs={__file__}", f"rediss://host?ssl_ca_certs={__file__}&ssl_cert_reqs=required"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
        ("unix://u:p%40s@/run/redis.sock?db=2", "unix://u:p%40s@/run/redis.sock?db=2"),
        ("unix:///run/redis.sock?password=p%40s&username=u", "unix://u:p%40s@/run/redis.sock?db=0"),
        ("redis+socket:///run/redis.sock?virtual_host=2", "unix:///run/redis.sock?db=2"),
        ("sentinel://h1?master_name=m", "sentinel://h1:26379/0?master_name=m"),
        ("sentinel://h1,[::1]:5/0?master_name=m", "sentinel://h1:26379,[::1]:5/0?master_name=m"),
        ("sentinel://:p@h1;sentinel://:p@h2:5/2?master_name=m", "sentinel://:p@h1:26379,h2:5/2?master_name=m"),
        ("sentinel://h1?master_name=m&ssl_cert_reqs=none", "sentinel://h1:26379/0?master_name=m&ssl_cert_reqs=none"),
    ],
)
def test_an_address_has_one_spelling(given: str, read: str) -> None:
    assert load({"REDIS_URL": given}, role="gateway").redis_url == read
    assert redis_address.parse(read) == read


def test_the_parts_of_an_address() -> None:
    assert redis_address.read("redis://host") == Address(hosts=(("host", 6379),))
    assert redis_address.read("unix://u:p%40s@/run/redis.sock?db=2") == Address(
        socket="/run/redis.sock", database=2, username="u", password="p@s"
    )
    assert redis_address.read(SENTINELS) == Address(
        hosts=(("h1", 26379), ("h2", 5)),
        database=3,
        username="u",
        password="p@s",
        master_name="mymaster",
        sentinel_username="watch",
        sentinel_password="w/w",
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rediss://user:p@host:6380/1?ssl_cert_reqs=required", "host:6380/1"),
        ("unix://user:p@/run/redis.sock?db=2", "/run/redis.sock, database 2"),
        (SENTINELS, "mymaster/3 (Sentinels h1:26379, h2:5)"),
    ],
)
def test_an_address_is_shown_without_user_password_and_options(url: str, shown: str) -> None:
    assert redis_address.shown(url) == shown


@pytest.mark.parametrize("url", ["unix://u:p%40s@/run/redis.sock?db=2", SENTINELS])
def test_celerys_options_and_the_settings_show_no_password(url: str) -> None:
    settings = load({"REDIS_URL": url}, role="gateway")
    shown = repr(options(settings)) + repr(settings)
    assert not [secret for secret in ("p@s", "p%40s", "w/w", "w%2Fw") if secret in shown]
    assert {"p@s", "p%40s"} <= set(settings.secrets())
    assert "sentinel" not in url or {"w/w", "w%2Fw"} <= set(settings.secrets())


def test_a_producer_gets_each_form_as_celery_spells_it() -> None:
    def urls(url: str) -> set[str]:
        found = celery_options(url)
        return {found["broker_url"], found["result_backend"]}

    assert urls("redis://host/1") == {"redis://host/1"}
    assert urls("rediss://host/1") == {"rediss://host/1?ssl_cert_reqs=required"}
    assert urls("unix://u:p%40s@/run/redis.sock?db=2") == {"redis+socket://u:p%40s@/run/redis.sock?virtual_host=2"}
    assert urls(SENTINELS) == {"sentinel://u:p%40s@h1:26379/3;sentinel://u:p%40s@h2:5/3"}
    assert urls("sentinel://h1,[::1]:5/0?master_name=m") == {"sentinel://h1/0;sentinel://[::1]:5/0"}
    where = celery_options(SENTINELS)["result_backend_transport_options"]
    assert where["master_name"] == "mymaster"
    assert (where["sentinel_kwargs"]["username"], where["sentinel_kwargs"]["password"]) == ("watch", "w/w")
    tls = celery_options(f"sentinel://h1/0?master_name=m&ssl_ca_certs={__file__}")
    assert tls["broker_use_ssl"] == {"ssl_ca_certs": __file__, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert tls["broker_transport_options"]["sentinel_kwargs"]["ssl"] is True
