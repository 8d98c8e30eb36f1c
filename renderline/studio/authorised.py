"""Calls that carry the shared token: when the vendor refuses it, one newer token and one repetition."""

import time
from collections.abc import Mapping
from typing import Any

from renderline.studio.credentials import TokenSource, sendable
from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import OutcomeUnknown, PayloadRefused, StudioFault, TokenRejected, VendorUnavailable
from renderline.studio.transport import Transport
from renderline.studio.verdict import UNEXPLAINED

CONFIRM = Endpoint("GET", "/api/odin/v3/auth")


def _inside_success(refusal: StudioFault) -> bool:
    """True for `success: false` under a status of 200, the form that may mean anything, a bad token included."""
    return refusal.status is not None and 200 <= refusal.status < 300


class AuthorisedCalls:
    """Makes calls of one account over a transport, with the token that `tokens` supplies."""

    def __init__(self, transport: Transport, tokens: TokenSource) -> None:
        self._transport = transport
        self._tokens = tokens

    def call(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make a call, and once more with a newer token if the vendor refuses this one; return the envelope.

        A refused token means that the call was not processed, so repeating it is safe for side effects too. Raises
        TokenRejected if the newer token is refused as well (401), PayloadRefused if it is still forbidden (403): the
        vendor then means the call.
        """
        token = self._tokens.current()
        began = time.monotonic()
        try:
            return self._attempt(token, endpoint, path, body)
        except TokenRejected:
            pass
        except (VendorUnavailable, OutcomeUnknown) as refusal:
            # A firewall's 403, or a refused token told in a way that we do not know: the vendor is asked which.
            if refusal.status != 403 or not self._surely_refuses(token):
                raise
        except PayloadRefused as refusal:
            # The vendor's codes are not documented, so whether it meant the token is asked, not guessed.
            if not _inside_success(refusal) or self._accepts(token):
                raise
        self._tokens.reject(token)
        if time.monotonic() - began > self._transport.total_timeout / 2:
            # A repetition now could go out after whoever waits for this call has given it up.
            raise TokenRejected("refused late, so not repeated at once", endpoint=str(endpoint))
        try:
            return self._attempt(self._tokens.current(), endpoint, path, body)
        except TokenRejected as denied:
            if denied.status != 403:
                raise
            if denied.code is None and denied.message == UNEXPLAINED:
                # Not in the vendor's envelope: an API gateway in front of it.
                forbidden = endpoint.unseen(denied.message, status=denied.status)
            else:
                forbidden = denied.recast(PayloadRefused)
        raise forbidden

    def confirm(self) -> bool:
        """Ask the vendor whether the current token is good (AI Studios v3 contract, check a token)."""
        return self._confirm(self._tokens.current())

    def _attempt(
        self, token: str, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        if not sendable(token):
            raise TokenRejected("the token has characters that no header can carry", endpoint=str(endpoint))
        return self._transport.call(endpoint, path, authorization=token, body=body)

    def _confirm(self, token: str) -> bool:
        try:
            answer = self._attempt(token, CONFIRM, CONFIRM.path)
        except TokenRejected:
            return False
        except PayloadRefused as refusal:
            if not _inside_success(refusal):
                raise
            return False
        data = answer.get("data")
        return not (isinstance(data, dict) and data.get("isAuthenticated") is False)

    def _surely_refuses(self, token: str) -> bool:
        try:
            return not self._confirm(token)
        except StudioFault:
            return False  # whatever answers in the vendor's place answers this too

    def _accepts(self, token: str) -> bool:
        try:
            return self._confirm(token)
        except PayloadRefused:
            return True  # the check itself is not to be had, so the first refusal is taken at its word
