"""The only place that creates HTTP clients: for the library, the application and the stack.

A client reads the proxy settings of the environment when it is created (`proxy.py`), reaches loopback
directly, and names the proxy in the error of a request that failed through it. Nothing in the environment
can keep a client from being created.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import httpx

from tallow.monitoring.integrations.proxy import SOCKS, Proxy, ProxySettings
from tallow.monitoring.integrations.request_errors import PROXY_EXTENSION, explain_proxy_failure
from tallow.monitoring.lifecycle.warn_once import warn_once

DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)
PROXY_LOGIN_WANTED: Final = 407


class ClientOptions(TypedDict, total=False):
    """Arguments of ``httpx.Client`` that mean the same here."""

    timeout: float | httpx.Timeout | None
    base_url: str
    auth: tuple[str, str] | None
    headers: Mapping[str, str]
    event_hooks: Mapping[str, list[Callable[..., Any]]]
    follow_redirects: bool


class TransportOptions(TypedDict, total=False):
    """Arguments of ``httpx.HTTPTransport``.

    ``verify``: by default the authorities that :func:`default_tls_context` trusts. ``uds``: the path of a
    Unix socket to connect to.
    """

    verify: ssl.SSLContext
    limits: httpx.Limits
    uds: str


def client(
    *,
    direct: bool = False,
    proxies: ProxySettings | None = None,
    transport: TransportOptions | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.Client:
    """An ``httpx.Client``. Its requests raise what httpx's own raise.

    Args:
        direct: never use a proxy: between parts of one installation, which may not be on loopback.
        proxies: by default those of the environment.
        transport: how connections are made.
        options: more arguments of ``httpx.Client``.

    Example:
        >>> with client(timeout=10, base_url="http://localhost:3000") as http:
        ...     request = http.build_request("GET", "/api/health")
        >>> str(request.url)
        'http://localhost:3000/api/health'
    """
    settings = ProxySettings() if direct else proxies or ProxySettings.read()
    routed = _Routed(settings, _transports(settings, transport or {}))
    return httpx.Client(transport=routed, trust_env=False, **options)


def async_client(
    *,
    direct: bool = False,
    proxies: ProxySettings | None = None,
    transport: TransportOptions | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.AsyncClient:
    """An ``httpx.AsyncClient``, as :func:`client` makes an ``httpx.Client``."""
    settings = ProxySettings() if direct else proxies or ProxySettings.read()
    routed = _AsyncRouted(settings, _async_transports(settings, transport or {}))
    return httpx.AsyncClient(transport=routed, trust_env=False, **options)


def default_tls_context() -> ssl.SSLContext:
    """Trusts the authorities in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, else those that httpx brings.

    A variable that leads to no certificate is passed over with one warning.
    """
    return _tls_context(os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None)


@lru_cache(maxsize=4)
def _tls_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file is not None:
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:  # ssl.SSLError is one
            warn_once("SSL_CERT_FILE cannot be used and is passed over", error=error)
    if folder is not None:
        if Path(folder).is_dir():
            return ssl.create_default_context(capath=folder)
        warn_once("SSL_CERT_DIR is no folder and is passed over")
    return httpx.create_ssl_context(trust_env=False)


def _transports(
    settings: ProxySettings, options: TransportOptions
) -> dict[Proxy | None, httpx.BaseTransport]:
    """A transport for each way that a request may take. None of them connects before it is used."""
    verify, limits = options.get("verify") or default_tls_context(), options.get("limits", DEFAULT_LIMITS)
    return {
        None: httpx.HTTPTransport(verify=verify, limits=limits, uds=options.get("uds"), trust_env=False),
        **{proxy: _through(proxy, verify, limits) for proxy in set(settings.proxies.values())},
    }


def _async_transports(
    settings: ProxySettings, options: TransportOptions
) -> dict[Proxy | None, httpx.AsyncBaseTransport]:
    verify, limits = options.get("verify") or default_tls_context(), options.get("limits", DEFAULT_LIMITS)
    return {
        None: httpx.AsyncHTTPTransport(verify=verify, limits=limits, uds=options.get("uds"), trust_env=False),
        **{proxy: _async_through(proxy, verify, limits) for proxy in set(settings.proxies.values())},
    }


def _through(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> httpx.BaseTransport:
    if proxy.scheme in SOCKS:
        from tallow.monitoring.integrations.socks_transport import SocksTransport, socks_options

        return SocksTransport(**socks_options(proxy, verify, limits))
    return httpx.HTTPTransport(verify=verify, limits=limits, proxy=_for_httpx(proxy, verify), trust_env=False)


def _async_through(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> httpx.AsyncBaseTransport:
    if proxy.scheme in SOCKS:
        from tallow.monitoring.integrations.socks_transport import AsyncSocksTransport, socks_options

        return AsyncSocksTransport(**socks_options(proxy, verify, limits))
    return httpx.AsyncHTTPTransport(
        verify=verify, limits=limits, proxy=_for_httpx(proxy, verify), trust_env=False
    )


def _for_httpx(proxy: Proxy, context: ssl.SSLContext) -> httpx.Proxy:
    auth = None if proxy.user is None else (proxy.user, proxy.password)
    return httpx.Proxy(proxy.address, auth=auth, ssl_context=context if proxy.scheme == "https" else None)


class _Routed(httpx.BaseTransport):
    """Sends each request directly or through a proxy, redirected ones as well."""

    def __init__(
        self, settings: ProxySettings, transports: Mapping[Proxy | None, httpx.BaseTransport]
    ) -> None:
        self._settings, self._transports = settings, transports

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._settings.proxy_for(str(request.url))
        try:
            response = self._transports[proxy].handle_request(request)
        except UnicodeError as error:  # the resolver's, for a name that no host can have
            raise httpx.ConnectError("the host's name cannot be used", request=request) from error
        except httpx.TransportError as error:
            if proxy is None:
                raise
            cause = explain_proxy_failure(proxy, error)
            raise type(error)(str(cause), request=request) from cause
        if proxy is not None:
            _mark(response, proxy)
            if response.status_code == PROXY_LOGIN_WANTED:
                response.close()
                raise _login_wanted(request, proxy)
        return response

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()


class _AsyncRouted(httpx.AsyncBaseTransport):
    """As :class:`_Routed`."""

    def __init__(
        self, settings: ProxySettings, transports: Mapping[Proxy | None, httpx.AsyncBaseTransport]
    ) -> None:
        self._settings, self._transports = settings, transports

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._settings.proxy_for(str(request.url))
        try:
            response = await self._transports[proxy].handle_async_request(request)
        except UnicodeError as error:  # the resolver's, for a name that no host can have
            raise httpx.ConnectError("the host's name cannot be used", request=request) from error
        except httpx.TransportError as error:
            if proxy is None:
                raise
            cause = explain_proxy_failure(proxy, error)
            raise type(error)(str(cause), request=request) from cause
        if proxy is not None:
            _mark(response, proxy)
            if response.status_code == PROXY_LOGIN_WANTED:
                await response.aclose()
                raise _login_wanted(request, proxy)
        return response

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


def _mark(response: httpx.Response, proxy: Proxy) -> None:
    response.extensions = {**response.extensions, PROXY_EXTENSION: proxy.address}


def _login_wanted(request: httpx.Request, proxy: Proxy) -> httpx.ProxyError:
    """The error for an answer that only a proxy gives. Any other answer may be the server's own."""
    error = httpx.ProxyError(str(PROXY_LOGIN_WANTED), request=request)
    cause = explain_proxy_failure(proxy, error)
    named = httpx.ProxyError(str(cause), request=request)
    named.__cause__ = cause
    return named
