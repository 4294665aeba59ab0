"""Prove that an expression never has a result.

The search of series finds none for some expressions that can have a result. A proof says that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as ast

from tallow.stack.prove.expression import (
    COMPARISONS,
    children,
    number,
    operator,
    returns_bool,
    text_of,
    unwrapped,
)
from tallow.stack.prove.witnesses.evaluation.matchers import LabelMatcher, matchers_of
from tallow.stack.prove.witnesses.impossibility.labels import conflict, is_scalar
from tallow.stack.prove.witnesses.impossibility.values import ANY, SWAPPED, Bounds, bounds_of


@dataclass(frozen=True, slots=True)
class Impossible:
    """A part of an expression, without whose result it has none, and why that part has none."""

    part: ast.Expr
    reason: str


def why_never(tree: ast.Expr) -> Impossible | None:
    """Why an expression never has a result; None if that is not known.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> why_never(parse("count(up) == 0 and on () a > 1")).reason
        'the value is 1 or more'
    """
    node = unwrapped(tree)
    if isinstance(node, ast.BinaryExpr) and operator(node) == "or":
        left, right = why_never(node.lhs), why_never(node.rhs)
        return left if left is not None and right is not None else None
    found = (why_never(operand) for operand in _needed(node))
    inner = next((one for one in found if one is not None), None)
    if inner is not None:
        return inner
    reason = _reason(node)
    return None if reason is None else Impossible(node, reason)


def _needed(node: ast.Expr) -> tuple[ast.Expr, ...]:
    """The operands without whose result a node has none."""
    if isinstance(node, ast.Call) and node.func.name in _ALWAYS:
        return ()
    operands = children(node)
    return operands[:1] if isinstance(node, ast.BinaryExpr) and operator(node) == "unless" else operands


_ALWAYS = frozenset({"absent", "absent_over_time", "vector", "scalar", "time", "pi"})


def _reason(node: ast.Expr) -> str | None:
    if isinstance(node, ast.VectorSelector):
        return _no_value(matchers_of(node))
    if not isinstance(node, ast.BinaryExpr) or is_scalar(node):
        return None
    if operator(node) == "unless":
        return _excluded(node)
    are_vectors = not is_scalar(node.lhs) and not is_scalar(node.rhs)
    return (conflict(node) if are_vectors else None) or _reason_of_values(node)


def _reason_of_values(node: ast.BinaryExpr) -> str | None:
    op = operator(node)
    if op == "and":
        return _contradiction(node) or _present(node)
    if op in COMPARISONS and not returns_bool(node):
        return _never_holds(op, node.lhs, node.rhs)
    return None


def _no_value(matchers: list[LabelMatcher]) -> str | None:
    """Why no label value satisfies all matchers, where one of them names the value."""
    for exact in matchers:
        for other in matchers if exact.operator == "=" else ():
            if other.name == exact.name and not other.matches(exact.value):
                return f"no value of label {exact.name} satisfies both matchers"
    return None


def _never_holds(op: str, left: ast.Expr, right: ast.Expr) -> str | None:
    if number(left) is not None:
        op, left, right = SWAPPED[op], right, left
    if op == "!=":
        return None
    values, limits = bounds_of(left), bounds_of(right)
    if not values.narrowed(op, limits).is_empty:
        return None
    shown = _span(values)
    return (
        f"the value is {shown}" if number(right) is not None else f"{shown} is compared with {_span(limits)}"
    )


def _span(bounds: Bounds) -> str:
    """Bounds in words, rounded: ``5`` for the number next to 5."""
    low, high = f"{bounds.low:g}", f"{bounds.high:g}"
    if low == high:
        return low
    if high == "inf":
        return f"{low} or more"
    return f"{high} or less" if low == "-inf" else f"{low} to {high}"


def _contradiction(node: ast.BinaryExpr) -> str | None:
    """``x > 5 and x < 3``: comparisons of the same series with numbers."""
    found: dict[str, Bounds] = {}
    for text, op, limit in _limits(node):
        found[text] = found.get(text, ANY).narrowed(op, Bounds(limit, limit))
        if found[text].is_empty:
            return f"the conditions on {text} exclude each other"
    return None


def _limits(node: ast.Expr) -> Iterator[tuple[str, str, float]]:
    """The comparisons with numbers that hold for the very series that an expression shows."""
    node = unwrapped(node)
    if not isinstance(node, ast.BinaryExpr):
        return
    op = operator(node)
    if op == "and" and (node.modifier is None or node.modifier.matching is None):
        yield from _limits(node.lhs)
        yield from _limits(node.rhs)
    elif op in COMPARISONS and not returns_bool(node):
        left, right = number(node.lhs), number(node.rhs)
        if right is not None:
            yield text_of(node.lhs), op, right
            yield from _limits(node.lhs)
        elif left is not None:
            yield text_of(node.rhs), SWAPPED[op], left
            yield from _limits(node.rhs)


def _excluded(node: ast.BinaryExpr) -> str | None:
    """``x > 5 unless x``: the right side has each series of the left one."""
    right = text_of(node.rhs)
    return f"{right} has each series of the left side" if right in _filtered(node.lhs) else None


def _filtered(node: ast.Expr) -> Iterator[str]:
    """An expression, and those of which it drops some elements and changes nothing else."""
    node = unwrapped(node)
    yield text_of(node)
    if not isinstance(node, ast.BinaryExpr):
        return
    op = operator(node)
    if op in ("and", "unless") or (op in COMPARISONS and number(node.rhs) is not None):
        if not returns_bool(node):
            yield from _filtered(node.lhs)
    elif op in COMPARISONS and number(node.lhs) is not None and not returns_bool(node):
        yield from _filtered(node.rhs)


def _present(node: ast.BinaryExpr) -> str | None:
    """``x and absent(x)``: what must have a result must also have none."""
    needed = {text for side in (node.lhs, node.rhs) for text in _needed_texts(side)}
    for side in (node.lhs, node.rhs):
        inner = unwrapped(side)
        if isinstance(inner, ast.Call) and inner.func.name == "absent" and text_of(inner.args[0]) in needed:
            return f"{text_of(inner.args[0])} has to be there and has to be absent"
    return None


def _needed_texts(node: ast.Expr) -> Iterator[str]:
    node = unwrapped(node)
    yield text_of(node)
    is_or = isinstance(node, ast.BinaryExpr) and operator(node) == "or"
    if isinstance(node, ast.BinaryExpr | ast.AggregateExpr) and not is_or:
        for operand in _needed(node):
            yield from _needed_texts(operand)
