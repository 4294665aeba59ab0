"""Functions of range vectors."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.model import Compiler, Context, Evaluate, Window, as_number
from tallow.stack.prove.witnesses.evaluation.selectors import dropped_name
from tallow.stack.prove.witnesses.evaluation.vector import STRUCTURAL, Element, Vector

Samples = Sequence[tuple[float, float]]
Compute = Callable[[Window, Sequence[float]], float | None]


def _values(window: Window) -> list[float]:
    return [value for _, value in window.samples]


def increased(values: Sequence[float]) -> float:
    """What a counter increased by, restarts included."""
    total, last = 0.0, values[0]
    for value in values[1:]:
        total += value - last if value >= last else value
        last = value
    return total


def extrapolated(window: Window, *, is_counter: bool) -> float | None:
    """The increase over a range, extrapolated to its ends as Prometheus does it.

    Source: ``extrapolatedRate`` in Prometheus's ``promql/functions.go``.
    """
    samples = window.samples
    if len(samples) < 2:
        return None
    values = _values(window)
    result = increased(values) if is_counter else values[-1] - values[0]
    sampled = samples[-1][0] - samples[0][0]
    average = sampled / (len(samples) - 1)
    to_start, to_end = samples[0][0] - window.start, window.end - samples[-1][0]
    threshold = average * 1.1
    to_start = to_start if to_start < threshold else average / 2
    to_end = to_end if to_end < threshold else average / 2
    if is_counter and result > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * values[0] / result)
    return result * (sampled + to_start + to_end) / sampled


def _increase(window: Window, _: Sequence[float]) -> float | None:
    return extrapolated(window, is_counter=True)


def _rate(window: Window, _: Sequence[float]) -> float | None:
    increase = extrapolated(window, is_counter=True)
    return None if increase is None else increase / (window.end - window.start)


def _delta(window: Window, _: Sequence[float]) -> float | None:
    return extrapolated(window, is_counter=False)


def _irate(window: Window, _: Sequence[float]) -> float | None:
    if len(window.samples) < 2:
        return None
    (before, old), (after, new) = window.samples[-2:]
    return (new - old if new >= old else new) / (after - before)


def _idelta(window: Window, _: Sequence[float]) -> float | None:
    return window.samples[-1][1] - window.samples[-2][1] if len(window.samples) > 1 else None


def _line(window: Window, at: float) -> tuple[float, float] | None:
    """Slope, and value at a time, of the straight line of least squares."""
    if len(window.samples) < 2:
        return None
    values = _values(window)
    times = [time - at for time, _ in window.samples]
    mean_time, mean = math.fsum(times) / len(times), math.fsum(values) / len(values)
    spread = math.fsum((time - mean_time) ** 2 for time in times)
    if not spread:
        return None
    pairs = zip(times, values, strict=True)
    slope = math.fsum((time - mean_time) * (value - mean) for time, value in pairs) / spread
    return slope, mean - slope * mean_time


def _deriv(window: Window, _: Sequence[float]) -> float | None:
    line = _line(window, window.end)
    return None if line is None else line[0]


def _predict_linear(window: Window, arguments: Sequence[float]) -> float | None:
    line = _line(window, window.end)
    return None if line is None else line[1] + line[0] * arguments[0]


def _changes(window: Window, _: Sequence[float]) -> float:
    values = _values(window)
    return float(sum(old != new for old, new in itertools.pairwise(values)))


def _resets(window: Window, _: Sequence[float]) -> float:
    values = _values(window)
    return float(sum(old > new for old, new in itertools.pairwise(values)))


def quantile(share: float, values: Sequence[float]) -> float:
    """A quantile of values as Prometheus interpolates it."""
    if not values or math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share - 0.5)
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def variance(values: Sequence[float]) -> float:
    """The population variance; NaN if a value is not finite."""
    return statistics.pvariance(values) if all(map(math.isfinite, values)) else math.nan


def deviation(values: Sequence[float]) -> float:
    """The population standard deviation; NaN if a value is not finite."""
    return math.sqrt(variance(values))


def _quantile(window: Window, arguments: Sequence[float]) -> float:
    return quantile(arguments[0], _values(window))


def _smoothed(window: Window, arguments: Sequence[float]) -> float | None:
    """Double exponential smoothing, formerly holt_winters."""
    values = _values(window)
    if len(values) < 2:
        return None
    factor, trend_factor = arguments
    level, trend = values[0], values[1] - values[0]
    for value in values[1:]:
        before = level
        level = factor * value + (1 - factor) * (level + trend)
        trend = trend_factor * (level - before) + (1 - trend_factor) * trend
    return level


def _of_values(function: Callable[[Sequence[float]], float]) -> Compute:
    return lambda window, _: float(function(_values(window)))


COMPUTE: Final[dict[str, Compute]] = {
    "rate": _rate,
    "increase": _increase,
    "irate": _irate,
    "delta": _delta,
    "idelta": _idelta,
    "deriv": _deriv,
    "predict_linear": _predict_linear,
    "changes": _changes,
    "resets": _resets,
    "quantile_over_time": _quantile,
    "double_exponential_smoothing": _smoothed,
    "avg_over_time": _of_values(lambda values: math.fsum(values) / len(values)),
    "sum_over_time": lambda window, _: math.fsum(_values(window)) * window.weight,
    "min_over_time": _of_values(min),
    "max_over_time": _of_values(max),
    "count_over_time": lambda window, _: round(len(window.samples) * window.weight),
    "last_over_time": _of_values(lambda values: values[-1]),
    "first_over_time": _of_values(lambda values: values[0]),
    "present_over_time": _of_values(lambda _: 1.0),
    "stddev_over_time": _of_values(deviation),
    "stdvar_over_time": _of_values(variance),
    "mad_over_time": _of_values(
        lambda values: statistics.median(abs(value - statistics.median(values)) for value in values)
    ),
}
KEEP_NAME: Final = frozenset({"last_over_time", "first_over_time"})


def compile_range_function(node: ast.Call, compiler: Compiler) -> Evaluate:
    """A function with one range vector, and with numbers."""
    name, arguments = node.func.name, list(node.args)
    ranges = [index for index, argument in enumerate(arguments) if _is_range(argument)]
    window_of = compiler.compile_range(arguments[ranges[0]])
    numbers = [compiler.compile(one) for index, one in enumerate(arguments) if index not in ranges]
    compute = COMPUTE[name]

    def evaluate(context: Context) -> Vector:
        given = [as_number(each(context)) for each in numbers]
        found = []
        for window in window_of(context):
            value = compute(window, given)
            if value is not None:
                labels = window.labels if name in KEEP_NAME else dropped_name(window.labels)
                found.append(Element(labels, value, window.distance, window.slack))
        return found

    return evaluate


def _is_range(argument: Any) -> bool:
    while isinstance(argument, ast.ParenExpr):
        argument = argument.expr
    return isinstance(argument, ast.MatrixSelector | ast.SubqueryExpr)


def compile_absent_over_time(node: ast.Call, compiler: Compiler, labels: dict[str, str]) -> Evaluate:
    """``absent_over_time()``."""
    window_of = compiler.compile_range(node.args[0])

    def evaluate(context: Context) -> Vector:
        present = [window for window in window_of(context) if not window.distance]
        missing = sum(window.slack for window in present)
        return [Element(labels, 1.0, missing, 0.0 if missing else STRUCTURAL)]

    return evaluate
