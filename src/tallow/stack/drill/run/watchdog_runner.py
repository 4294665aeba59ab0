"""Watchdog's drill: alerting itself dies, and the heartbeat checker pages past it.

Its alert fires all the time, so that there is nothing to wait for but the beats. Prometheus is killed first,
then Alertmanager; each must be noticed, told by every channel and called off.
"""

from __future__ import annotations

import time
from typing import Final

import httpx

from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import Drill, wait_until
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.verify.expected_routing import DESTINATIONS, Destination
from tallow.stack.engines.services.definitions import RESEND_S
from tallow.stack.heartbeat.monitor import WAIT_S

ALERT: Final = "Watchdog"
MARGIN_S: Final = 45.0
_PAGE: Final = "No heartbeat"
_BACK: Final = "The heartbeat is back"
_PLACES: Final = frozenset(DESTINATIONS["critical-alerts"])


class WatchdogRunner:
    """As :class:`~tallow.stack.drill.run.runner.Runner`, for the one alert whose absence pages."""

    def __init__(self, drill: Drill, ground: DrillEnvironment, result: DrillResult) -> None:
        self._drill, self._ground, self._result = drill, ground, result
        # Alertmanager takes an alert for resolved four resends after it was last sent, at most one ago.
        result.min_latency = min(WAIT_S, 3 * RESEND_S) * ground.profile.scale

    async def run(self) -> None:
        """To the end; what goes wrong is in the result."""
        result = self._result
        try:
            await self._beats("no beat reached the checker")
            if any(f"/runbooks/{ALERT}" in message.text for message in self._ground.receivers.inbox.messages):
                result.problems.append("people were told of Watchdog, which is for the checker alone")
            await self._dies("prometheus", "Prometheus is down")
            await self._dies("alertmanager", "Alertmanager has sent no Watchdog")
        except DrillError as error:
            result.problems.append(str(error))
        result.state = "failed" if result.problems else "passed"

    async def _dies(self, name: str, reason: str) -> None:
        """Kill, be paged, start again, be told that it is over."""
        result, scale = self._result, self._ground.profile.scale
        first = result.started_at is None
        killed = time.time()
        if first:
            result.started_at = killed
        result.state = "fault on"
        await self._ground.processes[name].kill()
        await self._told(_PAGE, killed, WAIT_S * scale + MARGIN_S, f"{name} was killed, and no page came")
        if first:
            result.notified_at = time.time()
        result.state = "told"
        pages = [
            one
            for one in self._ground.receivers.inbox.messages
            if one.received_at >= killed and _PAGE in one.subject
        ]
        if not any(reason in one.text for one in pages):
            result.problems.append(f"{name} was killed, and the page does not say: {reason}")
        healed = time.time()
        if first:
            result.cleared_at = healed
        await self._ground.start(name)
        result.state = "healed"
        await self._told(_BACK, healed, WAIT_S * scale + MARGIN_S, f"{name} is back, and nobody was told")
        if first:
            result.resolved_at = time.time()
        await self._beats(f"{name} is back, and the checker does not say so")

    async def _told(self, subject: str, since: float, seconds: float, otherwise: str) -> None:
        """Until every place of the critical receiver has a message."""

        def everywhere() -> bool:
            came: set[Destination] = {
                (one.channel, one.target)
                for one in self._ground.receivers.inbox.messages
                if one.received_at >= since and subject in one.subject and "DRILL" in one.subject
            }
            self._result.destinations = tuple(sorted(channel for channel, _ in came))
            return came >= _PLACES

        await wait_until(everywhere, seconds, otherwise)

    async def _beats(self, otherwise: str) -> None:
        async def beating() -> bool:
            try:
                status = await self._ground.get_json("heartbeat", "/status")
            except httpx.HTTPError:
                return False
            return bool(status["state"] == "beating")

        await wait_until(beating, WAIT_S * self._ground.profile.scale + MARGIN_S, otherwise)
