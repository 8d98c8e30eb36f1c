"""Links to stored files: signed, good until they expire, for callers without an API key.

A link names a render, one of its files and when it expires, and nothing else: no key, no path of the storage, no text
of the request. The file is found anew on each call, so a link ends with the file, and with a render that is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from renderline.signed_urls.signature import key_for, same, signature

PATH: Final = "/links"

USUAL: Final = 3600
"""Seconds for which a link is good, unless its maker says otherwise."""

LONGEST: Final = 7 * 86400
"""The most seconds for which a link is good. Nobody can take one back but by forgetting the render."""

_PURPOSE: Final = "renderline.links.v1"
_VIDEO: Final = "video"


class NotStored(LookupError):
    """The render has no such file in the storage."""


class LinkChanged(Exception):
    """The link is not as it was made, or was made with another key."""


class LinkExpired(Exception):
    """The link was good until now."""


class Link(NamedTuple):
    """A link to a stored file."""

    path: str
    """What follows the gateway's address."""
    expires: int
    """When it ends: seconds since 1970."""


@dataclass(frozen=True)
class DownloadLinks:
    """Signs and verifies the paths `/links/{render id}/{file}.{expiry}.{mac}`.

    `secret` is a text of at least 32 characters, from which the key is derived: a signature of a webhook's URL is none
    of a link. A new secret ends all links.
    """

    secret: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def make(self, record: Mapping[str, Any], *, output: int | None = None, seconds: int = USUAL) -> Link:
        """Return the link to the video of a record, or to its output of that number from 0, good for `seconds`.

        Raises `NotStored`; ValueError for a time that is not within 1 to `LONGEST`.
        """
        if not 0 < seconds <= LONGEST:
            raise ValueError(f"a link is good for 1 to {LONGEST} seconds, not {seconds}")
        stored_url(record, output)
        expires = int(self.clock()) + seconds
        file = _VIDEO if output is None else str(output)
        signed = f"{file}.{expires}.{self._mac(record['id'], file, str(expires))}"
        return Link(f"{PATH}/{record['id']}/{signed}", expires)

    def verify(self, render_id: str, signed: str) -> int | None:
        """Return the number of the output, None for the video; raises `LinkChanged` or `LinkExpired`."""
        file, _, rest = signed.partition(".")
        expires, _, mac = rest.partition(".")
        if not same(self._mac(render_id, file, expires), mac):
            raise LinkChanged
        if self.clock() >= int(expires):
            raise LinkExpired
        return None if file == _VIDEO else int(file)

    def _mac(self, render_id: str, file: str, expires: str) -> str:
        return signature(self._key, _PURPOSE, render_id, file, expires)

    @cached_property
    def _key(self) -> bytes:
        return key_for(_PURPOSE, self.secret)


def stored_url(record: Mapping[str, Any], output: int | None) -> str:
    """Return where the video of a record is stored, or its output of that number; raises `NotStored`."""
    outputs = record["outputs"]
    if output is not None and not 0 <= output < len(outputs):
        raise NotStored(f"The render has no output {output}: {_numbers(len(outputs))}.")
    found: str | None = (record if output is None else outputs[output])["stored_url"]
    if found is None:
        numbered = (
            ""
            if output is not None or not outputs
            else f"; for one of several files give its number: {_numbers(len(outputs))}"
        )
        raise NotStored(
            f"The file is not stored: a hook of type download stores it when the render is completed{numbered}."
        )
    return found


def _numbers(count: int) -> str:
    return {0: "it has none", 1: "its only one is 0"}.get(count, f"they are 0 to {count - 1}")
