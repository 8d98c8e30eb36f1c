"""How long a token is good, and when its successor is asked for."""

import json

import jwt
import pytest

from renderline.accounts.token import LIFETIME, Token, lifetime_of

NOW = 1_700_000_000.0
SECRET = "0123456789abcdef0123456789abcdef"


def signed(**claims):
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (signed(iat=NOW, exp=NOW + 3600), 3600.0),
        (signed(iat=NOW - 900, exp=NOW + 2700), 3600.0),  # the vendor's clock is slow: the difference counts
        (signed(iat=NOW + 5000, exp=NOW + 8600), 3600.0),  # or fast
        (signed(exp=int(NOW) + 600), 600.0),  # no iat: from now on
        (signed(exp=int(NOW) - 600), LIFETIME),  # over already: a token just issued is not, so the claim means nothing
        (signed(iat=NOW, exp=NOW), LIFETIME),
        (signed(sub="x"), LIFETIME),
        ("opaque-token-0123456789", LIFETIME),
        ("a.b.c", LIFETIME),
        ("", LIFETIME),
    ],
)
def test_lifetime(token, expected):
    assert lifetime_of(token, now=NOW) == pytest.approx(expected)


@pytest.mark.parametrize("claims", [{"exp": "soon"}, {"exp": None}, {"exp": [1]}, {"iat": "x", "exp": NOW + 60}])
def test_claims_that_make_no_sense_are_no_error(claims):
    assert lifetime_of(signed_raw(claims), now=NOW) == LIFETIME


def signed_raw(claims):
    """Sign claims that PyJWT's own encoder would refuse."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), SECRET, algorithm="HS256")


def test_a_successor_is_asked_for_while_the_token_still_works():
    token = Token("t", issued_at=1000.0, expires_at=2000.0)
    assert 1000.0 < token.refresh_at < 2000.0
    assert token.refresh_at == 1800.0
