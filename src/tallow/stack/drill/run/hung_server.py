"""Drills of a server that hangs in a complete stack: the runbook cures it, or the supervisor does.

Their page is ServiceDown's. The server is stopped by SIGSTOP: it keeps its port, takes connections and says
nothing.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tallow.stack import alerts
from tallow.stack.drill.environment.native_stack import CommandOutput, NativeStack, native_stack
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.receivers.receiver_set import ReceiverSet, running_receivers
from tallow.stack.drill.run.model import wait_until
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.verify import expected_routing, messages
from tallow.stack.drill.verify.runbook_commands import runbook_commands
from tallow.stack.engines.state.state_dir import LIVENESS_TIMEOUT_S
from tallow.stack.prometheus import SCRAPE_INTERVAL_S

ALERT: Final = "ServiceDown"
SERVICE: Final = "tallow"
SCALE: Final = 1 / 15
PROFILE_NAME: Final = "native"
MARGIN_S: Final = 60.0
"""Patience beyond what must pass: the machine may have a lot else to do."""
_CHANNELS: Final = frozenset({"email", "slack"})
"""PagerDuty's address cannot be set in ``.env``."""


@dataclass(frozen=True, slots=True)
class HungServerDrill:
    """A drill.

    Attributes:
        fault: what is done, in a line.
        liveness_timeout: the supervisor's, in seconds, unscaled; 0: it never restarts what hangs.
        cure: what brings the server back: problems, one line each.
    """

    name: str
    fault: str
    liveness_timeout: float
    recover: Callable[[NativeStack], Awaitable[list[str]]]


async def follow_runbook(stack: NativeStack) -> list[str]:
    """Run the runbook's commands, those that confirm and those that cure."""
    confirming = [await stack.run(line) for line in runbook_commands(ALERT, "## Confirm")]
    problems = [problem for output in confirming for problem in _confirms(output)]
    for line in runbook_commands(ALERT, "*It hangs*"):
        output = await stack.run(line)
        if output.status != 0:
            problems.append(_failed(output))
    ended = stack.service_status(SERVICE).last_exit
    if ended is None or ended.cause != "restart":
        problems.append("the runbook's commands did not restart the server")
    return problems


async def wait_for_supervisor(stack: NativeStack) -> list[str]:
    """Do nothing until the supervisor has restarted the server."""
    seconds = LIVENESS_TIMEOUT_S * SCALE + MARGIN_S
    await wait_until(
        lambda: stack.service_status(SERVICE).restarts == 1, seconds, "the supervisor did not restart it"
    )
    ended = stack.service_status(SERVICE).last_exit
    if ended is None or ended.cause != "unresponsive":
        return [f"the supervisor says it ended otherwise: {ended.reason if ended else 'nothing'}"]
    output = await stack.run("tallow logs supervisor --level error")
    return (
        []
        if ended.reason in output.output
        else ["`tallow logs supervisor` does not say why it was restarted"]
    )


DRILLS: Final[Mapping[str, HungServerDrill]] = MappingProxyType(
    {
        drill.name: drill
        for drill in (
            HungServerDrill(
                "HungServerRunbook",
                "the server is stopped (SIGSTOP), its supervisor does nothing, and the runbook is followed",
                0,
                follow_runbook,
            ),
            HungServerDrill(
                "HungServerRestart",
                "the server is stopped (SIGSTOP), and the supervisor restarts it",
                LIVENESS_TIMEOUT_S,
                wait_for_supervisor,
            ),
        )
    }
)


def new_result(drill: HungServerDrill) -> DrillResult:
    """The result of a drill that has not begun."""
    rule = alerts.RULES[ALERT]
    floor = (SCRAPE_INTERVAL_S + rule.for_seconds + expected_routing.group_wait(rule)) * SCALE
    return DrillResult(drill.name, drill.fault, PROFILE_NAME, SCALE, floor)


class HungServerRunner:
    """Runs a drill and keeps its result.

    Args:
        folder: an empty one, for everything that it leaves.
    """

    def __init__(self, drill: HungServerDrill, folder: Path, result: DrillResult) -> None:
        self._drill, self._folder, self._result = drill, folder, result

    async def run(self) -> None:
        """To the end; what goes wrong is in the result."""
        result = self._result
        try:
            result.state = "starting"
            timeout = self._drill.liveness_timeout * SCALE
            async with (
                running_receivers() as desk,
                native_stack(self._folder, desk.settings, SCALE, timeout) as stack,
            ):
                await self._run(stack, desk)
        except (DrillError, OSError) as error:
            result.problems.append(str(error))
        result.state = "failed" if result.problems else "passed"

    async def _run(self, stack: NativeStack, desk: ReceiverSet) -> None:
        result = self._result
        result.state = "quiet"
        await wait_until(lambda: _is_up(stack), MARGIN_S, "Prometheus does not scrape the server")
        await wait_until(lambda: _is_quiet(stack), MARGIN_S, f"{ALERT} was there before the fault")
        process = stack.service_status(SERVICE).process()
        if process is None:
            raise DrillError("the server ended before the fault")
        result.state, result.started_at = "fault on", time.time()
        os.kill(process.pid, signal.SIGSTOP)
        await self._delivered(stack, desk, firing=True, since=result.started_at)
        result.state, result.notified_at = "told", time.time()
        result.problems += await self._drill.recover(stack)
        await wait_until(
            lambda: _is_up(stack), MARGIN_S, "the server was cured, and Prometheus cannot scrape it"
        )
        result.state, result.cleared_at = "healed", time.time()
        await self._delivered(stack, desk, firing=False, since=result.started_at)
        result.resolved_at = max(time.time(), result.cleared_at)
        status = await stack.run("tallow status")
        if status.status != 0:
            result.problems.append(_failed(status))

    async def _delivered(self, stack: NativeStack, desk: ReceiverSet, *, firing: bool, since: float) -> None:
        """Wait until every place has the message."""
        rule = alerts.RULES[ALERT]
        places = {place for place in expected_routing.expected_destinations(rule) if place[0] in _CHANNELS}
        instance = stack.instance_label(SERVICE)

        def everywhere() -> bool:
            came = messages.deliveries(desk.inbox, ALERT, instance, firing=firing, since=since)
            self._result.destinations = tuple(sorted({channel for channel, _ in came}))
            return places <= came.keys()

        what = "a page" if firing else "word that it is over"
        seconds = (
            rule.for_seconds + expected_routing.group_wait(rule) + 2 * expected_routing.group_interval(rule)
        ) * SCALE + MARGIN_S
        await wait_until(everywhere, seconds, f"{what} did not come to every place")


async def _is_up(stack: NativeStack) -> bool:
    return await stack.query(f'up{{job="{SERVICE}"}}') == 1


async def _is_quiet(stack: NativeStack) -> bool:
    return all(alert["labels"]["alertname"] != ALERT for alert in await stack.alerts())


def _confirms(output: CommandOutput) -> list[str]:
    """What a command of the runbook should have shown of a server that hangs, and did not."""
    if output.command == "tallow status":
        shown = output.status == 1 and re.search(rf"\b{SERVICE} +\d+ +failing\b", output.output)
        return [] if shown else [f"`tallow status` does not show that it fails: {output.output.strip()}"]
    return [] if output.status == 0 else [_failed(output)]


def _failed(output: CommandOutput) -> str:
    return f"`{output.command}` ended with {output.status}: {output.output.strip()}"
