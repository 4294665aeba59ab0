"""The dead man's switch elsewhere: told of every beat, for this checker dies with its machine."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.integrations.request_errors import describe_answer, describe_error

TIMEOUT_S: Final = 10.0


class Outside:
    """Hands beats on to an address, one at a time: those that come meanwhile are the same news.

    A plain GET is what every such service takes. The address is a secret and is never written anywhere.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[None] | None = None
        self.problem = ""
        """What went wrong the last time, in a few words; empty if nothing did."""

    def beat(self) -> None:
        """Hand on, without waiting."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._get(), name="outside")

    async def _get(self) -> None:
        problem = ""
        try:
            async with async_client(timeout=TIMEOUT_S, follow_redirects=True) as client:
                answer = await client.get(self._url)
                if not answer.is_success:
                    problem = describe_answer(answer)
        except Exception as error:  # noqa: BLE001 - no failure of this request may go unnoticed
            problem = describe_error(error)
        if problem and problem != self.problem:
            print(f"HEARTBEAT_URL: {problem}", file=sys.stderr, flush=True)
        self.problem = problem
