"""Functions of instant vectors and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.expression import unwrapped
from tallow.stack.prove.witnesses.evaluation.histograms import compile_quantile
from tallow.stack.prove.witnesses.evaluation.matchers import matchers_of
from tallow.stack.prove.witnesses.evaluation.model import Compiler, Context, Evaluate, as_number, as_vector
from tallow.stack.prove.witnesses.evaluation.range_functions import (
    COMPUTE,
    compile_absent_over_time,
    compile_range_function,
)
from tallow.stack.prove.witnesses.evaluation.regular_expressions import expanded, python_pattern
from tallow.stack.prove.witnesses.evaluation.selectors import (
    as_vector_or_scalar,
    compile_timestamps,
    dropped_name,
)
from tallow.stack.prove.witnesses.evaluation.vector import (
    STRUCTURAL,
    Element,
    UnsupportedError,
    Value,
    Vector,
    results,
)


def _rounded(value: float, to: float = 1.0) -> float:
    return math.floor(value / to + 0.5) * to if to and math.isfinite(value) else math.nan


def _logarithm(base: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: base(value) if value > 0 else (-math.inf if value == 0 else math.nan)


_OF_VALUES: Final[dict[str, Callable[..., float]]] = {
    "abs": abs,
    "ceil": lambda value: float(math.ceil(value)) if math.isfinite(value) else value,
    "floor": lambda value: float(math.floor(value)) if math.isfinite(value) else value,
    "round": _rounded,
    "exp": lambda value: math.exp(min(value, 700)),
    "ln": _logarithm(math.log),
    "log2": _logarithm(math.log2),
    "log10": _logarithm(math.log10),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
    "sgn": lambda value: float((value > 0) - (value < 0)),
    "clamp": lambda value, low, high: max(low, min(high, value)),
    "clamp_min": max,
    "clamp_max": min,
    "deg": math.degrees,
    "rad": math.radians,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
}
_OF_DATES: Final[dict[str, Callable[[datetime], int]]] = {
    "minute": lambda date: date.minute,
    "hour": lambda date: date.hour,
    "day_of_week": lambda date: date.isoweekday() % 7,
    "day_of_month": lambda date: date.day,
    "day_of_year": lambda date: date.timetuple().tm_yday,
    "month": lambda date: date.month,
    "year": lambda date: date.year,
    "days_in_month": lambda date: (
        (
            datetime(date.year + date.month // 12, date.month % 12 + 1, 1, tzinfo=UTC)
            - datetime(date.year, date.month, 1, tzinfo=UTC)
        ).days
    ),
}


def compile_call(node: ast.Call, compiler: Compiler) -> Evaluate:
    """A function call.

    Raises:
        UnsupportedError: the function is not known.
    """
    name = node.func.name
    if name in COMPUTE:
        return compile_range_function(node, compiler)
    if name in _OF_VALUES:
        return _of_values(node, compiler, _OF_VALUES[name])
    if name in _OF_DATES:
        return _of_dates(node, compiler, _OF_DATES[name])
    if name in _SPECIAL:
        return _SPECIAL[name](node, compiler)
    raise UnsupportedError(f"{name}()")


def _of_values(node: ast.Call, compiler: Compiler, function: Callable[..., float]) -> Evaluate:
    vector_of, *numbers = map(compiler.compile, node.args)

    def evaluate(context: Context) -> Value:
        given = [as_number(each(context)) for each in numbers]
        return [
            Element(dropped_name(one.labels), function(one.value, *given), one.distance, one.slack)
            for one in as_vector_or_scalar(vector_of(context))
        ]

    return evaluate


def _of_dates(node: ast.Call, compiler: Compiler, function: Callable[[datetime], int]) -> Evaluate:
    arguments = [compiler.compile(one) for one in node.args]

    def evaluate(context: Context) -> Vector:
        vector = as_vector(arguments[0](context)) if arguments else [Element({}, context.time)]
        return [
            Element(dropped_name(one.labels), _dated(function, one.value), one.distance, one.slack)
            for one in vector
        ]

    return evaluate


def _dated(function: Callable[[datetime], int], seconds: float) -> float:
    try:
        return float(function(datetime.fromtimestamp(seconds, UTC)))
    except (ValueError, OverflowError, OSError):
        return math.nan


def _time(_: ast.Call, __: Compiler) -> Evaluate:
    return lambda context: context.time


def _pi(_: ast.Call, __: Compiler) -> Evaluate:
    return lambda _: math.pi


def _timestamp(node: ast.Call, compiler: Compiler) -> Evaluate:
    selector = unwrapped(node.args[0])
    if isinstance(selector, ast.VectorSelector) and selector.name not in compiler.recordings:
        return compile_timestamps(selector)
    vector_of = compiler.compile(selector)

    def evaluate(context: Context) -> Vector:
        return [
            Element(dropped_name(one.labels), context.time, one.distance, one.slack)
            for one in as_vector(vector_of(context))
        ]

    return evaluate


def _vector(node: ast.Call, compiler: Compiler) -> Evaluate:
    number_of = compiler.compile(node.args[0])
    return lambda context: [Element({}, as_number(number_of(context)))]


def _scalar(node: ast.Call, compiler: Compiler) -> Evaluate:
    vector_of = compiler.compile(node.args[0])

    def evaluate(context: Context) -> float:
        found = results(as_vector(vector_of(context)))
        return found[0].value if len(found) == 1 else math.nan

    return evaluate


def _sorted(node: ast.Call, compiler: Compiler) -> Evaluate:
    return compiler.compile(node.args[0])


def _absent(node: ast.Call, compiler: Compiler) -> Evaluate:
    vector_of, labels = compiler.compile(node.args[0]), labels_of_absence(node)

    def evaluate(context: Context) -> Vector:
        missing = sum(element.slack for element in results(as_vector(vector_of(context))))
        return [Element(labels, 1.0, missing, 0.0 if missing else STRUCTURAL)]

    return evaluate


def _absent_over_time(node: ast.Call, compiler: Compiler) -> Evaluate:
    return compile_absent_over_time(node, compiler, labels_of_absence(node))


def labels_of_absence(node: ast.Call) -> dict[str, str]:
    """The labels of the result of ``absent()``: those of the ``=`` matchers of a selector."""
    argument = unwrapped(node.args[0])
    if isinstance(argument, ast.MatrixSelector):
        argument = argument.vector_selector
    if not isinstance(argument, ast.VectorSelector):
        return {}
    matchers = [one for one in matchers_of(argument) if one.name != "__name__"]
    names = [one.name for one in matchers]
    return {one.name: one.value for one in matchers if one.operator == "=" and names.count(one.name) == 1}


def _label_replace(node: ast.Call, compiler: Compiler) -> Evaluate:
    arguments = list(node.args)
    vector_of = compiler.compile(arguments[0])
    target, replacement, source, pattern = (_text(one) for one in arguments[1:])
    compiled = python_pattern(pattern)

    def evaluate(context: Context) -> Vector:
        return [_replaced(one) for one in as_vector(vector_of(context))]

    def _replaced(one: Element) -> Element:
        found = compiled.fullmatch(one.labels.get(source, ""))
        if found is None:
            return one
        labels = {**one.labels, target: expanded(replacement, found)}
        return Element(labels, one.value, one.distance, one.slack)

    return evaluate


def _label_join(node: ast.Call, compiler: Compiler) -> Evaluate:
    vector_of = compiler.compile(node.args[0])
    target, separator, *sources = (_text(one) for one in list(node.args)[1:])

    def evaluate(context: Context) -> Vector:
        return [
            Element(
                {**one.labels, target: separator.join(one.labels.get(source, "") for source in sources)},
                one.value,
                one.distance,
                one.slack,
            )
            for one in as_vector(vector_of(context))
        ]

    return evaluate


def _text(node: Any) -> str:
    node = unwrapped(node)
    if isinstance(node, ast.StringLiteral):
        return str(node.val)
    raise UnsupportedError("a computed text")


_SPECIAL: Final[dict[str, Callable[[ast.Call, Compiler], Evaluate]]] = {
    "time": _time,
    "pi": _pi,
    "timestamp": _timestamp,
    "vector": _vector,
    "scalar": _scalar,
    "sort": _sorted,
    "sort_desc": _sorted,
    "sort_by_label": _sorted,
    "sort_by_label_desc": _sorted,
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "label_replace": _label_replace,
    "label_join": _label_join,
    "histogram_quantile": compile_quantile,
}
SUPPORTED: Final[Sequence[str]] = sorted({*COMPUTE, *_OF_VALUES, *_OF_DATES, *_SPECIAL})
"""The functions that the evaluation knows."""
