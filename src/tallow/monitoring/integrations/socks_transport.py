"""Send requests through a SOCKS proxy.

httpx's own support has no timeout for the proxy's handshake and leaks the socket if it fails. httpx-socks
has a timeout, but raises errors that are not httpx's.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
from httpx_socks import AsyncProxyTransport, ProxyError, ProxyTimeoutError, ProxyType, SyncProxyTransport

from tallow.monitoring.integrations.proxy_address import Proxy


class SocksTransport(SyncProxyTransport):
    """A SOCKS transport that raises httpx's errors."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors(request):
            return super().handle_request(request)


class AsyncSocksTransport(AsyncProxyTransport):
    """An asynchronous SOCKS transport that raises httpx's errors."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors(request):
            return await super().handle_async_request(request)


def socks_options(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> dict[str, Any]:
    """Return the arguments of both transports. The proxy resolves host names."""
    return {
        "proxy_type": ProxyType.SOCKS5,
        "proxy_host": proxy.host,
        "proxy_port": proxy.port,
        "username": proxy.user,
        "password": proxy.password if proxy.user is not None else None,
        "rdns": True,
        "verify": verify,
        "limits": limits,
        "trust_env": False,
    }


@contextlib.contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except ProxyTimeoutError as error:
        raise httpx.ConnectTimeout("the proxy did not answer in time", request=request) from error
    except ProxyError as error:
        raise httpx.ProxyError("the proxy refuses the connection", request=request) from error
    except OSError as error:  # ssl.SSLError is one
        raise httpx.ConnectError("no connection through the proxy", request=request) from error
