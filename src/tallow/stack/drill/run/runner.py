"""Run one drill: wait until the alert is quiet, inject the fault, follow the alert until it is resolved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import websockets

from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.rule import Rule
from tallow.stack.drill.environment.alert_observer import AlertObserver
from tallow.stack.drill.environment.scaled_rules import scaled_values
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.receivers.message import ReceivedMessage
from tallow.stack.drill.run.model import Drill, DrillContext, wait_until
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.verify import expected_routing, messages
from tallow.stack.drill.verify.expected_routing import Destination
from tallow.stack.drill.verify.runbook_logs import DrillLogs, commands_without_output, leads_to

MARGIN_S = 45.0
"""Seconds added to every time limit: a small machine runs many drills at once."""
ALWAYS_FIRING = frozenset({"NoActiveConnections", "Watchdog"})
"""Alerts that fire on every idle server."""


def new_result(drill: Drill, rule: Rule, scale: float | None = None) -> DrillResult:
    """The result of a drill that has not started."""
    scale = scale or drill.profile.scale
    min_latency = drill.profile.interval + (rule.for_seconds + expected_routing.group_wait(rule)) * scale
    return DrillResult(
        rule.name, drill.fault, drill.profile.name, scale, min_latency, scaled_values(rule, scale)
    )


class DrillRunner:
    """Runs one drill.

    Args:
        result: updated while the drill runs.
        start_limit: how many servers may start at the same time.
    """

    def __init__(
        self,
        drill: Drill,
        environment: DrillEnvironment,
        observer: AlertObserver,
        result: DrillResult,
        start_limit: asyncio.Semaphore,
    ) -> None:
        self._drill, self._environment, self._observer, self._result = drill, environment, observer, result
        self._start_limit = start_limit
        self._rule = next(
            rule for rules in environment.rule_groups.values() for rule in rules if rule.name == drill.alert
        )
        self._destinations = expected_routing.expected_destinations(self._rule)
        self._server = environment.create_server(drill.alert, drill.server_settings)
        self._context = DrillContext(environment, observer, self._server)
        self._instance = drill.instance_label(environment) if drill.instance_label else self._server.target

    async def run(self) -> None:
        """Run the drill to its end. Errors become problems of the result."""
        result = self._result
        try:
            await self._run()
        except DrillError as error:
            result.problems.append(str(error))
        except (httpx.HTTPError, OSError, websockets.WebSocketException) as error:
            result.problems.append(f"{result.state}: {type(error).__name__}: {error}")
        finally:
            await self._context.setup_stack.aclose()
            await self._context.cleanup.aclose()
            self._environment.remove_target(self._server.target)
            await self._server.close()
        result.finish()

    async def _run(self) -> None:
        result, drill, context = self._result, self._drill, self._context
        await self._prepare()
        context.mark_fault_start()
        result.state, result.started_at = "fault on", context.fault_started_at
        async with drill.inject(context):
            result.started_at = context.fault_started_at
            await self._wait_for_notifications()
            if drill.check:
                result.problems += await drill.check(context)
            result.state, result.cleared_at = "cleared", time.time()
        for server in context.extra_servers:
            self._environment.remove_target(server.target)
        await self._wait_until_resolved(result.cleared_at)
        self._check_side_effects()

    async def _prepare(self) -> None:
        """Start the server and see that the alert is quiet."""
        result, drill = self._result, self._drill
        result.state = "starting"
        async with self._start_limit:
            await self._server.start()
        if drill.setup:
            await self._context.setup_stack.enter_async_context(drill.setup(self._context))
        self._environment.add_target(self._server.target)
        await self._environment.wait_until_scraped(self._server.target)
        result.state = "quiet"
        await self._wait_for_startup_grace()
        if self._observer.current(drill.alert, self._instance):
            raise DrillError("the alert was pending or firing before the fault")

    async def _wait_for_startup_grace(self) -> None:
        """Wait until the rule counts on the server: the startup grace is no part of the latency."""
        profile = self._environment.profile
        left = self._server.ready_at + self._rule.guard_seconds * profile.scale - time.time()
        await asyncio.sleep(max(0.0, left) + profile.interval)

    async def _wait_for_notifications(self) -> None:
        """Wait until the alert is pending, then firing, then at every destination."""
        rule, result, scale = self._rule, self._result, self._environment.profile.scale
        longest_window = _longest_window(rule) * scale
        await wait_until(
            lambda: self._observer.current(rule.name, self._instance),
            2 * longest_window + MARGIN_S + self._drill.fault_seconds,
            "the condition of the rule did not hold",
        )
        result.state = "pending"
        await wait_until(
            self._is_firing,
            2 * rule.for_seconds * scale + longest_window + MARGIN_S,
            "it was pending and did not fire",
        )
        result.state = "firing"
        since = self._context.fault_started_at
        limit = expected_routing.group_wait(rule) * scale + MARGIN_S
        await self._wait_for_deliveries(firing=True, seconds=limit, since=since)
        result.state, result.notified_at = "notified", self._last_first_delivery(firing=True, since=since)
        self._check_messages(since)
        self._check_runbook(since)

    def _check_runbook(self, since: float) -> None:
        """Add the runbook's log commands that print nothing to the problems, or a cause that none prints."""
        logs = DrillLogs(self._server.folder / "server.log", self._environment.home.logs, since)
        silent = commands_without_output(self._rule.name, logs)
        self._result.problems += [f"a command of the runbook prints nothing: {line}" for line in silent]
        cause = self._drill.cause
        if cause is not None and not leads_to(self._rule.name, cause, logs):
            self._result.problems.append(
                f"no command of the runbook prints the record of the cause ({cause.error})"
            )

    def _is_firing(self) -> bool:
        timeline = self._observer.current(self._rule.name, self._instance)
        if timeline is None:
            return False
        self._result.pending_at, self._result.firing_at = timeline.pending_at, timeline.firing_at
        return timeline.firing_at is not None

    async def _wait_until_resolved(self, cleared_at: float) -> None:
        """Wait until every destination has the notification of the end."""
        rule, scale = self._rule, self._environment.profile.scale
        longest_window = _longest_window(rule)
        limit = (3 * longest_window + 2 * expected_routing.group_interval(rule)) * scale + MARGIN_S
        await self._wait_for_deliveries(firing=False, seconds=limit, since=cleared_at)
        self._result.resolved_at = self._last_first_delivery(firing=False, since=cleared_at)

    async def _wait_for_deliveries(self, *, firing: bool, seconds: float, since: float) -> None:
        """Wait until every expected destination has a message.

        Raises:
            DrillError: one has none in time. The text names it, and what arrived elsewhere or was rejected.
        """

        def missing() -> list[str]:
            delivered = self._deliveries(firing=firing, since=since)
            return [
                _describe_destination(destination)
                for destination, count in self._destinations.items()
                if delivered[destination] < (count if firing else 1)
                and not (firing and destination in self._drill.unreachable)
            ]

        try:
            await wait_until(lambda: not missing(), seconds, "")
        except DrillError:
            event = "it fired, but no page came to" if firing else "it ended, but no message about it came to"
            unexpected, rejected = self._unexpected_destinations(since), self._rejections(since)
            raise DrillError(
                f"{event} {', '.join(missing())} within {seconds:.0f} s"
                + (f"; it went to {', '.join(unexpected)}" if unexpected else "")
                + (f"; refused: {', '.join(rejected)}" if rejected else "")
            ) from None

    def _deliveries(self, *, firing: bool, since: float) -> dict[Destination, int]:
        inbox = self._environment.receivers.inbox
        return messages.deliveries(inbox, self._rule.name, self._instance, firing=firing, since=since)

    def _messages(self, *, firing: bool, since: float) -> Iterator[ReceivedMessage]:
        """The messages about this drill's alert that were received since a time."""
        for message in self._environment.receivers.inbox.messages:
            if (
                message.firing == firing
                and message.received_at >= since
                and messages.concerns(message, self._rule.name, self._instance)
            ):
                yield message

    def _last_first_delivery(self, *, firing: bool, since: float) -> float:
        """The time at which the last destination got its first message."""
        first: dict[Destination, float] = {}
        for message in self._messages(firing=firing, since=since):
            first.setdefault((message.channel, message.target), message.received_at)
        self._result.destinations = tuple(sorted(map(_describe_destination, first)))
        return max(first.values())

    def _check_messages(self, since: float) -> None:
        """Add what is wrong with the content of the messages to the problems."""
        timeline = self._observer.current(self._rule.name, self._instance)
        if timeline is None:
            return
        problems = self._result.problems
        for message in self._messages(firing=True, since=since):
            for problem in messages.message_problems(message, self._rule, timeline):
                if problem not in problems:
                    problems.append(problem)

    def _unexpected_destinations(self, since: float) -> list[str]:
        delivered = self._deliveries(firing=True, since=since)
        return sorted(_describe_destination(each) for each in delivered if each not in self._destinations)

    def _rejections(self, since: float) -> list[str]:
        rejections = self._environment.receivers.inbox.rejections
        return sorted({f"{each.channel} {each.reply}" for each in rejections if each.rejected_at >= since})

    def _check_side_effects(self) -> None:
        """Add unexpected destinations and unexpected alerts of this server to the problems."""
        if unexpected := self._unexpected_destinations(self._result.started_at or 0.0):
            self._result.problems.append(
                f"it also went to {', '.join(unexpected)}, which is not its receiver"
            )
        expected = {self._rule.name, *self._drill.also_fires, *ALWAYS_FIRING}
        if others := self._observer.fired_alerts.get(self._server.target, set()) - expected:
            self._result.problems.append(f"the fault also raised {', '.join(sorted(others))}")


def _longest_window(rule: Rule) -> float:
    """The longest window in seconds. That of low traffic is left out: a few events raise and
    end its alerts.
    """
    return max(
        (length for name, length in rule.windows.items() if name not in low_traffic.WINDOWS), default=0
    )


def _describe_destination(destination: Destination) -> str:
    channel, target = destination
    return target.partition("@")[0] + " by e-mail" if channel == "email" else channel
