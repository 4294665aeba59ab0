"""From series under which an alert fires to a pair just above and just below the condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.stack.prove.witnesses.inputs.series import VariedSeries
from tallow.stack.prove.witnesses.search.objective import Objective
from tallow.stack.prove.witnesses.search.variables import Variable, restore, snapshot, variables_of

_BISECTIONS: Final = 24
_FEWER: Final = 4
"""How many series of several are taken away, one by one; then all but one."""
_NEAR: Final = 0.02
"""The gap between the two values of a pair, as a share of the larger one."""
_PROBES: Final = (
    *((factor, 0.0) for factor in (0.5, 2.0, 0.0)),
    *((1.0, shift) for shift in (-1.0, 1.0)),
    *((factor, 0.0) for factor in (10.0, 0.1, 1000.0, -1.0)),
    *((1.0, shift) for shift in (1000.0, -1000.0, 1e6, -1e6, 1e10, -1e10)),
)
"""Factor and summand of the values that may make an alert quiet."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A variable, and its values on both sides of the condition."""

    variable: Variable
    firing: float
    quiet: float


def edges(objective: Objective) -> list[Edge]:
    """An edge for each variable that decides whether the alert fires. The series are as before."""
    found = []
    for variable in variables_of(objective.plan.series):
        quiet = _quiet_value(objective, variable)
        if quiet is not None:
            found.append(_bisect(objective, variable, quiet))
    return sorted(found, key=_unnatural)


def _unnatural(edge: Edge) -> tuple[bool, bool, float]:
    """A key that sorts edges between values that occur in practice first: not 0, not negative, and near."""
    low, high = sorted((edge.firing, edge.quiet))
    return low < 0, low == 0, (high - low) / max(abs(low), abs(high), 1e-9)


def _quiet_value(objective: Objective, variable: Variable) -> float | None:
    firing = variable.value
    numbers = (factor * number for number in objective.plan.uses.numbers for factor in (0.9, 1.1))
    for value in (*(firing * factor + shift for factor, shift in _PROBES), *numbers):
        if variable.move(value):
            quiet, found = variable.value, objective.is_quiet()
            variable.move(firing)
            if found:
                return quiet
    return None


def _bisect(objective: Objective, variable: Variable, far: float) -> Edge:
    start = firing = variable.value
    quiet = far
    for _ in range(_BISECTIONS):
        middle = _middle(firing, quiet)
        if middle is None or not variable.move(middle) or variable.value in (firing, quiet):
            break
        if objective.distance() == 0:
            firing = variable.value
        elif objective.is_quiet():
            quiet = variable.value
        else:
            break
    variable.move(start)
    if quiet == far == 0 or firing == start == 0:
        # The edge is 0, or the alert fires for a single value: the values found first are as near as any.
        return Edge(variable, start, far)
    return _apart(objective, variable, firing, quiet)


def _apart(objective: Objective, variable: Variable, firing: float, quiet: float) -> Edge:
    """Two values moved apart, so that none lies on the edge itself, where rounding decides."""
    start, shift = variable.value, (firing - quiet) / 2
    if variable.move(quiet - shift) and objective.is_quiet():
        quiet = variable.value
    if variable.move(firing + shift) and not objective.distance():
        firing = variable.value
    variable.move(start)
    return Edge(variable, firing, quiet)


def _middle(firing: float, quiet: float) -> float | None:
    """A round value between two; None if they are near enough."""
    if abs(firing - quiet) <= _NEAR * max(abs(firing), abs(quiet)):
        return None
    middle = (firing + quiet) / 2
    rounded = float(f"{middle:.3g}")
    return rounded if min(firing, quiet) < rounded < max(firing, quiet) else middle


def quiet_without_numbers(objective: Objective) -> bool:
    """Make an alert quiet that no value decides on: take a series away, or add an absent one.

    Returns:
        Whether the alert is quiet now.
    """
    objective.rebuild()
    for series in objective.plan.series:
        for copies in sorted({*range(series.copies - _FEWER, series.copies), 1}, reverse=True):
            if copies < 1:
                continue
            kept = snapshot(objective.plan.series)
            _toggle(series, copies)
            objective.rebuild()
            if objective.is_quiet():
                return True
            list(restore(kept))
            objective.rebuild()
    return False


def _toggle(series: VariedSeries, copies: int) -> None:
    if series.copies > 1:
        series.copies = copies
    elif series.shape in ("line", "counter"):
        series.shape = "absent"
    else:
        series.shape = "counter" if series.cumulative else "line"
    series.build()
