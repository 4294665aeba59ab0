"""Search of shapes: series that vanish, step or alternate, and several series instead of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from tallow.stack.prove.witnesses.evaluation.signal import Shape
from tallow.stack.prove.witnesses.inputs.plan import Plan
from tallow.stack.prove.witnesses.inputs.series import VariedSeries
from tallow.stack.prove.witnesses.search.objective import Objective
from tallow.stack.prove.witnesses.search.variables import (
    restore,
    search_numbers,
    snapshot,
    start_quiet,
    variables_of,
)

Change = Callable[[], None]
MOST_COPIES = 300
"""Series of a kind."""
_ROUNDS = 2
_RARE_COUNTS = (10, 40)


def search(objective: Objective) -> float:
    """Change the series of a plan until the alert fires.

    Returns:
        The distance that is left; 0 if the alert fires.

    Raises:
        SearchTimeError: the time is used up.
    """
    plan = objective.plan
    start_quiet(objective, variables_of(plan.series), plan.uses.numbers)
    best = _search_numbers(objective)
    for _ in range(0 if plan.numbers_only else _ROUNDS):
        before = best
        for change in _changes(plan):
            if not best:
                return best
            best = _try_change(objective, change, best)
        if best >= before:
            break
    for change in () if plan.numbers_only else _rare_changes(plan):
        if not best:
            return best
        best = _try_change(objective, change, best)
    return best


def _search_numbers(objective: Objective) -> float:
    plan = objective.plan
    return search_numbers(objective, variables_of(plan.series), plan.uses.numbers)


def _try_change(objective: Objective, change: Change, best: float) -> float:
    """Change the structure, and take it back if the search of numbers is not better then."""
    kept = snapshot(objective.plan.series)
    change()
    objective.rebuild()
    distance = _search_numbers(objective)
    if distance < best:
        return distance
    list(restore(kept))
    objective.rebuild()
    return best


def _changes(plan: Plan) -> Iterator[Change]:
    for series in plan.series:
        for shape in series.shapes():
            if shape != series.shape:
                yield _Shape(series, shape)
    for count in _counts(plan):
        yield from _copies(plan, count, [{}])


def _copies(plan: Plan, count: int, values: Sequence[Mapping[str, float]]) -> Iterator[Change]:
    """Several series instead of one, with each of some values."""
    for series in plan.series:
        if not series.edges and not _is_pinned_alone(series):
            for label in _copy_labels(series, plan):
                examples = tuple(plan.uses.examples.get(label, ()))
                yield from (_Copies(series, count, label, examples, each) for each in values)


def _rare_changes(plan: Plan) -> Iterator[Change]:
    """Shapes that are rare in practice, and more series."""
    for series in plan.series:
        for shape in series.rare_shapes():
            yield _Shape(series, shape, {"later_slope": 1.0} if series.edges else {"period": 6.0})
        if "bend" in series.shapes():
            yield from _bends(series)
    for count in _RARE_COUNTS:
        yield from _copies(plan, count, [{}, {"level": 0.0, "spread": 1.0}])


def _bends(series: VariedSeries) -> Iterator[Change]:
    """A fall after a rise, and a rise after a fall."""
    for sign in (1.0, -1.0):
        for event in range(len(series.timing.events)):
            yield _Shape(series, "bend", {"slope": sign, "later_slope": -sign, "event": float(event)})


def _is_pinned_alone(series: VariedSeries) -> bool:
    return series.shape == "absent"


def _counts(plan: Plan) -> list[int]:
    numbers = [int(number) for number in plan.uses.numbers if 0 < number < MOST_COPIES - 2]
    exact = [number for number in numbers if number > 1]
    return [*sorted({2, *(number + 2 for number in numbers)})[:6], *sorted(exact)[:3]]


def _copy_labels(series: VariedSeries, plan: Plan) -> list[str]:
    free = [label for label in ("instance", "replica") if label not in series.labels]
    grouped = [label for label in plan.uses.labels if series.labels.get(label, "") == f"{label}-1"]
    return [*free[:1], *grouped[:4], *(label for label in plan.uses.examples if label in series.labels)]


class _Shape:
    def __init__(
        self, series: VariedSeries, shape: Shape, values: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        self._series, self._shape, self._values = series, shape, values

    def __call__(self) -> None:
        kept = ("place", "slope", "level") if self._series.edges else ("level",)
        self._series.values = {**{name: self._series.get(name) for name in kept}, **self._values}
        self._series.shape = self._shape
        self._series.build()


class _Copies:
    def __init__(
        self,
        series: VariedSeries,
        count: int,
        label: str,
        copy_values: tuple[str, ...],
        values: Mapping[str, float],
    ) -> None:
        self._series, self._count, self._label = series, count, label
        self._copy_values, self._values = copy_values, values

    def __call__(self) -> None:
        self._series.copies, self._series.copy_label = self._count, self._label
        self._series.copy_values = self._copy_values
        self._series.values.update(self._values)
        self._series.build()
