"""The external dead man's switch: it receives every heartbeat and notices if this machine fails."""

from __future__ import annotations

import asyncio
from typing import Final

from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.integrations.request_errors import describe_error, describe_response
from tallow.stack.heartbeat.delivery import log
from tallow.stack.heartbeat.faults import ChannelFaults

NAME: Final = "HEARTBEAT_URL"
TIMEOUT_S: Final = 10.0
TOTAL_TIMEOUT_S: Final = 30.0
"""For the whole request, including redirects."""


class ExternalSwitch:
    """Forwards heartbeats to an address, one at a time; heartbeats during a request are not forwarded.

    It sends a plain GET, which every such service accepts. The address is a secret and never logged.

    Args:
        url: the address.
        faults: records the result of each request, under :data:`NAME`.
    """

    def __init__(self, url: str, faults: ChannelFaults) -> None:
        self._url, self._faults = url, faults
        self._task: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str:
        """Why the last request failed; empty if it succeeded."""
        return self._faults.problems.get(NAME, "")

    def forward_beat(self) -> None:
        """Forward a heartbeat without waiting for the response."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._record(), name="external-switch")

    async def _record(self) -> None:
        problem = await self._get()
        if self._faults.record(NAME, problem):
            log(f"{NAME}: {problem}")

    async def _get(self) -> str:
        try:
            async with (
                asyncio.timeout(TOTAL_TIMEOUT_S),
                async_client(timeout=TIMEOUT_S, follow_redirects=True) as client,
            ):
                answer = await client.get(self._url)
        except Exception as error:  # noqa: BLE001 - every failure is recorded, and none ends the checker
            return describe_error(error)
        return "" if answer.is_success else describe_response(answer)
