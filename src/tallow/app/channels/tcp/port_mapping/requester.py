"""HTTP requests to the router, bounded in number, size and time."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import httpx
from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpConnectionError

from tallow.app.channels.tcp.port_mapping.local_network import LocalNetwork
from tallow.monitoring.integrations.http_client import async_client

MAX_BODY_BYTES: Final = 256 * 1024
"""Of one answer. The largest descriptions of routers have a tenth of it."""
MAX_DESCRIPTIONS: Final = 24
"""Documents that the description of a router may consist of: one, and one for each service."""
REQUEST_S: Final = 3.0


class RouterRequester(UpnpRequester):
    """Sends requests to the router and to nobody else.

    What answers a search names the URLs of its descriptions and controls. Whatever they are, only its own
    address is contacted: without a name to resolve, a proxy, or a redirection.

    Args:
        address: the router's.
    """

    def __init__(self, network: LocalNetwork, address: str) -> None:
        self._own = str(network.own)
        self._address = address
        self._descriptions = 0

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """Send a request.

        Raises:
            UpnpConnectionError: it would go to somebody else, the limits are exceeded, or it failed.
        """
        parts = urlsplit(http_request.url)
        if parts.scheme != "http" or parts.hostname != self._address:
            raise UpnpConnectionError("the router names another host")
        if http_request.method == "GET":
            self._descriptions += 1
            if self._descriptions > MAX_DESCRIPTIONS:
                raise UpnpConnectionError("the router has too many services")
        try:
            return await self._send(http_request)
        except httpx.HTTPError as error:
            raise UpnpConnectionError(type(error).__name__) from None

    async def _send(self, wanted: HttpRequest) -> HttpResponse:
        content = None if wanted.body is None else wanted.body.encode()
        headers = {**wanted.headers, "Accept-Encoding": "identity"}
        async with (
            async_client(direct=True, transport={"local_address": self._own}, timeout=REQUEST_S) as http,
            http.stream(wanted.method, wanted.url, headers=headers, content=content) as response,
        ):
            body = bytearray()
            async for part in response.aiter_raw():  # not decompressed: a small answer must not grow
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise UpnpConnectionError("the router's answer is too long")
            return HttpResponse(response.status_code, dict(response.headers), body.decode(errors="replace"))
