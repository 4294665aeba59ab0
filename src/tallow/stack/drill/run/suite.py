"""Run many drills at once: one stack per profile, with several drills on each."""

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
from tallow.stack.drill.run import hung_server, runner, watchdog_runner
from tallow.stack.drill.run.hung_server import HungServerDrill, HungServerRunner
from tallow.stack.drill.run.model import Drill
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.run.runner import DrillRunner
from tallow.stack.drill.run.watchdog_runner import WatchdogRunner

JOBS: Final = 16
"""How many drills run at the same time by default."""


class DrillSuite:
    """A set of drills.

    Args:
        drills: drills of alerts.
        root: the folder for their data and logs.
        jobs: how many run at the same time.
        rule_groups: the rules that are drilled, as they are shipped.
        hung_server_drills: drills of a server that hangs.

    Attributes:
        results: by alert or drill; updated while the drills run.
    """

    def __init__(
        self,
        drills: Sequence[Drill],
        root: Path,
        *,
        jobs: int = JOBS,
        rule_groups: Groups = alerts.GROUPS,
        hung_server_drills: Sequence[HungServerDrill] = (),
    ) -> None:
        self._root, self._rule_groups = root, rule_groups
        self._hung_server_drills = hung_server_drills
        rules = {rule.name: rule for group in rule_groups.values() for rule in group}
        self._drills = sorted(
            drills, key=lambda drill: _estimated_seconds(drill, rules[drill.alert]), reverse=True
        )
        self.results = {drill.alert: runner.new_result(drill, rules[drill.alert]) for drill in self._drills}
        self.results |= {drill.name: hung_server.new_result(drill) for drill in hung_server_drills}
        self._job_limit = asyncio.Semaphore(jobs)
        self._start_limit = asyncio.Semaphore(os.cpu_count() or 1)

    async def run(self) -> Mapping[str, DrillResult]:
        """Run all drills and return their results."""
        profiles = {drill.profile.name: drill.profile for drill in self._drills}
        async with asyncio.TaskGroup() as group:  # noqa: TID251 - drills report their errors
            for profile in profiles.values():
                group.create_task(self._run_profile(profile), name=profile.name)
            group.create_task(self._run_hung_server_drills(), name=hung_server.PROFILE_NAME)
        return self.results

    async def _run_profile(self, profile: DrillProfile) -> None:
        """Start the stack of a profile and run its drills on it."""
        drills = [drill for drill in self._drills if drill.profile == profile]
        turn = asyncio.Lock() if profile.sequential else None
        try:
            async with (
                drill_environment(profile, self._root, self._rule_groups) as environment,
                observe_alerts(environment) as observer,
                asyncio.TaskGroup() as group,  # noqa: TID251 - as above
            ):
                for drill in drills:
                    result = self.results[drill.alert]
                    drill_runner = (
                        WatchdogRunner(environment, result)
                        if drill.alert == watchdog_runner.ALERT
                        else DrillRunner(drill, environment, observer, result, self._start_limit)
                    )
                    group.create_task(self._run_drill(drill_runner, turn), name=drill.alert)
        except DrillError as error:
            for drill in drills:
                result = self.results[drill.alert]
                if not result.is_finished:
                    result.problems.append(str(error))
                    result.finish()

    async def _run_hung_server_drills(self) -> None:
        """Run the drills of a server that hangs one after the other: each starts a complete stack."""
        for drill in self._hung_server_drills:
            async with self._job_limit:
                await HungServerRunner(drill, self._root / drill.name, self.results[drill.name]).run()

    async def _run_drill(self, drill_runner: DrillRunner | WatchdogRunner, turn: asyncio.Lock | None) -> None:
        async with turn or nullcontext(), self._job_limit:
            await drill_runner.run()


def _estimated_seconds(drill: Drill, rule: Rule) -> float:
    """About how long a drill takes; the longest ones start first."""
    longest_window = max(rule.windows.values(), default=0)
    unscaled = 2 * longest_window + rule.for_seconds + rule.guard_seconds
    return drill.fault_seconds + unscaled * drill.profile.scale
