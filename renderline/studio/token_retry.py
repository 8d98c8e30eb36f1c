"""Calls with the account's token: if the vendor refuses it, the call is repeated once with a newer one."""

import time
from collections.abc import Mapping
from typing import Any

from renderline.studio.credentials import TokenSource, sendable
from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import OutcomeUnknown, PayloadRefused, StudioFault, TokenRejected, VendorUnavailable
from renderline.studio.multipart import Form
from renderline.studio.response import UNEXPLAINED
from renderline.studio.transport import Transport

CONFIRM = Endpoint("GET", "/api/odin/v3/auth")


def _inside_success(refusal: StudioFault) -> bool:
    """Return whether this is `success: false` with status 200, which may have any cause, a bad token included."""
    return refusal.status is not None and 200 <= refusal.status < 300


class TokenRetry:
    """Makes calls of one account over a transport, with the token that `tokens` supplies."""

    def __init__(self, transport: Transport, tokens: TokenSource) -> None:
        self._transport = transport
        self._tokens = tokens

    def call(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None, *, form: Form | None = None
    ) -> dict[str, Any]:
        """Make a call, once more with a newer token if the vendor refuses the first; return the envelope.

        The files of a `form` are opened for each of the two.
        A refused token means that the call was not processed, so repeating it is safe for side effects too. Raises
        TokenRejected if the newer token is refused as well (401), PayloadRefused if it is still forbidden (403): the
        vendor then means the call.
        """
        token = self._tokens.current()
        began = time.monotonic()
        try:
            return self._attempt(token, endpoint, path, body, form)
        except TokenRejected:
            pass
        except (VendorUnavailable, OutcomeUnknown) as refusal:
            # Either a firewall's 403, or a refused token in an unknown form: ask the vendor which.
            if refusal.status != 403 or not self._surely_refuses(token):
                raise
        except PayloadRefused as refusal:
            # The vendor's codes are not documented, so ask whether it meant the token.
            if not _inside_success(refusal) or self._accepts(token):
                raise
        self._tokens.reject(token)
        if time.monotonic() - began > self._transport.total_timeout / 2:
            # The caller may have given up before a repetition is sent.
            raise TokenRejected("refused late, so not repeated at once", endpoint=str(endpoint))
        try:
            return self._attempt(self._tokens.current(), endpoint, path, body, form)
        except TokenRejected as denied:
            if denied.status != 403:
                raise
            if denied.code is None and denied.message == UNEXPLAINED:
                # Not the vendor's envelope: an API gateway in front of it answered.
                forbidden = endpoint.unseen(denied.message, status=denied.status)
            else:
                forbidden = denied.recast(PayloadRefused)
        raise forbidden

    def confirm(self) -> bool:
        """Ask the vendor whether the current token is good (AI Studios v3 contract, check a token)."""
        return self._confirm(self._tokens.current())

    def _attempt(
        self,
        token: str,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any] | None = None,
        form: Form | None = None,
    ) -> dict[str, Any]:
        if not sendable(token):
            raise TokenRejected("the token has characters that no header can carry", endpoint=str(endpoint))
        return self._transport.call(endpoint, path, authorization=token, body=body, form=form)

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
            return False  # the firewall refuses this call too

    def _accepts(self, token: str) -> bool:
        try:
            return self._confirm(token)
        except PayloadRefused:
            return True  # the check does not work here, so the first refusal meant the call
