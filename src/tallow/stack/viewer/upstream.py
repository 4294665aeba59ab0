"""Requests to Prometheus and Alertmanager, limited in number, time and size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.stack.viewer.allowlist import RequestRefusedError
from tallow.stack.viewer.credentials import Login

TIMEOUT_S: Final = 30.0
CONNECT_S: Final = 3.0
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_CONCURRENT: Final = 12
MAX_QUEUED: Final = 200
FORWARDED_STATUSES: Final = frozenset({200, 400, 404, 422, 503})
"""Statuses that are forwarded to the client; any other one is an error of the servers' configuration."""


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """An upstream response with an unparsed JSON body."""

    status: int
    body: bytes


class Upstream:
    """One server behind the viewer. Create it in a running event loop and call :meth:`close`.

    Args:
        name: the display name, for messages.
        url: the address, including its base path.
        login: for basic authentication.
    """

    def __init__(self, name: str, url: str, login: Login | None, *, timeout: float = TIMEOUT_S) -> None:
        self._name = name
        self._timeout = timeout
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._waiting = 0
        self._client = async_client(
            direct=True,
            base_url=url.rstrip("/") + "/",
            auth=(login.user, login.password) if login else None,
            timeout=httpx.Timeout(timeout, connect=CONNECT_S),
            transport={
                "limits": httpx.Limits(
                    max_connections=MAX_CONCURRENT, max_keepalive_connections=MAX_CONCURRENT
                )
            },
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def request(
        self, path: str, parameters: Sequence[tuple[str, str]], *, post: bool = False
    ) -> UpstreamResponse:
        """Send a request and read the response.

        Raises:
            RequestRefusedError: 503, too many requests wait or the server is unreachable; 504, it takes too
                long; 502, its response is not usable.
        """
        async with self._slot():
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._exchange(path, parameters, post=post)
            except (TimeoutError, httpx.ReadTimeout):
                raise RequestRefusedError(
                    504, f"{self._name} did not answer within {self._timeout:g} s"
                ) from None
            except httpx.HTTPError:
                raise RequestRefusedError(503, f"{self._name} is not reachable") from None

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_QUEUED:
            raise RequestRefusedError(503, "too many requests are waiting; try again")
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1

    async def _exchange(
        self, path: str, parameters: Sequence[tuple[str, str]], *, post: bool
    ) -> UpstreamResponse:
        fields: dict[str, list[str]] = {}
        for name, value in parameters:
            fields.setdefault(name, []).append(value)
        request = self._client.build_request(
            "POST" if post else "GET", path, params=None if post else fields, data=fields if post else None
        )
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code not in FORWARDED_STATUSES:
                raise RequestRefusedError(502, f"{self._name} answered {response.status_code}")
            if response.headers.get("content-type", "").partition(";")[0] != "application/json":
                raise RequestRefusedError(502, f"the response is not from {self._name}")
            return UpstreamResponse(response.status_code, await self._body(response))
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_BYTES:
                raise RequestRefusedError(
                    502, f"the response of {self._name} has more than {MAX_BYTES} bytes"
                )
        return bytes(body)
