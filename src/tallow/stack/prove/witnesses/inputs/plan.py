"""A set of input series and times for one expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.evaluation.range_functions import COMPUTE
from tallow.stack.prove.witnesses.inputs.arms import Arm
from tallow.stack.prove.witnesses.inputs.dates import DATES, later_dates
from tallow.stack.prove.witnesses.inputs.labels import STRATEGIES, LabelStrategy, series_labels
from tallow.stack.prove.witnesses.inputs.series import VariedSeries, series_of
from tallow.stack.prove.witnesses.inputs.timing import Timing, timing_of
from tallow.stack.prove.witnesses.inputs.uses import Uses, uses_of

_LONGEST_S: Final = 90 * 86_400.0

_SAMPLES_OF_DATES: Final = 16.0
"""In four minutes: the condition may hold for a few minutes only."""
_LATE_S: Final = 10 * 86_400.0
_LATE_INTERVAL_S: Final = 240.0


@dataclass(slots=True)
class Plan:
    """The series with which a search starts.

    Attributes:
        numbers_only: whether the search leaves the shapes as they are.
    """

    series: list[VariedSeries]
    timing: Timing
    uses: Uses
    numbers_only: bool = False


def plans(tree: ast.Expr, hold: float, recordings: Recordings, arm: Arm) -> Iterator[Plan]:
    """The plans for an expression, the most natural first.

    Args:
        hold: the ``for`` of the rule in seconds.
        arm: the operands of ``or`` that are to have the result.

    Raises:
        UnsupportedError: the expression has a limit in the way.
        ContradictionError: the matchers of a selector exclude each other.
    """
    yield from _plans_of(uses_of(tree, recordings, arm), tree, hold, recordings)
    if arm:
        # If other operands of ``or`` would fire without their series, these have to be there.
        uses = uses_of(tree, recordings, arm)
        uses.present = uses_of(tree, recordings, {}).selectors
        yield from _plans_of(uses, tree, hold, recordings)


def _plans_of(uses: Uses, tree: ast.Expr, hold: float, recordings: Recordings) -> Iterator[Plan]:
    seen = set()
    for timing in _timings(tree, hold, recordings, uses):
        for strategy in STRATEGIES:
            series = _merged(uses, strategy, timing)
            identity = timing, tuple(sorted((each.metric, *sorted(each.labels.items())) for each in series))
            if identity not in seen:
                seen.add(identity)
                yield Plan(series, timing, uses, numbers_only=bool(uses.functions & DATES))


def _timings(tree: ast.Expr, hold: float, recordings: Recordings, uses: Uses) -> Iterator[Timing]:
    """The times to try: the usual ones, and others if the expression looks at the clock or counts samples."""
    yield timing_of(tree, hold, recordings)
    if uses.functions & DATES:
        yield from _timings_of_dates(tree, hold, recordings, uses)
    elif uses.time:
        # A test starts at the time 0: a timestamp above 0 that is an hour old needs a later evaluation.
        for seconds in _ages(uses.numbers):
            yield timing_of(tree, hold, recordings, later=seconds)
    if "timestamp" in uses.functions:
        yield timing_of(tree, hold, recordings, samples=_SAMPLES_OF_DATES)
    if uses.functions & COMPUTE.keys():
        for divisor in (12.0, 40.0):
            yield timing_of(tree, hold, recordings, samples=divisor)


def _timings_of_dates(tree: ast.Expr, hold: float, recordings: Recordings, uses: Uses) -> Iterator[Timing]:
    first = timing_of(tree, hold, recordings, samples=_SAMPLES_OF_DATES).evaluations[-1]
    for seconds in later_dates(uses, first):
        timing = timing_of(tree, hold, recordings, later=seconds, samples=_SAMPLES_OF_DATES)
        yield timing if seconds < _LATE_S or timing.ranges else replace(timing, interval=_LATE_INTERVAL_S)


def _ages(numbers: set[float]) -> list[float]:
    products = {one * other for one in numbers for other in (*numbers, 1.0)}
    return sorted(1.2 * age for age in products if 60 < age * 1.2 < _LONGEST_S)[-4:]


def _merged(uses: Uses, strategy: LabelStrategy, timing: Timing) -> list[VariedSeries]:
    """The series of all selectors; those with the same name and labels are one."""
    found: dict[object, VariedSeries] = {}
    for use, labels in series_labels(uses, strategy):
        one = series_of(use, labels, uses, timing)
        key = one.metric, frozenset(labels.items())
        known = found.get(key)
        if known is None or _rank(one) > _rank(known):
            found[key] = one
    for use, labels in series_labels(replace(uses, selectors=list(uses.present)), strategy):
        one = series_of(replace(use, functions=()), labels, uses, timing)
        found.setdefault((one.metric, frozenset(labels.items())), one)
    return _with_pinned_edges(list(found.values()))


_SHAPE_RANK = ("absent", "line", "alternating", "sawtooth", "counter")


def _rank(series: VariedSeries) -> tuple[bool, int]:
    return bool(series.edges), _SHAPE_RANK.index(series.shape)


def _with_pinned_edges(series: list[VariedSeries]) -> list[VariedSeries]:
    """Make a bucket that a matcher names one of its histogram, if the histogram is there."""
    kept = []
    for one in series:
        owner = next((other for other in series if _is_bucket_of(one, other)), None)
        if owner is None:
            kept.append(one)
            continue
        pinned = one.labels["le"]
        others = [edge for edge in owner.edges if float(edge) != float(pinned)]
        owner.edges = tuple(sorted([*others, pinned], key=float))
        owner.build()
    return kept


def _is_bucket_of(one: VariedSeries, other: VariedSeries) -> bool:
    if not other.edges or one.metric != other.metric or "le" not in one.labels:
        return False
    try:
        float(one.labels["le"])
    except ValueError:
        return False
    return {**one.labels, "le": ""} == {**other.labels, "le": ""}
