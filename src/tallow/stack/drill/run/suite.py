"""Many drills at once: a stack for each track, and as many drills on it as the machine bears."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from tallow.stack import alerts
from tallow.stack.alerts import Groups
from tallow.stack.alerts.rule import Rule
from tallow.stack.drill.environment.alert_observer import observe_alerts
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import drill_environment
from tallow.stack.drill.run import hung_server as hung
from tallow.stack.drill.run import watchdog_runner
from tallow.stack.drill.run.hung_server import HungServerDrill, HungServerRunner
from tallow.stack.drill.run.model import Drill
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.run.runner import DrillRunner, new_result
from tallow.stack.drill.run.watchdog_runner import WatchdogRunner

JOBS: Final = 16
"""Drills at the same time, where nothing else is asked for."""


class DrillSuite:
    """A set of drills.

    Args:
        drills: which of the drills of alerts.
        root: folder for everything that they leave.
        jobs: how many at a time.
        shipped: the rule groups that are drilled.
        hung_server: which of the drills of a server that hangs.
    """

    def __init__(
        self,
        drills: Sequence[Drill],
        root: Path,
        *,
        jobs: int = JOBS,
        shipped: Groups = alerts.GROUPS,
        hung_server: Sequence[HungServerDrill] = (),
    ) -> None:
        self._root, self._shipped = root, shipped
        self._hung_server = hung_server
        rules = {rule.name: rule for group in shipped.values() for rule in group}
        self._drills = sorted(drills, key=lambda drill: _length(drill, rules[drill.alert]), reverse=True)
        self.results = {drill.alert: new_result(drill, rules[drill.alert]) for drill in self._drills}
        self.results |= {drill.name: hung.new_result(drill) for drill in hung_server}
        self._jobs = asyncio.Semaphore(jobs)
        self._starting = asyncio.Semaphore(os.cpu_count() or 1)

    async def run(self) -> Mapping[str, DrillResult]:
        """Run all of them: the results, by alert."""
        tracks = {drill.profile.name: drill.profile for drill in self._drills}
        async with asyncio.TaskGroup() as group:
            for track in tracks.values():
                group.create_task(self._track(track), name=track.name)
            group.create_task(self._hang(), name=hung.PROFILE_NAME)
        return self.results

    async def _track(self, track: DrillProfile) -> None:
        mine = [drill for drill in self._drills if drill.profile == track]
        turn = asyncio.Lock()
        try:
            async with (
                drill_environment(track, self._root, self._shipped) as ground,
                observe_alerts(ground) as observer,
                asyncio.TaskGroup() as group,
            ):
                for drill in mine:
                    result = self.results[drill.alert]
                    runner = (
                        WatchdogRunner(drill, ground, result)
                        if drill.alert == watchdog_runner.ALERT
                        else DrillRunner(drill, ground, observer, result, self._starting)
                    )
                    group.create_task(self._one(runner, turn if track.sequential else None), name=drill.alert)
        except DrillError as error:
            for drill in mine:
                result = self.results[drill.alert]
                if not result.is_finished:
                    result.problems.append(str(error))
                    result.state = "failed"

    async def _hang(self) -> None:
        """The drills of a server that hangs, one after the other: each needs a complete stack."""
        for drill in self._hung_server:
            async with self._jobs:
                await HungServerRunner(drill, self._root / drill.name, self.results[drill.name]).run()

    async def _one(self, runner: DrillRunner | WatchdogRunner, turn: asyncio.Lock | None) -> None:
        async with turn or nullcontext(), self._jobs:
            await runner.run()


def _length(drill: Drill, rule: Rule) -> float:
    """About how long a drill takes: the longest begin first."""
    longest = max(rule.windows.values(), default=0)
    return drill.fault_seconds + (2 * longest + rule.for_seconds + rule.guard_seconds) * drill.profile.scale
