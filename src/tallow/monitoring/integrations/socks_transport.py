"""Requests through a SOCKS proxy.

httpx's own support has no time limit for what the proxy does before the connection stands, and loses the
socket when that fails; that of httpx-socks has one, but raises errors that are none of httpx's.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
from httpx_socks import AsyncProxyTransport, ProxyError, ProxyTimeoutError, ProxyType, SyncProxyTransport

from tallow.monitoring.integrations.proxy import Proxy


class SocksTransport(SyncProxyTransport):
    """As ``httpx.HTTPTransport``, with the errors of httpx."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _errors_of_httpx(request):
            return super().handle_request(request)


class AsyncSocksTransport(AsyncProxyTransport):
    """As ``httpx.AsyncHTTPTransport``, with the errors of httpx."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _errors_of_httpx(request):
            return await super().handle_async_request(request)


def socks_options(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> dict[str, Any]:
    """Arguments of both transports. The proxy resolves the names."""
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
def _errors_of_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except ProxyTimeoutError as error:
        raise httpx.ConnectTimeout("the proxy did not answer in time", request=request) from error
    except ProxyError as error:
        raise httpx.ProxyError("the proxy refuses the connection", request=request) from error
    except OSError as error:  # ssl.SSLError is one
        raise httpx.ConnectError("no connection through the proxy", request=request) from error
