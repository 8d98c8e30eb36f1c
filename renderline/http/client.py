"""An anonymous HTTP client for URLs that others chose."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.sessions import SessionRedirectMixin
from requests_hardened.ip_filter import InvalidIPAddress as PrivateAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from renderline.http.address import host_and_port, is_public
from renderline.http.connection import use_bounded_connections
from renderline.http.exchange import Exchange, running
from renderline.http.failure import NO_PUBLIC_ADDRESS, describe, is_unresolved

MAX_REDIRECTS = 5

_find_redirect = SessionRedirectMixin().get_redirect_target


class _BoundedAdapter(HTTPAdapter):
    """Connects to any address."""

    def __init__(self, *args: Any, pool_size: int, **kwargs: Any) -> None:
        self._pool_size = pool_size
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, connections: int, maxsize: int, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(self._pool_size, self._pool_size, *args, **kwargs)
        use_bounded_connections(self.poolmanager)


class _PublicAdapter(_BoundedAdapter, IPFilterAdapter):
    """Connects to public addresses only: to the very address that was resolved and checked."""

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        # The library has replaced the host by the address, and knows fewer special ones than we do.
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        if not is_public(ipaddress.ip_address(str(host_params["host"]).strip("[]"))):
            raise PrivateAddress
        return host_params, pool_kwargs


class Client:
    """Sends requests that reveal nothing about this machine; threads may share it.

    It uses no proxy, `.netrc` or certificate settings from the environment, no cookies and no credentials from a URL.
    Without `allow_private` it raises `PrivateAddress` if a host, also that of a redirect, has a non-public address,
    unless it is among the `trusted` ones of the call. Other errors are those of requests and urllib3. The caller reads
    the body of the answer.
    """

    def __init__(self, *, user_agent: str, allow_private: bool, pool_size: int = 32) -> None:
        self._headers = {"User-Agent": user_agent}
        self._allow_private = allow_private
        self._open: dict[str, HTTPAdapter] = {
            scheme: _BoundedAdapter(pool_size=pool_size) for scheme in ("http", "https")
        }
        self._guarded: dict[str, HTTPAdapter] = (
            self._open
            if allow_private
            else {
                scheme: _PublicAdapter(is_https_proto=scheme == "https", pool_size=pool_size)
                for scheme in ("http", "https")
            }
        )

    def failure(self, error: BaseException) -> str:
        """Return why a request got no answer, for the caller that chose its URL.

        Without `allow_private` that may be an outsider. A name with a private address and a name that does not exist
        have the same text then, so that nobody learns the names of the inner network from it.
        """
        if not self._allow_private and (isinstance(error, PrivateAddress) or is_unresolved(error)):
            return NO_PUBLIC_ADDRESS
        return describe(error)

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes, timeout: float) -> requests.Response:
        """Post `body`; `timeout` (seconds) is for connecting and the whole answer together. Follows no redirect."""
        exchange = Exchange(total_timeout=timeout, read_timeout=timeout)
        return self._send(self._request("POST", url, headers, body), exchange, connect_timeout=timeout)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        connect_timeout: float,
        read_timeout: float,
        end: float,
        trusted: Collection[str] = (),
        method: Literal["GET", "HEAD"] = "GET",
    ) -> requests.Response:
        """Get a URL, by HEAD its headers alone. Up to `MAX_REDIRECTS` redirects are followed, their bodies not read.

        The timeouts (seconds) are for each connection, and for the headers of each answer and every later read; all
        must be over by `end` (monotonic). The `trusted` hosts (`host:port`) may have private addresses.
        """
        for _ in range(MAX_REDIRECTS + 1):
            left = end - time.monotonic()
            if left <= 0:
                raise requests.exceptions.ReadTimeout("the redirects took too long")
            request = self._request(method, url, headers)
            exchange = Exchange(total_timeout=left, read_timeout=read_timeout, head_timeout=read_timeout)
            response = self._send(request, exchange, connect_timeout=min(connect_timeout, left), trusted=trusted)
            target = _find_redirect(response)
            if target is None:
                return response
            # requests itself would read the whole body of the redirect, whatever its length.
            response.close()
            url = urljoin(request.url or url, target)
        raise requests.exceptions.TooManyRedirects("too many redirects")

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.prepare(method, url, headers={**self._headers, **headers}, data=body, auth=_no_credentials)
        return request

    def _send(
        self,
        request: requests.PreparedRequest,
        exchange: Exchange,
        *,
        connect_timeout: float,
        trusted: Collection[str] = (),
    ) -> requests.Response:
        adapters = self._open if trusted and host_and_port(request.url or "") in trusted else self._guarded
        adapter = adapters.get(urlsplit(request.url or "").scheme)
        if adapter is None:
            raise requests.exceptions.InvalidSchema("neither http nor https")
        running.exchange = exchange
        timeout: Any = urllib3.Timeout(connect=connect_timeout, read=exchange.read_timeout)
        return adapter.send(request, timeout=timeout, stream=True, proxies={})


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Replace the credentials that requests would take from a URL of the form user:password@host."""
    return request


__all__ = ["MAX_REDIRECTS", "Client", "PrivateAddress"]
