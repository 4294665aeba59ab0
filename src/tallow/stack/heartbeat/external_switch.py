"""The dead man's switch elsewhere: told of every beat, for this checker dies with its machine."""

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
"""For the whole request, with its redirects."""


class ExternalSwitch:
    """Hands beats on to an address, one at a time: those that come meanwhile are the same news.

    A plain GET is what every such service takes. The address is a secret and is never written anywhere.

    Args:
        url: the address.
        faults: where the result of each request is recorded, under :data:`NAME`.
    """

    def __init__(self, url: str, faults: ChannelFaults) -> None:
        self._url, self._faults = url, faults
        self._task: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str:
        """What went wrong the last time, in a few words; empty if nothing did."""
        return self._faults.problems.get(NAME, "")

    def forward_beat(self) -> None:
        """Hand on, without waiting."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._record(), name="outside")

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
        except Exception as error:  # noqa: BLE001 - no failure may go unnoticed, and none may end the checker
            return describe_error(error)
        return "" if answer.is_success else describe_response(answer)
