"""How far an expression is from having a result, as a number to minimise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tallow.stack.prove.witnesses.evaluation.database import Database, Stored
from tallow.stack.prove.witnesses.evaluation.model import Context, Evaluate
from tallow.stack.prove.witnesses.evaluation.vector import (
    STRUCTURAL,
    MatchingError,
    least_distance,
)
from tallow.stack.prove.witnesses.inputs.arms import Arm
from tallow.stack.prove.witnesses.inputs.plan import Plan

_NO_SERIES: Final = 10 * STRUCTURAL
_MATCHING: Final = 20 * STRUCTURAL


class SearchTimeError(Exception):
    """The processor time that a rule may use is used up."""


@dataclass(slots=True)
class SearchTime:
    """Seconds of processor time that are left for a rule."""

    left: float

    def use(self, seconds: float) -> None:
        """Use some.

        Raises:
            SearchTimeError: none are left.
        """
        self.left -= seconds
        if self.left < 0:
            raise SearchTimeError


@dataclass(slots=True)
class Objective:
    """Evaluates an expression on the series of a plan."""

    evaluate: Evaluate
    plan: Plan
    time_left: SearchTime
    clock: Callable[[], float]
    arm: Arm
    _database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.rebuild()

    def rebuild(self) -> None:
        """Take up series that were made anew."""
        by_name: dict[str, list[Stored]] = {}
        for series in self.plan.series:
            by_name.setdefault(series.metric, []).extend(series.stored)
        self._database = Database(by_name, self.plan.timing.evaluation_interval)

    def distance(self) -> float:
        """How far the alert is from firing; 0 if it fires.

        Raises:
            SearchTimeError: the time is used up.
        """
        times = self.plan.timing.evaluations
        found = math.fsum(self.distance_at(time, self.arm) for time in times)
        if not found and self.arm:
            found = math.fsum(self.distance_at(time, {}) for time in times)
        if not found and self.plan.timing.ranges:
            found = math.fsum(self._distance_closed(time) for time in times)
        return found

    def _distance_closed(self, time: float) -> float:
        """The distance with ranges that include their start, as those of Prometheus 2."""
        self._database.closed = True
        try:
            return self.distance_at(time, {})
        finally:
            self._database.closed = False

    def distance_at(self, time: float, arm: Arm) -> float:
        """How far the expression is from having a result at a time."""
        started = self.clock()
        try:
            found = least_distance(self.evaluate(Context(self._database, time, arm)))
        except MatchingError:
            found = _MATCHING
        except (ArithmeticError, ValueError):
            found = _NO_SERIES
        self.time_left.use(self.clock() - started)
        return _NO_SERIES if math.isinf(found) or math.isnan(found) else found

    def is_quiet(self) -> bool:
        """Whether the alert does not fire at the end, nor at the times on the way."""
        end = self.plan.timing.end
        times: Sequence[float] = (end, end - self.plan.timing.hold / 2, end - self.plan.timing.hold)
        return all(
            self.distance_at(time, {}) > 0
            and (not self.plan.timing.ranges or self._distance_closed(time) > 0)
            for time in dict.fromkeys(times)
        )
