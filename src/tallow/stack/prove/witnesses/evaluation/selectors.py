"""Selectors, ranges and subqueries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.matchers import LabelMatcher, matchers_of
from tallow.stack.prove.witnesses.evaluation.model import (
    Compiler,
    Context,
    Evaluate,
    EvaluateRange,
    Recording,
    Window,
    as_vector,
)
from tallow.stack.prove.witnesses.evaluation.signal import first_multiple
from tallow.stack.prove.witnesses.evaluation.vector import (
    Element,
    Labels,
    UnsupportedError,
    Vector,
    key,
    without,
)

_IDENTITIES = itertools.count()
_MOST_STEPS: Final = 40
"""Evaluations in a range of computed values. Longer ranges are thinned out: the series of the search are
regular, and promtool evaluates what is found in full."""


def name_and_matchers(node: ast.VectorSelector) -> tuple[str, list[LabelMatcher]]:
    """The metric, and the matchers. The name is empty if matchers of ``__name__`` choose the metrics."""
    return node.name or "", matchers_of(node)


def compile_selector(node: ast.VectorSelector, compiler: Compiler) -> Evaluate:
    """An instant vector selector."""
    name, matchers = name_and_matchers(node)
    identity, time_of = next(_IDENTITIES), _time_of(node)
    recorded = _recorded(name, compiler)

    def evaluate(context: Context) -> Vector:
        time = time_of(context.time)
        moved = context if time == context.time else replace(context, time=time)
        found = []
        for labels, signal in context.database.select(identity, name, matchers):
            value = signal.latest(time)
            if value is not None:
                found.append(Element(labels, value))
        for evaluate_rule, labels in recorded:
            found += _matching(_as_recorded(as_vector_or_scalar(evaluate_rule(moved)), labels), matchers)
        return found

    return evaluate


def compile_timestamps(node: ast.VectorSelector) -> Evaluate:
    """``timestamp()`` of a selector: the times of the samples, not that of the evaluation."""
    name, matchers = name_and_matchers(node)
    identity, time_of = next(_IDENTITIES), _time_of(node)

    def evaluate(context: Context) -> Vector:
        time = time_of(context.time)
        return [
            Element(dropped_name(labels), signal.latest_time(time))
            for labels, signal in context.database.select(identity, name, matchers)
            if signal.latest(time) is not None
        ]

    return evaluate


def as_vector_or_scalar(value: Vector | float | str) -> Vector:
    """A vector; a number as an element without labels."""
    return [Element({}, float(value))] if isinstance(value, int | float) else as_vector(value)


def _recorded(name: str, compiler: Compiler) -> list[tuple[Evaluate, Labels]]:
    rules: Sequence[Recording] = compiler.recordings.get(name, ())
    return [(compiler.compile(rule.tree), {**rule.labels, "__name__": name}) for rule in rules]


def _as_recorded(vector: Vector, labels: Labels) -> Vector:
    return [replace(element, labels={**element.labels, **labels}) for element in vector]


def _matching(vector: Vector, matchers: Sequence[LabelMatcher]) -> Vector:
    return [
        element
        for element in vector
        if all(matcher.matches(element.labels.get(matcher.name, "")) for matcher in matchers)
    ]


class _TimeOf:
    """The time that ``offset`` and ``@`` select."""

    def __init__(self, offset: float, at: float | None) -> None:
        self._offset, self._at = offset, at

    def __call__(self, time: float) -> float:
        return (time if self._at is None else self._at) - self._offset


def _time_of(node: ast.VectorSelector | ast.SubqueryExpr) -> _TimeOf:
    offset = node.offset.total_seconds() if node.offset is not None else 0.0
    at = str(node.at) if node.at is not None else ""
    # In a rule, start() and end() are the time of the evaluation.
    return _TimeOf(offset, None if not at or "()" in at else float(at.removeprefix("@")))


def compile_matrix(node: ast.MatrixSelector, compiler: Compiler) -> EvaluateRange:
    """A range vector selector."""
    if node.range is None:
        raise UnsupportedError("a range without a length")
    selector, length = node.vector_selector, node.range.total_seconds()
    name, matchers = name_and_matchers(selector)
    if name in compiler.recordings:
        return _computed(
            compiler.compile(ast.parse(str(_without_offset(selector)))), _time_of(selector), length, None
        )
    identity, time_of = next(_IDENTITIES), _time_of(selector)

    def evaluate(context: Context) -> list[Window]:
        end = time_of(context.time)
        windows = []
        for labels, signal in context.database.select(identity, name, matchers):
            samples, weight = signal.window(end - length, end, closed=context.database.closed)
            if samples:
                windows.append(Window(labels, samples, end - length, end, weight))
        return windows

    return evaluate


def _without_offset(selector: ast.VectorSelector) -> str:
    inner = ",".join(f"{m.name}{m.operator}{_quoted(m.value)}" for m in matchers_of(selector))
    return f"{selector.name or ''}{{{inner}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def compile_subquery(node: ast.SubqueryExpr, compiler: Compiler) -> EvaluateRange:
    """A subquery."""
    if node.range is None:
        raise UnsupportedError("a subquery without a range")
    step = node.step.total_seconds() if node.step is not None else None
    return _computed(compiler.compile(node.expr), _time_of(node), node.range.total_seconds(), step)


def _computed(evaluate_inner: Evaluate, time_of: _TimeOf, length: float, step: float | None) -> EvaluateRange:
    def evaluate(context: Context) -> list[Window]:
        end = time_of(context.time)
        asked = step or context.database.interval
        every = max(asked, length / _MOST_STEPS)
        weight = every / asked
        found: dict[frozenset[tuple[str, str]], Window] = {}
        nearest: dict[frozenset[tuple[str, str]], Window] = {}
        index = max(first_multiple(end - length, every, closed=context.database.closed), 0)
        while (time := index * every) <= end:
            index += 1
            for element in as_vector_or_scalar(evaluate_inner(replace(context, time=time))):
                into = nearest if element.distance else found
                window = into.setdefault(
                    key(element.labels),
                    Window(element.labels, [], end - length, end, weight, element.distance, element.slack),
                )
                window.samples.append((time, element.value))
                window.distance = min(window.distance, element.distance)
        return [*found.values(), *(window for each, window in nearest.items() if each not in found)]

    return evaluate


def dropped_name(labels: Labels) -> Labels:
    """Labels without the name of the metric."""
    return without(labels, ("__name__",)) if "__name__" in labels else labels
