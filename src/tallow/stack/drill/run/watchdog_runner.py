"""The drill of Watchdog: Prometheus and Alertmanager are killed, and the heartbeat checker must notify.

Watchdog always fires; its absence is the fault. Prometheus is killed first, then Alertmanager. For each,
every critical destination must get a message that the heartbeat is missing, and one that it is back.
"""

from __future__ import annotations

import time
from typing import Final

import httpx

from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import wait_until
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.verify.expected_routing import DESTINATIONS
from tallow.stack.heartbeat.monitor import WAIT_S
from tallow.stack.prometheus import RESEND_S

ALERT: Final = "Watchdog"
MARGIN_S: Final = 45.0
"""Seconds added to every time limit: a small machine runs many drills at once."""
_MISSING: Final = "No heartbeat"
_BACK: Final = "The heartbeat is back"
_DESTINATIONS: Final = frozenset(DESTINATIONS["critical-alerts"])


class WatchdogRunner:
    """Runs the drill of Watchdog.

    Args:
        result: updated while the drill runs.
    """

    def __init__(self, environment: DrillEnvironment, result: DrillResult) -> None:
        self._environment, self._result = environment, result
        self._limit = WAIT_S * environment.profile.scale + MARGIN_S
        # Alertmanager resolves an alert four resend intervals after Prometheus last sent it; the last sending
        # may have been one interval before the kill.
        result.min_latency = min(WAIT_S, 3 * RESEND_S) * environment.profile.scale

    async def run(self) -> None:
        """Run the drill to its end. Errors become problems of the result."""
        result = self._result
        try:
            await self._wait_for_heartbeat("no heartbeat reached the checker")
            inbox = self._environment.receivers.inbox
            if any(f"/runbooks/{ALERT}" in message.text for message in inbox.messages):
                result.problems.append("people were notified of Watchdog, which is for the checker alone")
            await self._kill_and_restart("prometheus", "Prometheus is down")
            await self._kill_and_restart("alertmanager", "Alertmanager has sent no Watchdog")
        except DrillError as error:
            result.problems.append(str(error))
        result.finish()

    async def _kill_and_restart(self, name: str, reason: str) -> None:
        """Kill a process, wait for the notification, start it again, wait for the notification of the end.

        Args:
            reason: what the first notification must say.
        """
        result = self._result
        is_first = result.started_at is None
        killed_at = time.time()
        if is_first:
            result.started_at = killed_at
        result.state = "fault on"
        await self._environment.processes[name].kill()
        await self._wait_for_messages(_MISSING, killed_at, f"{name} was killed, and no notification came")
        if is_first:
            result.notified_at = time.time()
        result.state = "notified"
        if not self._says(reason, killed_at):
            result.problems.append(f"{name} was killed, and the notification does not say: {reason}")
        restarted_at = time.time()
        if is_first:
            result.cleared_at = restarted_at
        await self._environment.start(name)
        result.state = "cleared"
        await self._wait_for_messages(
            _BACK, restarted_at, f"{name} was restarted, and no message reported it"
        )
        if is_first:
            result.resolved_at = time.time()
        await self._wait_for_heartbeat(f"{name} was restarted, and the checker does not report it")

    def _says(self, reason: str, since: float) -> bool:
        """Whether a message about the missing heartbeat names the reason."""
        return any(
            reason in message.text
            for message in self._environment.receivers.inbox.messages
            if message.received_at >= since and _MISSING in message.subject
        )

    async def _wait_for_messages(self, subject: str, since: float, error: str) -> None:
        """Wait until every critical destination has a message with this subject."""

        def delivered() -> bool:
            found = {
                (message.channel, message.target)
                for message in self._environment.receivers.inbox.messages
                if message.received_at >= since and subject in message.subject and "DRILL" in message.subject
            }
            self._result.destinations = tuple(sorted(channel for channel, _ in found))
            return found >= _DESTINATIONS

        await wait_until(delivered, self._limit, error)

    async def _wait_for_heartbeat(self, error: str) -> None:
        async def is_beating() -> bool:
            try:
                status = await self._environment.get_json("heartbeat", "/status")
            except httpx.HTTPError:
                return False
            return bool(status["state"] == "beating")

        await wait_until(is_beating, self._limit, error)
