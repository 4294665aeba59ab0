"""Create the HTTP clients of the library, the application and the stack.

A client reads the proxy settings of the environment when it is created (``proxy.py``), connects to loopback
directly, and names the proxy in the error of a request that failed through it. No value in the environment
can keep a client from being created.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import httpx

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.proxy_address import SOCKS, Proxy
from tallow.monitoring.integrations.request_errors import PROXY_EXTENSION, explain_proxy_failure
from tallow.monitoring.lifecycle.warn_once import warn_once

DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)
PROXY_AUTHENTICATION_REQUIRED: Final = 407


class ClientOptions(TypedDict, total=False):
    """Arguments of ``httpx.Client``."""

    timeout: float | httpx.Timeout | None
    base_url: str
    auth: tuple[str, str] | None
    headers: Mapping[str, str]
    event_hooks: Mapping[str, list[Callable[..., Any]]]
    follow_redirects: bool


class TransportOptions(TypedDict, total=False):
    """Arguments of ``httpx.HTTPTransport``.

    ``verify`` is by default :func:`default_tls_context`; ``uds`` is the path of a Unix socket to connect to,
    ``local_address`` the own address of direct connections.
    """

    verify: ssl.SSLContext
    limits: httpx.Limits
    uds: str
    local_address: str


def client(
    *,
    direct: bool = False,
    proxies: ProxySettings | None = None,
    transport: TransportOptions | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.Client:
    """Create an ``httpx.Client``. Its requests raise httpx's own errors.

    Args:
        direct: never use a proxy, as between parts of one installation.
        proxies: by default those of the environment.
        transport: how connections are made.
        options: further arguments of ``httpx.Client``.

    Example:
        >>> with client(timeout=10, base_url="http://localhost:3000") as http:
        ...     request = http.build_request("GET", "/api/health")
        >>> str(request.url)
        'http://localhost:3000/api/health'
    """
    settings = ProxySettings() if direct else proxies or ProxySettings.read()
    routing = _RoutingTransport(settings, _transports(settings, transport or {}))
    return httpx.Client(transport=routing, trust_env=False, **options)


def async_client(
    *,
    direct: bool = False,
    proxies: ProxySettings | None = None,
    transport: TransportOptions | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.AsyncClient:
    """Create an ``httpx.AsyncClient``; the arguments are those of :func:`client`."""
    settings = ProxySettings() if direct else proxies or ProxySettings.read()
    routing = _AsyncRoutingTransport(settings, _async_transports(settings, transport or {}))
    return httpx.AsyncClient(transport=routing, trust_env=False, **options)


def default_tls_context() -> ssl.SSLContext:
    """Return a context that trusts the authorities in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, else httpx's.

    A variable that cannot be used is ignored and logged once.
    """
    return _tls_context(os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None)


@lru_cache(maxsize=4)
def _tls_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file is not None:
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:  # ssl.SSLError is one
            warn_once("SSL_CERT_FILE cannot be used and is ignored", error=error)
    if folder is not None:
        if Path(folder).is_dir():
            return ssl.create_default_context(capath=folder)
        warn_once("SSL_CERT_DIR is not a folder and is ignored")
    return httpx.create_ssl_context(trust_env=False)


def _transports(
    settings: ProxySettings, options: TransportOptions
) -> dict[Proxy | None, httpx.BaseTransport]:
    """Return a transport for each proxy, and one for direct requests. None connects before it is used."""
    verify, limits = options.get("verify") or default_tls_context(), options.get("limits", DEFAULT_LIMITS)
    return {
        None: httpx.HTTPTransport(verify=verify, limits=limits, trust_env=False, **_direct(options)),
        **{proxy: _proxy_transport(proxy, verify, limits) for proxy in set(settings.proxies.values())},
    }


def _async_transports(
    settings: ProxySettings, options: TransportOptions
) -> dict[Proxy | None, httpx.AsyncBaseTransport]:
    verify, limits = options.get("verify") or default_tls_context(), options.get("limits", DEFAULT_LIMITS)
    return {
        None: httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False, **_direct(options)),
        **{proxy: _async_proxy_transport(proxy, verify, limits) for proxy in set(settings.proxies.values())},
    }


def _direct(options: TransportOptions) -> dict[str, Any]:
    """The options of direct connections."""
    return {"uds": options.get("uds"), "local_address": options.get("local_address")}


def _proxy_transport(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> httpx.BaseTransport:
    if proxy.scheme in SOCKS:
        from tallow.monitoring.integrations.socks_transport import SocksTransport, socks_options

        return SocksTransport(**socks_options(proxy, verify, limits))
    return httpx.HTTPTransport(
        verify=verify, limits=limits, proxy=_httpx_proxy(proxy, verify), trust_env=False
    )


def _async_proxy_transport(
    proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits
) -> httpx.AsyncBaseTransport:
    if proxy.scheme in SOCKS:
        from tallow.monitoring.integrations.socks_transport import AsyncSocksTransport, socks_options

        return AsyncSocksTransport(**socks_options(proxy, verify, limits))
    return httpx.AsyncHTTPTransport(
        verify=verify, limits=limits, proxy=_httpx_proxy(proxy, verify), trust_env=False
    )


def _httpx_proxy(proxy: Proxy, context: ssl.SSLContext) -> httpx.Proxy:
    # As a header: httpx's own argument fails on a password that is not UTF-8.
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    return httpx.Proxy(
        proxy.address, headers=headers, ssl_context=context if proxy.scheme == "https" else None
    )


class _RoutingTransport(httpx.BaseTransport):
    """Sends each request directly or through a proxy, also redirected ones."""

    def __init__(
        self, settings: ProxySettings, transports: Mapping[Proxy | None, httpx.BaseTransport]
    ) -> None:
        self._settings, self._transports = settings, transports

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._settings.proxy_for(str(request.url))
        with _naming_proxy(request, proxy):
            response = self._transports[proxy].handle_request(request)
        if proxy is not None:
            _add_proxy(response, proxy)
            if response.status_code == PROXY_AUTHENTICATION_REQUIRED:
                response.close()
                raise _authentication_required(request, proxy)
        return response

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()


class _AsyncRoutingTransport(httpx.AsyncBaseTransport):
    """As :class:`_RoutingTransport`."""

    def __init__(
        self, settings: ProxySettings, transports: Mapping[Proxy | None, httpx.AsyncBaseTransport]
    ) -> None:
        self._settings, self._transports = settings, transports

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._settings.proxy_for(str(request.url))
        with _naming_proxy(request, proxy):
            response = await self._transports[proxy].handle_async_request(request)
        if proxy is not None:
            _add_proxy(response, proxy)
            if response.status_code == PROXY_AUTHENTICATION_REQUIRED:
                await response.aclose()
                raise _authentication_required(request, proxy)
        return response

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


@contextlib.contextmanager
def _naming_proxy(request: httpx.Request, proxy: Proxy | None) -> Iterator[None]:
    """Name the proxy in the error of a request; make an error of the resolver one of httpx."""
    try:
        yield
    except UnicodeError as error:  # raised by the resolver for an invalid name
        raise httpx.ConnectError("the host name is invalid", request=request) from error
    except httpx.TransportError as error:
        if proxy is None:
            raise
        cause = explain_proxy_failure(proxy, error)
        raise type(error)(str(cause), request=request) from cause


def _add_proxy(response: httpx.Response, proxy: Proxy) -> None:
    response.extensions = {**response.extensions, PROXY_EXTENSION: proxy.address}


def _authentication_required(request: httpx.Request, proxy: Proxy) -> httpx.ProxyError:
    """Return the error for status 407, which only a proxy sends; other statuses may be the server's."""
    error = httpx.ProxyError(str(PROXY_AUTHENTICATION_REQUIRED), request=request)
    cause = explain_proxy_failure(proxy, error)
    result = httpx.ProxyError(str(cause), request=request)
    result.__cause__ = cause
    return result
