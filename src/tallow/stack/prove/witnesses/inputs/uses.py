"""The selectors of an expression, with what the expression does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import promql_parser as ast

from tallow.stack.prove.expression import children, operator, unwrapped
from tallow.stack.prove.witnesses.evaluation.matchers import LabelMatcher, solve
from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.evaluation.regular_expressions import examples, expanded, python_pattern
from tallow.stack.prove.witnesses.evaluation.selectors import name_and_matchers
from tallow.stack.prove.witnesses.inputs.arms import Arm

_DEEPEST = 12
"""Recording rules that read each other."""


@dataclass(frozen=True, slots=True)
class SelectorUse:
    """A selector of input series.

    Attributes:
        metric: its name, or one that the pattern of its name matches.
        functions: around it, the innermost first.
        wanted: labels that a selector of a recording rule asks for.
    """

    metric: str
    matchers: tuple[LabelMatcher, ...]
    functions: tuple[str, ...]
    wanted: tuple[LabelMatcher, ...] = ()


@dataclass(slots=True)
class Uses:
    """What an expression reads.

    Attributes:
        labels: by which it groups and matches; each has an example that its ``label_replace()`` accepts.
        examples: further values of these labels.
        numbers: its constants.
        time: whether it looks at the time.
        arm: the operands of ``or`` that are read.
        present: selectors of the other operands, whose series are there, too.
    """

    selectors: list[SelectorUse] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    numbers: set[float] = field(default_factory=set)
    time: bool = False
    functions: set[str] = field(default_factory=set)
    arm: Arm = field(default_factory=dict)
    present: list[SelectorUse] = field(default_factory=list)


def uses_of(tree: ast.Expr, recordings: Recordings, arm: Arm) -> Uses:
    """What an expression reads in the operands of ``or`` that an arm chooses.

    Recording rules of the same files are included.
    """
    uses = Uses(arm=arm)
    for use in _visit(tree, (), (), recordings, uses, 0):
        if use not in uses.selectors:
            uses.selectors.append(use)
    return uses


def _visit(
    node: ast.Expr,
    functions: tuple[str, ...],
    wanted: tuple[LabelMatcher, ...],
    recordings: Recordings,
    uses: Uses,
    depth: int,
) -> Iterator[SelectorUse]:
    node = unwrapped(node)
    _note(node, uses)
    if isinstance(node, ast.VectorSelector):
        yield from _selector(node, functions, wanted, recordings, uses, depth)
        return
    if isinstance(node, ast.Call):
        functions = (node.func.name, *functions)
    elif isinstance(node, ast.AggregateExpr):
        functions = (str(node.op), *functions)
    for child in (*_read_operands(node, uses.arm), *_computed_parameter(node)):
        yield from _visit(child, functions, wanted, recordings, uses, depth)


def _computed_parameter(node: ast.Expr) -> tuple[ast.Expr, ...]:
    """The parameter of an aggregation, as of ``quantile(scalar(q), x)``, if it reads series."""
    parameter = node.param if isinstance(node, ast.AggregateExpr) else None
    return () if parameter is None or isinstance(unwrapped(parameter), _LITERALS) else (parameter,)


_LITERALS = (ast.NumberLiteral, ast.StringLiteral)


def _read_operands(node: ast.Expr, arm: Arm) -> tuple[ast.Expr, ...]:
    operands = children(node)
    if isinstance(node, ast.BinaryExpr) and operator(node) == "or" and str(node) in arm:
        return (operands[arm[str(node)]],)
    return operands


def _selector(
    node: ast.VectorSelector,
    functions: tuple[str, ...],
    wanted: tuple[LabelMatcher, ...],
    recordings: Recordings,
    uses: Uses,
    depth: int,
) -> Iterator[SelectorUse]:
    name, matchers = name_and_matchers(node)
    rules = recordings.get(name, ())
    if rules and depth < _DEEPEST:
        for rule in rules:
            asked = tuple(one for one in matchers if one.name not in rule.labels)
            yield from _visit(rule.tree, (), (*asked, *wanted), recordings, uses, depth + 1)
        return
    yield _use(name, matchers, functions, wanted)


def _use(
    name: str, matchers: Sequence[LabelMatcher], functions: tuple[str, ...], wanted: tuple[LabelMatcher, ...]
) -> SelectorUse:
    named = [one for one in matchers if one.name == "__name__"]
    others = tuple(one for one in matchers if one.name != "__name__")
    return SelectorUse(name or solve(named, "metric") or "metric", others, functions, wanted)


def _note(node: ast.Expr, uses: Uses) -> None:
    """Note the labels and numbers of one node."""
    if isinstance(node, ast.NumberLiteral):
        uses.numbers.add(float(node.val))
    for label in _labels(node):
        if label not in ("le", "__name__"):
            uses.labels.setdefault(label, "")
    if isinstance(node, ast.Call):
        uses.functions.add(node.func.name)
        uses.time |= node.func.name in ("time", "timestamp")
        _note_replacement(node, uses)


def _labels(node: ast.Expr) -> Sequence[str]:
    if isinstance(node, ast.AggregateExpr) and node.modifier is not None and "By" in str(node.modifier.type):
        return list(node.modifier.labels)
    if isinstance(node, ast.BinaryExpr) and node.modifier is not None:
        matching: Any = node.modifier.matching
        on = list(matching.labels) if matching is not None and "Include" in str(matching.type) else []
        return [*on, *(node.modifier.group_labels or ())]
    return ()


def _note_replacement(node: ast.Call, uses: Uses) -> None:
    """A label that ``label_replace()`` reads needs a value that its expression matches."""
    texts = [one.val for one in map(unwrapped, node.args) if isinstance(one, ast.StringLiteral)]
    if node.func.name == "label_replace" and len(texts) == 4 and texts[2] not in ("", "__name__"):
        target, replacement, source, pattern = texts
        values = _replaceable(pattern, uses.labels.get(source) or f"{source}-1")
        if values:
            uses.labels[source] = values[0]
            uses.examples[source] = values
            uses.labels[target] = expanded(replacement, python_pattern(pattern).fullmatch(values[0]))
    elif node.func.name == "label_join":
        _note_join(texts, uses)


def _note_join(texts: Sequence[str], uses: Uses) -> None:
    target, separator, *sources = texts
    for label in sources:
        uses.labels.setdefault(label, "")
    uses.labels[target] = separator.join(uses.labels[label] or f"{label}-1" for label in sources)


def _replaceable(pattern: str, usual: str) -> list[str]:
    """Values that a pattern matches with something in each of its groups."""
    found = ((one, python_pattern(pattern).fullmatch(one)) for one in (usual, *examples(pattern)))
    return [one for one, match in found if match is not None and all(match.groups())]
