"""`Retry-After` as servers write it; one parser for the vendor and for hook endpoints."""

import pytest

from renderline.http import parse_retry_after

DATE = "Fri, 15 May 2026 10:00:00 GMT"
EPOCH = 1778839200.0


@pytest.mark.parametrize(
    ("headers", "now", "expected"),
    [
        ({}, 0.0, None),
        ({"Retry-After": ""}, 0.0, None),
        ({"Retry-After": "0"}, 0.0, 0.0),
        ({"Retry-After": " 120 "}, 0.0, 120.0),
        ({"Retry-After": "9" * 5000}, 0.0, None),
        ({"Retry-After": "Fri, 99 Nov 2026 10:00:00 GMT"}, 0.0, None),
        ({"Retry-After": f"Fri, 15 May {'9' * 30} 10:00:00 GMT"}, 0.0, None),
        ({"Retry-After": "120"}, 0.0, 120.0),
        ({"Retry-After": "1.5"}, 0.0, 1.5),
        ({"Retry-After": "-5"}, 0.0, 0.0),
        ({"Retry-After": "nan"}, 0.0, None),
        ({"Retry-After": "inf"}, 0.0, None),
        ({"Retry-After": "later"}, 0.0, None),
        ({"Retry-After": DATE}, EPOCH - 30, 30.0),
        ({"Retry-After": DATE}, EPOCH + 30, 0.0),
        ({"Retry-After": DATE}, EPOCH - 86_400, 300.0),
        ({"Retry-After": "86400"}, 0.0, 300.0),
        ({"Retry-After": f"{EPOCH:.0f}"}, EPOCH - 30, 30.0),
        ({"Retry-After": f"{EPOCH:.0f}"}, EPOCH + 30, 0.0),
        ({"Retry-After": f"{EPOCH * 1000:.0f}"}, EPOCH, 300.0),
        ({"Retry-After": DATE, "Date": "Fri, 15 May 2026 09:59:50 GMT"}, EPOCH + 9999, 10.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers, now, expected):
    assert parse_retry_after(headers, now=now, longest=300.0) == expected
