"""When the series of a test are sampled, and when the rule is evaluated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import children
from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.evaluation.selectors import name_and_matchers
from tallow.stack.prove.witnesses.evaluation.signal import LOOKBACK_S
from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError

_INTERVALS: Final = (60.0, 30.0, 15.0, 10.0, 5.0, 2.0, 1.0)
_COARSE: Final = (120.0, 240.0, 600.0, 1200.0, 3600.0, 7200.0)
_LONGEST_FOR_INSTANTS_S: Final = 240.0
"""The interval that instant vectors allow: they look back five minutes."""
_MOST_SAMPLES: Final = 2400
"""In the longest range: promtool lets a query load 10,000 samples of all series."""
_MOST_EVALUATIONS: Final = 500
_MOST_DAYS: Final = 100
_DEEPEST: Final = 12
_EARLIER: Final = 4
_SETTLING: Final = 10
"""Samples before the first time that counts: rates need two, and series appear one after the other."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds.

    Attributes:
        interval: between two samples.
        evaluation_interval: between two evaluations of the rules.
        hold: the ``for`` of the rule.
        end: the evaluation at which the alert is to fire.
        after: how far the expression looks into the future.
        ranges: the lengths of the ranges of the expression.
    """

    interval: float
    evaluation_interval: float
    hold: float
    end: float
    after: float = 0.0
    ranges: tuple[float, ...] = ()

    @property
    def evaluations(self) -> tuple[float, ...]:
        """The times at which the condition has to hold: the alert fires some evaluations before the end."""
        before = self.end - self.hold - _EARLIER * self.evaluation_interval
        return (self.end, before)

    @property
    def events(self) -> tuple[float, ...]:
        """When a series can change its course: the condition then holds in all evaluations that count.

        The first is just before them, the others so much earlier that a range sees only what came after, the
        last one so much that an instant vector does.
        """
        last = self.evaluations[-1] - 6 * self.interval
        stale = self.evaluations[-1] - LOOKBACK_S - self.interval
        earlier = *(last - each for each in self.ranges), stale
        return (last, *(time for time in earlier if time > 2 * self.interval))

    @property
    def samples(self) -> int:
        """How many samples a series has."""
        return int((self.end + self.after) // self.interval) + 2


def timing_of(
    tree: ast.Expr, hold: float, recordings: Recordings, later: float = 0.0, samples: float = 4.0
) -> Timing:
    """The times for an expression.

    Args:
        later: seconds to add, for expressions that look at the time of the day.
        samples: the least number in the shortest range.

    Raises:
        UnsupportedError: it looks back or ahead too far.
    """
    looks = list(_looks(tree, recordings, 0))
    back = max((look.back for look in looks), default=0.0)
    after = max((look.ahead for look in looks), default=0.0)
    if back + after + hold > _MOST_DAYS * 86_400:
        raise UnsupportedError(f"a range of more than {_MOST_DAYS} days")
    ranges = tuple(sorted({look.range for look in looks if look.range}))
    interval = _interval(ranges or (240.0,), samples, instants=any(not look.range for look in looks))
    evaluation_interval = interval
    least = back + hold + (_SETTLING + 2) * interval + later
    while least / evaluation_interval > _MOST_EVALUATIONS:
        evaluation_interval *= 2
    least += (4 + _EARLIER) * evaluation_interval
    end = math.ceil(least / evaluation_interval) * evaluation_interval
    return Timing(interval, evaluation_interval, hold, end, after, ranges)


def _interval(ranges: Sequence[float], samples: float, *, instants: bool) -> float:
    shortest, longest = ranges[0], ranges[-1]
    fitting = [each for each in _INTERVALS if each * samples <= shortest] or [shortest / 2.5]
    interval = fitting[0]
    for each in _COARSE:
        if longest / interval <= _MOST_SAMPLES or each * 2.5 > shortest:
            break
        if not instants or each <= _LONGEST_FOR_INSTANTS_S:
            interval = each
    return interval


@dataclass(frozen=True, slots=True)
class _Look:
    """How far a selector looks: seconds back and ahead, and its own range (0 without one)."""

    back: float = 0.0
    ahead: float = 0.0
    range: float = 0.0


def _looks(node: ast.Expr, recordings: Recordings, depth: int) -> Iterator[_Look]:
    if isinstance(node, ast.VectorSelector):
        yield from _selector_looks(node, recordings, depth)
    elif isinstance(node, ast.MatrixSelector):
        own = node.range.total_seconds() if node.range is not None else 0.0
        name, _ = name_and_matchers(node.vector_selector)
        raw = name not in recordings
        for look in _looks(node.vector_selector, recordings, depth):
            yield _Look(look.back + own, look.ahead, own if raw else look.range)
    elif isinstance(node, ast.SubqueryExpr):
        own = node.range.total_seconds() if node.range is not None else 0.0
        offset = _offset(node)
        for look in _looks(node.expr, recordings, depth):
            yield _moved(look, own, offset)
    else:
        for child in children(node):
            yield from _looks(child, recordings, depth)


def _moved(look: _Look, own: float, offset: float) -> _Look:
    return _Look(look.back + own + max(offset, 0.0), look.ahead + max(-offset, 0.0), look.range)


def _offset(node: ast.VectorSelector | ast.SubqueryExpr) -> float:
    return node.offset.total_seconds() if node.offset is not None else 0.0


def _selector_looks(node: ast.VectorSelector, recordings: Recordings, depth: int) -> Iterator[_Look]:
    offset = _offset(node)
    yield _moved(_Look(), 0.0, offset)
    name, _ = name_and_matchers(node)
    if depth < _DEEPEST:
        for rule in recordings.get(name, ()):
            for look in _looks(rule.tree, recordings, depth + 1):
                yield _moved(look, 0.0, offset)
