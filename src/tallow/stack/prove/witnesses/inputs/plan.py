"""A set of input series and times for one expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.inputs.labels import STRATEGIES, LabelStrategy, series_labels
from tallow.stack.prove.witnesses.inputs.series import VariedSeries, series_of
from tallow.stack.prove.witnesses.inputs.timing import Timing, timing_of
from tallow.stack.prove.witnesses.inputs.uses import Uses, uses_of

_LATER = (0.0, 6 * 3600.0, 12 * 3600.0, 18 * 3600.0, *(day * 86_400.0 for day in (1, 2, 3, 4, 5, 6, 15, 28)))


@dataclass(slots=True)
class Plan:
    """The series with which a search starts."""

    series: list[VariedSeries]
    timing: Timing
    uses: Uses


def plans(tree: ast.Expr, hold: float, recordings: Recordings) -> Iterator[Plan]:
    """The plans for an expression, the most natural first.

    Args:
        hold: the ``for`` of the rule in seconds.

    Raises:
        UnsupportedError: the expression has a limit in the way.
        ContradictionError: the matchers of a selector exclude each other.
    """
    uses = uses_of(tree, recordings)
    seen = set()
    for later in _LATER if uses.dates else (0.0,):
        timing = timing_of(tree, hold, recordings, later)
        for strategy in STRATEGIES:
            series = _merged(uses, strategy, timing)
            identity = later, tuple(sorted((each.metric, *sorted(each.labels.items())) for each in series))
            if identity not in seen:
                seen.add(identity)
                yield Plan(series, timing, uses)


def _merged(uses: Uses, strategy: LabelStrategy, timing: Timing) -> list[VariedSeries]:
    """The series of all selectors; those with the same name and labels are one."""
    found: dict[object, VariedSeries] = {}
    for use, labels in series_labels(uses, strategy):
        one = series_of(use, labels, uses, timing)
        key = one.metric, frozenset(labels.items())
        known = found.get(key)
        if known is None or _rank(one) > _rank(known):
            found[key] = one
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
        owner.edges = tuple(sorted({*owner.edges, float(one.labels["le"])}))
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
