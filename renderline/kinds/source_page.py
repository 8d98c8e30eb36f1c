"""The address of a page or video that the vendor fetches itself, and its check before that costs anything."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError

from renderline.accounts.clients import AccountClients
from renderline.http import url_fault
from renderline.kinds.plan import CallContext, CallResult, RequestUnfit, Stage
from renderline.validation.fields import Text
from renderline.validation.validators import MaxLength
from renderline.validation.weight import Firm

MAX_URL_LENGTH: Final = 2048


def _valid(url: str) -> None:
    fault = url_fault(url)
    if fault:
        raise ValidationError(Firm(fault.rstrip(".")))


def web_address(**options: Any) -> Text:
    """Return the field for an http or https URL without credentials."""
    return Text(validate=[MaxLength(MAX_URL_LENGTH), _valid], **options)


def page_check(field: str) -> Stage:
    """Return the free stage that looks whether the page in a field of the payload is there.

    One that is certainly not there makes the request unfit; any doubt is a warning, for the vendor may see more.
    """

    def check(_clients: AccountClients, context: CallContext) -> CallResult:
        url = context.body["payload"].get(field)
        found = context.check_page(url) if url and context.check_page else None
        if found is not None and found.status == "gone":
            raise RequestUnfit(field, f"nobody can read this page: {found.why}; nothing was charged")
        unclear = found is not None and found.status == "unclear"
        return CallResult(warnings=(f"{field}: not seen from here, {found.why}",) if found and unclear else ())

    return Stage("check", check)
