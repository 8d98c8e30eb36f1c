"""The hook kind `download`: streams a finished video from the vendor's link into the storage."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import requests
import urllib3
from marshmallow import Schema, ValidationError, fields, validate
from redis import RedisError

from renderline.hooks.file_name import by_language, file_name, path_fault
from renderline.hooks.kind import COMPLETED, LONGEST_RETRY_AFTER, USER_AGENT, Delivery, HookFailed
from renderline.hooks.media_type import ending
from renderline.hooks.outputs import store_each
from renderline.hooks.tenant_folders import STORAGE_VARIABLE, TenantFolders
from renderline.http import (
    Client,
    DeadlineExceeded,
    PrivateAddress,
    causes,
    describe,
    host_and_port,
    is_private_literal,
    origin,
    parse_retry_after,
)
from renderline.ledger import FileClaims, Outage
from renderline.storage import Claim, Folder, NewFile
from renderline.tenants import DEFAULT, Actor, Tenant

PRIVATE_VARIABLE = "RENDERLINE_ALLOW_PRIVATE_DOWNLOADS"

FreshLink = Callable[[Mapping[str, Any]], str | None]
"""Asks the vendor for the current download URL of a record; None if there is none. Raises HookFailed."""

_CHUNK_BYTES = 256 * 1024
_EXPIRED = frozenset({401, 403, 404, 410})
"""Statuses of an expired link: object stores answer 403 once the signature expires, others the rest."""
# Enough for any file; a server may send thousands of digits.
_DIGITS = re.compile(r"[0-9]{1,18}")
_PAGES = ("text/html", "application/json", "application/xhtml", "application/xml", "text/xml")
# Its parts are the tenants: each has its own folders.
_STORAGE = Outage("the storage of videos: downloads are retried")
_DEFAULT_PATH = "{id}.{ext}"
_HEADERS = {"Accept-Encoding": "identity"}
"""Videos do not compress. Requested uncompressed, the received bytes are the stored bytes."""


def _folder_url(url: str) -> None:
    try:
        Folder(url)
    except ValueError as error:
        raise ValidationError(f"{error}.") from None


def _path(template: str) -> None:
    fault = path_fault(template)
    if fault:
        raise ValidationError(fault)


class _Expired(HookFailed):
    """The link has no video, or no longer has one; a fresh link may."""


class _Place(NamedTuple):
    """The place of a file: its folder, the template of its path below that, and the tenant that it belongs to."""

    folder: Folder
    template: str
    tenant: str


class DownloadHookSchema(Schema):
    """`{"type": "download"}`, optionally with `url` (another folder) and `path` (the name of the file below it)."""

    type = fields.String(required=True, validate=validate.Equal("download"))
    url = fields.String(validate=[validate.Length(max=1024), _folder_url])
    path = fields.String(validate=_path)


class DownloadHook:
    """Stores the video of a completed render in chunks; the file appears whole or not at all."""

    type = "download"
    schema: Schema = DownloadHookSchema()

    def __init__(
        self,
        storage_url: str | None,
        *,
        allow_private: bool = True,
        vendor_hosts: Mapping[str, Collection[str]] = MappingProxyType({}),
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        total_timeout: float = 900.0,
        max_bytes: int = 4 * 1024**3,
        fresh_link: FreshLink | None = None,
        claims: FileClaims | None = None,
        uploads_url: str | None = None,
    ) -> None:
        """Store below `storage_url`; timeouts in seconds, `total_timeout` for one whole download.

        `fresh_link` is asked when a link has expired. Without `allow_private`, links and redirects to non-public
        addresses are refused, unless they go to the vendor of the render's own account: `vendor_hosts` are its hosts
        (`host:port`) by account. `claims` knows which render writes which file; without it no file is ever replaced.
        Nothing is written below `uploads_url`. Raises ValueError, naming the variable, for a storage that cannot be
        used. Threads may share one object.
        """
        self._folders = TenantFolders(storage_url, uploads_url=uploads_url)
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._fresh_link, self._claims = fresh_link, claims
        self._allow_private, self._vendor_hosts = allow_private, vendor_hosts
        self._client = Client(user_agent=USER_AGENT, allow_private=allow_private)

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Return whether the render is completed: nothing else has a video."""
        return event == COMPLETED

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Return why the video cannot be stored for the tenant `default`; None if it can."""
        return self._folders.problem(hook, DEFAULT)

    def refusal(self, hook: Mapping[str, Any], tenant: Tenant, actor: Actor) -> str | None:
        """Return why the tenant's request may not have its video stored there."""
        return self._folders.problem(hook, tenant.name)

    def host(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """Return the host and port of the video's link."""
        return host_and_port(str(record.get("download_url") or ""))

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Store the video and return `stored_url`; raises HookFailed. A repeat replaces its own file.

        Of a render with several outputs each is stored, in a file of its own.
        """
        tenant = delivery.record.get("tenant") or DEFAULT
        if problem := self._folders.problem(hook, tenant):
            raise HookFailed(f"nowhere to store the video: {problem}", permanent=True)
        link = delivery.record.get("download_url")
        if not isinstance(link, str) or not link.startswith(("https://", "http://")):
            raise HookFailed("the render has no http download link, so there is nothing to store", permanent=True)
        folder, template = self._folders.folder(hook, tenant), hook.get("path", _DEFAULT_PATH)
        if delivery.record.get("outputs"):
            place = _Place(folder, by_language(template), tenant)
            return store_each(delivery.record, lambda one: self._store_from(one["download_url"], place, one))
        place = _Place(folder, template, tenant)
        return {"stored_url": self._store_from(link, place, delivery.record)}

    def _store_from(self, link: str, place: _Place, record: Mapping[str, Any]) -> str:
        """Store the video; if the link in the record has expired, from a fresh one. Returns the file's URL."""
        try:
            return self._store(link, place, record)
        except _Expired as expired:
            if self._fresh_link is None:
                raise
            fresh = self._fresh_link(record)
            if fresh == link:
                raise HookFailed(f"{expired}, and the vendor still gives the same link") from None
            if not fresh or not fresh.startswith(("https://", "http://")):
                raise HookFailed(f"{expired}, and the vendor gives no other link") from None
        return self._store(fresh, place, record)

    def _store(self, link: str, place: _Place, record: Mapping[str, Any]) -> str:
        # Before the call, because a name that does not fit needs none; the answer may change the ending.
        self._name(place, record, ext=ending(link, ""))
        end = time.monotonic() + self._total_timeout
        with self._answer(link, record.get("account", ""), end) as response:
            self._check(response, origin(link))
            name = self._name(place, record, ext=ending(link, response.headers.get("Content-Type", "")))
            try:
                with place.folder.storing(
                    name, claim=self._claim(record), suffix=record["id"], root=self._root_of(place.folder)
                ) as partial:
                    self._write(response, partial, origin(link), end)
            except (HookFailed, RedisError):
                raise
            except Exception as error:
                # Anything that the storage's library raises. Its chain of causes may show credentials, so `from None`.
                advice = f"check {STORAGE_VARIABLE} and what the worker may do there"
                why = f"{place.folder.url} did not take {name}: {place.folder.describe(error)}; {advice}"
                _STORAGE.failed(place.tenant, why)
                raise HookFailed(why, logged=True) from None
        _STORAGE.worked(place.tenant)
        return partial.stored_url

    def _name(self, place: _Place, record: Mapping[str, Any], *, ext: str) -> str:
        """Return the file's path below the folder; raises HookFailed where it may not be stored."""
        try:
            name = file_name(place.template, record, ext=ext)
        except ValueError as error:
            raise HookFailed(f"the hook's path {error}", permanent=True) from None
        if misplaced := self._folders.misplaced(place.folder, name, place.tenant):
            raise HookFailed(f"{name} is not stored: {misplaced}", permanent=True)
        return name

    def _write(self, response: requests.Response, partial: NewFile, source: str, end: float) -> None:
        for chunk in self._chunks(response, source):
            if partial.written + len(chunk) > self._max_bytes:
                raise self._too_large(source)
            if time.monotonic() > end:
                raise self._too_slow(source, partial.written)
            partial.write(chunk)
        if not partial.written:
            raise HookFailed(f"{source} sent an empty file")

    def _claim(self, record: Mapping[str, Any]) -> Claim:
        claims = self._claims
        if claims is None:
            return lambda _, taken: not taken
        return lambda url, taken: claims.claim(url, record["id"], taken=taken)

    def _root_of(self, folder: Folder) -> Folder:
        """Return the storage, below which no link is followed; in an object store, the folder itself."""
        storage = self._folders.storage
        return storage if storage is not None and storage.scheme == "file" else folder

    def _answer(self, link: str, account: str, end: float) -> requests.Response:
        trusted = self._vendor_hosts.get(account, ())
        if not self._allow_private and host_and_port(link) not in trusted and is_private_literal(link):
            raise HookFailed(
                f"the video is at {origin(link)}, a private address; to allow those, set {PRIVATE_VARIABLE}=true",
                permanent=True,
            )
        try:
            return self._client.get(
                link,
                headers=_HEADERS,
                connect_timeout=self._connect_timeout,
                read_timeout=self._read_timeout,
                end=end,
                trusted=trusted,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            what = f"the video at {origin(link)} was not reached"
            private = isinstance(error, PrivateAddress)
            advice = f"; to allow those, set {PRIVATE_VARIABLE}=true" if private else ""
            raise HookFailed(
                f"{what}: {self._client.failure(error)}",
                unreachable=True,
                reason=f"{what}: {describe(error)}{advice}",
            ) from None

    def _check(self, response: requests.Response, source: str) -> None:
        """Raise HookFailed for an answer that cannot be a video, before anything is written."""
        status = response.status_code
        if status in _EXPIRED:
            raise _Expired(f"{source} answered {status} instead of the video; the link may have expired")
        if status != 200:
            wait = parse_retry_after(response.headers, now=time.time(), longest=LONGEST_RETRY_AFTER)
            raise HookFailed(f"{source} answered {status} instead of the video", retry_after=wait, status=status)
        if response.headers.get("Content-Type", "").lower().startswith(_PAGES):
            raise _Expired(f"{source} sent a page instead of the video; the link may have expired")
        length = response.headers.get("Content-Length", "")
        if _DIGITS.fullmatch(length) and int(length) > self._max_bytes:
            raise self._too_large(source)

    def _chunks(self, response: requests.Response, source: str) -> Iterator[bytes]:
        """Yield the body as it arrives; raises HookFailed if it ends before the announced length, or its last chunk.

        `read1` returns what one read of the socket gives, so that a slow source is noticed in time.
        """
        raw = response.raw
        try:
            while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
                yield chunk
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if any(isinstance(cause, DeadlineExceeded) for cause in causes(error)):
                raise self._too_slow(source, raw.tell()) from None
            raise HookFailed(f"{source} broke off after {raw.tell()} bytes: {describe(error)}") from None

    def _too_slow(self, source: str, count: int) -> HookFailed:
        return HookFailed(f"{source} sent the video too slowly: {count} bytes in {self._total_timeout:g} s")

    def _too_large(self, source: str) -> HookFailed:
        return HookFailed(f"the video at {source} is larger than the limit of {self._max_bytes} bytes", permanent=True)
