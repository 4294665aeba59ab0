"""Search of numbers: the alternating variable method.

Source: B. Korel, Automated Software Test Data Generation, IEEE Transactions on Software Engineering, 1990.
One variable at a time is moved while that brings the expression nearer to a result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallow.stack.prove.witnesses.evaluation.vector import STRUCTURAL
from tallow.stack.prove.witnesses.inputs.series import VariedSeries
from tallow.stack.prove.witnesses.search.objective import Objective

_ROUNDS = 6
_DOUBLINGS = 60
_FACTORS = (1.0, 1.5, 0.5, -1.0, 10.0, 0.1)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of one of the series."""

    series: VariedSeries
    name: str

    @property
    def value(self) -> float:
        return self.series.get(self.name)

    def move(self, value: float) -> bool:
        """Change it to the nearest value allowed; False if that is the one it has."""
        allowed = self.series.allowed(self.name, value)
        if allowed == self.value:
            return False
        self.series.set(self.name, allowed)
        return True


@dataclass(frozen=True, slots=True)
class Together:
    """The variables of several series that are moved to the same value."""

    variables: tuple[Variable, ...]

    @property
    def value(self) -> float:
        return self.variables[0].value

    def move(self, value: float) -> bool:
        """Change all; False if none has changed."""
        moved = [variable.move(value) for variable in self.variables]
        return any(moved)


Moved = Variable | Together


def variables_of(series: Iterable[VariedSeries]) -> list[Variable]:
    """All variables."""
    return [Variable(each, name) for each in series for name in each.variables()]


def _together(variables: Sequence[Variable]) -> list[Together]:
    """The variables of the same kind of all series: some conditions hold only if several values are equal."""
    kinds = {"level", "slope"}
    groups = (tuple(one for one in variables if one.name == kind) for kind in sorted(kinds))
    return [Together(group) for group in groups if len(group) > 1]


def search_numbers(objective: Objective, variables: list[Variable], numbers: Iterable[float]) -> float:
    """Move the variables until the alert fires or no move helps.

    Args:
        numbers: constants of the expression, around which values are tried first.

    Returns:
        The distance that is left.

    Raises:
        SearchTimeError: the time is used up.
    """
    seeds = _seeds(numbers, objective.plan.timing.end)
    best = objective.distance()
    for _ in range(_ROUNDS):
        before = best
        for variable in variables:
            if not best:
                return best
            best = _try_values(objective, variable, seeds, best)
            best = _follow(objective, variable, best)
        if best >= before:
            best = _try_together(objective, variables, seeds, best)
        if best >= before:
            break
    return best


def _try_together(
    objective: Objective, variables: Sequence[Variable], seeds: Iterable[float], best: float
) -> float:
    for group in _together(variables):
        kept = [variable.value for variable in group.variables]
        nearest = _try_values(objective, group, seeds, best)
        if nearest >= best:
            for variable, value in zip(group.variables, kept, strict=True):
                variable.move(value)
        best = nearest
    return best


def start_quiet(objective: Objective, variables: Sequence[Variable], numbers: Iterable[float]) -> None:
    """If the alert fires with the first values, take others with which it is quiet, if some are found.

    The search then ends next to the condition, and not far inside.
    """
    if not variables or objective.distance():
        return
    for group in _together(variables) or [Together((variable,)) for variable in variables]:
        if _move_to_quiet(objective, group, numbers):
            return


def _move_to_quiet(objective: Objective, group: Together, numbers: Iterable[float]) -> bool:
    """Move variables to a value with which the alert is quiet; False if none was found."""
    kept = [variable.value for variable in group.variables]
    for value in _seeds([*numbers, *(1.1 * number for number in numbers), 7.0], objective.plan.timing.end):
        group.move(value)
        if 0 < objective.distance() < STRUCTURAL:
            return True
    for variable, old in zip(group.variables, kept, strict=True):
        variable.move(old)
    return False


def _seeds(numbers: Iterable[float], end: float) -> list[float]:
    found = [0.0, 1.0]
    for number in sorted(numbers, key=abs):
        found += [number * factor for factor in _FACTORS]
    return list(dict.fromkeys([*found, end, -end]))[:60]


def _try_values(objective: Objective, variable: Moved, values: Iterable[float], best: float) -> float:
    kept = variable.value
    for value in values:
        if best and variable.move(value):
            distance = objective.distance()
            if distance < best:
                best, kept = distance, variable.value
    variable.move(kept)
    return best


def _follow(objective: Objective, variable: Variable, best: float) -> float:
    """Move on in a direction that helps, ever faster, and to where a straight line would end."""
    if not best:
        return best
    for direction in (1.0, -1.0):
        step = direction * max(abs(variable.value) * 0.1, 0.01)
        for _ in range(_DOUBLINGS):
            start, distance = variable.value, best
            if not variable.move(start + step):
                break
            best = min(best, _better(objective, variable, start, distance))
            if variable.value == start or not best:
                break
            best = _zero_of_line(objective, variable, start, distance, best)
            step *= 2
    return best


def _better(objective: Objective, variable: Variable, start: float, best: float) -> float:
    """The distance after a move, which is taken back if it does not help."""
    distance = objective.distance()
    if distance < best:
        return distance
    variable.move(start)
    return best


def _zero_of_line(
    objective: Objective, variable: Variable, start: float, before: float, best: float
) -> float:
    """Try the value at which the distance would be 0 if it fell in a straight line."""
    gap, gap_before = math.expm1(min(best, 700)), math.expm1(min(before, 700))
    if not best or gap >= gap_before or math.isinf(gap_before):
        return best
    here = variable.value
    for overshoot in (1.0, 1.2):
        if best and variable.move(start + (here - start) * gap_before / (gap_before - gap) * overshoot):
            best = _better(objective, variable, here, best)
    return best


def snapshot(series: Iterable[VariedSeries]) -> list[tuple[VariedSeries, VariedSeries]]:
    """Copies of the series, to restore them."""
    return [(each, _copy(each)) for each in series]


def _copy(one: VariedSeries) -> VariedSeries:
    return VariedSeries(
        one.metric,
        one.labels,
        one.shape,
        one.timing,
        one.edges,
        one.cumulative,
        dict(one.values),
        one.copies,
        one.copy_label,
        one.copy_values,
    )


def restore(kept: Iterable[tuple[VariedSeries, VariedSeries]]) -> Iterator[VariedSeries]:
    """Give series their former state. Yields those that were changed."""
    for series, former in kept:
        series.shape, series.values = former.shape, dict(former.values)
        series.copies, series.copy_label = former.copies, former.copy_label
        series.copy_values = former.copy_values
        series.build()
        yield series
