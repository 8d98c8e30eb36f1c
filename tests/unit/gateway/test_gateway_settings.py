"""The gateway's own settings."""

import pytest

from config.settings import SettingsError, load


@pytest.mark.parametrize("rate", ["600/minute", "10/second;600/minute", "1 per hour"])
def test_rates_are_taken(rate):
    assert load({"RENDERLINE_API_RATE": rate}, role="gateway").api_rate == rate


@pytest.mark.parametrize("rate", ["600", "fast", "0/second", "10/fortnight", "-1/minute", "10/second;"])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(SettingsError, match=r"RENDERLINE_API_RATE=.*: must be calls per time"):
        load({"RENDERLINE_API_RATE": rate}, role="gateway")


def test_without_a_setting_there_is_no_rate_and_room_for_64_calls():
    settings = load({}, role="gateway")
    assert (settings.api_rate, settings.gateway_threads) == (None, 64)
