"""One drill from a quiet alert to a resolved one."""

from __future__ import annotations

import asyncio
import time

import httpx
import websockets

from tallow.stack.alerts.rule import Rule
from tallow.stack.drill.environment.alert_observer import AlertObserver, AlertTimeline
from tallow.stack.drill.environment.scaled_rules import scaled_values
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import Drill, DrillContext, wait_until
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.verify import expected_routing, messages
from tallow.stack.drill.verify.expected_routing import Destination

MARGIN_S = 45.0
"""Patience beyond what must pass: the machine has two cores, and others want them."""
ALWAYS_FIRING = frozenset({"NoActiveConnections", "Watchdog"})
"""What fires on every idle server, and rightly."""


def new_result(drill: Drill, rule: Rule, scale: float | None = None) -> DrillResult:
    """The result of a drill that has not begun."""
    scale = scale or drill.profile.scale
    floor = drill.profile.interval + (rule.for_seconds + expected_routing.group_wait(rule)) * scale
    return DrillResult(rule.name, drill.fault, drill.profile.name, scale, floor, scaled_values(rule, scale))


class DrillRunner:
    """Runs a drill and keeps its result.

    Args:
        starting: how many servers may start at the same time.
    """

    def __init__(
        self,
        drill: Drill,
        ground: DrillEnvironment,
        observer: AlertObserver,
        result: DrillResult,
        starting: asyncio.Semaphore,
    ) -> None:
        self._drill, self._ground, self._observer, self._result = drill, ground, observer, result
        self._starting = starting
        self._rule = next(
            rule for rules in ground.rule_groups.values() for rule in rules if rule.name == drill.alert
        )
        self._places = expected_routing.expected_destinations(self._rule)
        self._instance = ground.create_server(drill.alert, drill.server_settings)
        self._scene = DrillContext(ground, observer, self._instance)
        self._about = drill.instance_label(ground) if drill.instance_label else self._instance.target

    async def run(self) -> None:
        """To the end; what goes wrong is in the result."""
        result = self._result
        try:
            await self._run()
        except DrillError as error:
            result.problems.append(str(error))
        except (httpx.HTTPError, OSError, websockets.WebSocketException, ExceptionGroup) as error:
            result.problems.append(f"{result.state}: {_words(error)}")
        finally:
            await self._scene.setup_stack.aclose()
            await self._scene.cleanup.aclose()
            self._ground.remove_target(self._instance.target)
            await self._instance.close()
        result.state = "failed" if result.problems else "passed"

    async def _run(self) -> None:
        result, drill = self._result, self._drill
        result.state = "starting"
        async with self._starting:
            await self._instance.start()
        if drill.setup:
            await self._scene.setup_stack.enter_async_context(drill.setup(self._scene))
        self._ground.add_target(self._instance.target)
        await self._ground.wait_until_scraped(self._instance.target)
        result.state = "quiet"
        await self._old_enough()
        scene = self._scene
        if self._observer.current(drill.alert, self._about):
            raise DrillError("it was there before the fault")
        scene.mark_fault_start()
        result.state, result.started_at = "fault on", scene.fault_started_at
        async with drill.inject(scene):
            result.started_at = scene.fault_started_at
            await self._raised(scene)
            if drill.check:
                result.problems += await drill.check(scene)
            result.cleared_at = time.time()
            result.state = "healed"
        for other in scene.extra_servers:
            self._ground.remove_target(other.target)
        await self._over()
        self._nothing_else()

    async def _old_enough(self) -> None:
        """The start guard must not count as latency."""
        left = self._instance.ready_at + self._rule.guard_seconds * self._ground.profile.scale - time.time()
        await asyncio.sleep(max(0.0, left) + self._ground.profile.interval)

    async def _raised(self, scene: DrillContext) -> None:
        """Until everybody who must be told has been."""
        rule, result, scale = self._rule, self._result, self._ground.profile.scale
        longest = max(rule.windows.values(), default=0) * scale
        sighting = await wait_until(
            self._sighted,
            2 * longest + MARGIN_S + self._drill.fault_seconds,
            "the condition of the rule did not hold",
        )
        assert isinstance(sighting, AlertTimeline)
        result.state = "pending"

        def fires() -> bool:
            seen = self._observer.current(rule.name, self._about)
            if seen is not None:
                result.pending_at, result.firing_at = seen.pending_at, seen.firing_at
            return seen is not None and seen.firing_at is not None

        await wait_until(
            fires, 2 * rule.for_seconds * scale + longest + MARGIN_S, "it was pending and did not fire"
        )
        result.state = "firing"
        await self._delivered(
            firing=True,
            seconds=expected_routing.group_wait(rule) * scale + MARGIN_S,
            since=scene.fault_started_at,
        )
        result.notified_at = self._last(firing=True, since=scene.fault_started_at)
        result.state = "told"
        self._read(scene.fault_started_at)

    async def _over(self) -> None:
        """Until everybody knows that it is over."""
        rule, result, scale = self._rule, self._result, self._ground.profile.scale
        assert result.cleared_at is not None
        seconds = (
            3 * max(rule.windows.values(), default=0) + 2 * expected_routing.group_interval(rule)
        ) * scale
        await self._delivered(firing=False, seconds=seconds + MARGIN_S, since=result.cleared_at)
        result.resolved_at = self._last(firing=False, since=result.cleared_at)

    async def _delivered(self, *, firing: bool, seconds: float, since: float) -> None:
        """Wait until a message is wherever it must be.

        Raises:
            DrillError: it names where it is not, and what was refused.
        """

        def missing() -> list[str]:
            came = self._came(firing=firing, since=since)
            return [
                _word(place)
                for place, count in self._places.items()
                if came[place] < (count if firing else 1)
                and not (firing and place in self._drill.unreachable)
            ]

        try:
            await wait_until(lambda: not missing(), seconds, "")
        except DrillError:
            what = "it fired, but no page came to" if firing else "healed, but no word of it came to"
            stray = self._stray(since)
            refused = self._refused(since)
            raise DrillError(
                f"{what} {', '.join(missing())} within {seconds:.0f} s"
                + (f"; it went to {', '.join(stray)}" if stray else "")
                + (f"; refused: {', '.join(refused)}" if refused else "")
            ) from None

    def _came(self, *, firing: bool, since: float) -> dict[Destination, int]:
        return messages.deliveries(
            self._ground.receivers.inbox, self._rule.name, self._about, firing=firing, since=since
        )

    def _sighted(self) -> AlertTimeline | None:
        return self._observer.current(self._rule.name, self._about)

    def _last(self, *, firing: bool, since: float) -> float:
        """When the first message had come to each place."""
        first: dict[Destination, float] = {}
        for message in self._ground.receivers.inbox.messages:
            if (
                message.firing == firing
                and message.received_at >= since
                and messages.concerns(message, self._rule.name, self._about)
            ):
                first.setdefault((message.channel, message.target), message.received_at)
        self._result.destinations = tuple(sorted(_word(place) for place in first))
        return max(first.values())

    def _read(self, since: float) -> None:
        """Look at what the messages say."""
        sighting = self._observer.current(self._rule.name, self._about)
        for message in self._ground.receivers.inbox.messages:
            if (
                sighting is not None
                and message.firing
                and message.received_at >= since
                and messages.concerns(message, self._rule.name, self._about)
            ):
                self._result.problems += [
                    problem
                    for problem in messages.message_problems(message, self._rule, sighting)
                    if problem not in self._result.problems
                ]

    def _stray(self, since: float) -> list[str]:
        came = self._came(firing=True, since=since)
        return sorted(_word(place) for place in came if place not in self._places)

    def _refused(self, since: float) -> list[str]:
        refusals = self._ground.receivers.inbox.rejections
        return sorted({f"{one.channel} {one.reply}" for one in refusals if one.rejected_at >= since})

    def _nothing_else(self) -> None:
        """Nobody else was told, and nothing else fired on this server."""
        began = self._result.started_at or 0.0
        if stray := self._stray(began):
            self._result.problems.append(f"it also went to {', '.join(stray)}, which is not its receiver")
        known = {self._rule.name, *self._drill.also_fires, *ALWAYS_FIRING}
        others = self._observer.fired_alerts.get(self._instance.target, set()) - known
        if others:
            self._result.problems.append(f"the fault also raised {', '.join(sorted(others))}")


def _word(place: Destination) -> str:
    channel, target = place
    return target.partition("@")[0] + " by e-mail" if channel == "email" else channel


def _words(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        return _words(error.exceptions[0])
    return f"{type(error).__name__}: {error}"
