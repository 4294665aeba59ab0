"""Open WebSockets as a client. Proxies are used as in ``http_client.py``.

The package ``websockets`` comes with the extras ``app`` and ``stack``.
"""

from __future__ import annotations

from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import InvalidProxyStatus, ProxyError
from websockets.frames import CloseCode

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.request_errors import explain_proxy_failure


class _Connection(ClientConnection):
    """A connection that is closed at once if the closing handshake is cancelled.

    That of ``websockets`` would stay open until the program ends.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        """TLS that fails inside a proxy's tunnel ends a connection that was never made.

        ``websockets`` would fail then, and asyncio would print its traceback. The caller has the error.
        """
        if hasattr(self, "transport"):
            super().connection_lost(exc)

    async def close(self, code: CloseCode | int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        try:
            await super().close(code, reason)
        finally:
            self.transport.abort()


async def connect_websocket(url: str, *, direct: bool = False, **options: Any) -> ClientConnection:
    """Open a WebSocket; close it with ``async with`` or ``close()``.

    Args:
        url: ``ws://`` or ``wss://``.
        direct: never use a proxy.
        options: further arguments of ``websockets.asyncio.client.connect``.

    Raises:
        ProxyConnectionError: the proxy failed. It is an ``OSError`` and names the proxy.
        OSError, TimeoutError, websockets.exceptions.InvalidURI, websockets.exceptions.InvalidHandshake: as
            ``connect`` raises them.
    """
    proxy = None if direct else ProxySettings.read(socks="python_socks").proxy_for(url)
    if proxy is None:
        return await _connect(url, proxy=None, **options)
    try:
        return await _connect(url, proxy=proxy.url, **options)
    except ProxyError as error:
        status = error.response.status_code if isinstance(error, InvalidProxyStatus) else None
        raise explain_proxy_failure(proxy, httpx.ProxyError(str(status or ""))) from error
    except OSError as error:  # TimeoutError is one
        raise explain_proxy_failure(proxy, error) from error


async def _connect(url: str, **options: Any) -> ClientConnection:
    try:
        return await connect(url, create_connection=_Connection, **options)
    except UnicodeError as error:  # raised by the resolver for an invalid name
        raise OSError("the host name is invalid") from error


async def connect_unix_websocket(path: str, url: str, **options: Any) -> ClientConnection:
    """Open a WebSocket to a server that listens on the Unix socket ``path``."""
    return await unix_connect(path, url, create_connection=_Connection, **options)
