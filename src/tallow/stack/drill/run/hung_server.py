"""Drills of a server that hangs in a complete stack: recovery by the runbook, and by the supervisor.

The server is suspended with SIGSTOP: it keeps its port, accepts connections and does not answer. The alert is
ServiceDown.
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
"""Seconds added to every time limit: a small machine runs many drills at once."""
_CHANNELS: Final = frozenset({"email", "slack"})
"""Without PagerDuty, whose address cannot be set in ``.env``."""


@dataclass(frozen=True, slots=True)
class HungServerDrill:
    """A drill of a server that hangs.

    Attributes:
        fault: what is done, in one line.
        liveness_timeout: seconds without an answer, unscaled, after which the supervisor restarts the server;
            0: never.
        recover: brings the server back; returns problems, one line each.
    """

    name: str
    fault: str
    liveness_timeout: float
    recover: Callable[[NativeStack], Awaitable[list[str]]]


async def follow_runbook(stack: NativeStack) -> list[str]:
    """Run the commands of the runbook that confirm the fault and those that restart the server."""
    confirming = [await stack.run(line) for line in runbook_commands(ALERT, "## Confirm")]
    problems = [problem for output in confirming for problem in _confirmation_problems(output)]
    for line in runbook_commands(ALERT, "*It hangs*"):
        output = await stack.run(line)
        if output.status != 0:
            problems.append(_describe_failure(output))
    last_exit = stack.service_status(SERVICE).last_exit
    if last_exit is None or last_exit.cause != "restart":
        problems.append("the runbook's commands did not restart the server")
    return problems


async def wait_for_supervisor(stack: NativeStack) -> list[str]:
    """Wait until the supervisor has restarted the server."""
    await wait_until(
        lambda: stack.service_status(SERVICE).restarts == 1,
        LIVENESS_TIMEOUT_S * SCALE + MARGIN_S,
        "the supervisor did not restart it",
    )
    last_exit = stack.service_status(SERVICE).last_exit
    if last_exit is None or last_exit.cause != "unresponsive":
        return [f"the supervisor reports another reason: {last_exit.reason if last_exit else 'none'}"]
    output = await stack.run("tallow logs supervisor --level error")
    if last_exit.reason not in output.output:
        return ["`tallow logs supervisor` does not say why it was restarted"]
    return []


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
    """The result of a drill that has not started."""
    rule = alerts.RULES[ALERT]
    min_latency = (SCRAPE_INTERVAL_S + rule.for_seconds + expected_routing.group_wait(rule)) * SCALE
    return DrillResult(drill.name, drill.fault, PROFILE_NAME, SCALE, min_latency)


class HungServerRunner:
    """Runs one drill of a server that hangs.

    Args:
        folder: an empty folder for the stack.
        result: updated while the drill runs.
    """

    def __init__(self, drill: HungServerDrill, folder: Path, result: DrillResult) -> None:
        self._drill, self._folder, self._result = drill, folder, result

    async def run(self) -> None:
        """Run the drill to its end. Errors become problems of the result."""
        result = self._result
        try:
            result.state = "starting"
            timeout = self._drill.liveness_timeout * SCALE
            async with (
                running_receivers() as receivers,
                native_stack(self._folder, receivers.settings, SCALE, timeout) as stack,
            ):
                await self._run(stack, receivers)
        except (DrillError, OSError) as error:
            result.problems.append(str(error))
        result.finish()

    async def _run(self, stack: NativeStack, receivers: ReceiverSet) -> None:
        result = self._result
        result.state = "quiet"
        await wait_until(lambda: _is_up(stack), MARGIN_S, "Prometheus does not scrape the server")
        await wait_until(lambda: _is_quiet(stack), MARGIN_S, f"{ALERT} was there before the fault")
        process = stack.service_status(SERVICE).process()
        if process is None:
            raise DrillError("the server ended before the fault")
        result.state, result.started_at = "fault on", time.time()
        os.kill(process.pid, signal.SIGSTOP)
        await self._wait_for_deliveries(stack, receivers, firing=True, since=result.started_at)
        result.state, result.notified_at = "notified", time.time()
        result.problems += await self._drill.recover(stack)
        await wait_until(
            lambda: _is_up(stack), MARGIN_S, "the server was restarted, and Prometheus cannot scrape it"
        )
        result.state, result.cleared_at = "cleared", time.time()
        await self._wait_for_deliveries(stack, receivers, firing=False, since=result.started_at)
        result.resolved_at = max(time.time(), result.cleared_at)
        status = await stack.run("tallow status")
        if status.status != 0:
            result.problems.append(_describe_failure(status))

    async def _wait_for_deliveries(
        self, stack: NativeStack, receivers: ReceiverSet, *, firing: bool, since: float
    ) -> None:
        """Wait until every destination has the message."""
        rule = alerts.RULES[ALERT]
        expected = {each for each in expected_routing.expected_destinations(rule) if each[0] in _CHANNELS}
        instance = stack.instance_label(SERVICE)

        def delivered() -> bool:
            found = messages.deliveries(receivers.inbox, ALERT, instance, firing=firing, since=since)
            self._result.destinations = tuple(sorted({channel for channel, _ in found}))
            return expected <= found.keys()

        subject = "a page" if firing else "the message about the end"
        unscaled = (
            rule.for_seconds + expected_routing.group_wait(rule) + 2 * expected_routing.group_interval(rule)
        )
        await wait_until(delivered, unscaled * SCALE + MARGIN_S, f"{subject} did not come to every place")


async def _is_up(stack: NativeStack) -> bool:
    return await stack.query(f'up{{job="{SERVICE}"}}') == 1


async def _is_quiet(stack: NativeStack) -> bool:
    return all(alert["labels"]["alertname"] != ALERT for alert in await stack.alerts())


def _confirmation_problems(output: CommandOutput) -> list[str]:
    """What a confirming command of the runbook must show for a server that hangs, and does not."""
    if output.command == "tallow status":
        is_shown = output.status == 1 and re.search(rf"\b{SERVICE} +\d+ +failing\b", output.output)
        return [] if is_shown else [f"`tallow status` does not show that it fails: {output.output.strip()}"]
    return [] if output.status == 0 else [_describe_failure(output)]


def _describe_failure(output: CommandOutput) -> str:
    return f"`{output.command}` ended with {output.status}: {output.output.strip()}"
