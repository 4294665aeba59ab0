"""Parse PromQL, and walk the parsed tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

_RENAMED: Final = (
    # Prometheus 3 renamed it; arguments and labels are the same.
    (re.compile(r"\bholt_winters(?=\s*\()"), "double_exponential_smoothing"),
)
MAX_OPERATORS: Final = 2000
"""The parser ends the process, without an error, at expressions that are nested some 4,000 levels deep."""
_STRING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_OPERATOR: Final = re.compile(r"[-+*/%^<>=!(]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_LOGQL: Final = "LogQL of Loki"
_METRICSQL: Final = "MetricsQL of VictoriaMetrics"
_METRICSQL_WORD: Final = re.compile(r"\b(?:WITH\s*\(|default\b|ifnot\b|if\b|keep_metric_names\b|limit\s+\d)")
MAX_DEPTH: Final = 150
"""Each check walks the tree with a few calls for each level, and Python allows 1,000 calls."""
COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS: Final = frozenset({"and", "or", "unless"})


class UnparsedError(Exception):
    """An expression that the parser does not accept. The text is its message, one line."""


def parse(expr: str) -> ast.Expr:
    """The tree of an expression.

    Raises:
        UnparsedError: it is not PromQL, or uses what the parser does not know.
    """
    for pattern, name in _RENAMED:
        expr = pattern.sub(name, expr)
    if len(_OPERATOR.findall(_STRING.sub("", expr))) > MAX_OPERATORS:
        raise UnparsedError(f"more than {MAX_OPERATORS:,} operators and parentheses")
    try:
        tree = ast.parse(expr)
    except ValueError as error:
        raise UnparsedError(_reason(expr, " ".join(str(error).split()))) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's; it is no Exception
            raise
        raise UnparsedError("the parser failed") from None
    if _is_deeper_than(tree, MAX_DEPTH):
        raise UnparsedError(f"nested more than {MAX_DEPTH} levels deep")
    if any(selector.matchers.or_matchers for selector in selectors(tree)):
        raise UnparsedError(f"matchers with 'or' are {_METRICSQL}, and Prometheus does not accept them")
    return tree


def _reason(expr: str, error: str) -> str:
    """What is wrong, in the words of the parser where it has some."""
    if "|" in _STRING.sub("", expr):
        return f"'|' is {_LOGQL}, which Prometheus does not accept"
    if error != "invalid promql query":
        return error
    word = _METRICSQL_WORD.search(_STRING.sub("", expr))
    return (
        f"'{word[0].split()[0]}' is {_METRICSQL}, which Prometheus does not accept" if word else "not PromQL"
    )


def _is_deeper_than(tree: ast.Expr, limit: int) -> bool:
    """Whether a tree has more levels; found without recursion, which such a tree would exhaust."""
    level: tuple[ast.Expr, ...] = (tree,)
    for _ in range(limit):
        level = tuple(child for node in level for child in children(node))
        if not level:
            return False
    return True


def unwrapped(node: ast.Expr) -> ast.Expr:
    """The expression inside parentheses."""
    while isinstance(node, ast.ParenExpr):
        node = node.expr
    return node


def text_of(node: ast.Expr) -> str:
    """An expression in one line, without parentheses around it."""
    return " ".join(unwrapped(node).prettify().split())


def children(node: ast.Expr) -> tuple[ast.Expr, ...]:
    """The operands and arguments of a node."""
    if isinstance(node, ast.BinaryExpr):
        return node.lhs, node.rhs
    if isinstance(node, ast.Call):
        return tuple(node.args)
    if isinstance(node, ast.AggregateExpr):
        return (node.expr,)
    if isinstance(node, ast.ParenExpr | ast.UnaryExpr | ast.SubqueryExpr):
        return (node.expr,)
    if isinstance(node, ast.MatrixSelector):
        return (node.vector_selector,)
    return ()


def walk(node: ast.Expr) -> Iterator[ast.Expr]:
    """Every node, outermost first."""
    yield node
    for child in children(node):
        yield from walk(child)


def selectors(node: ast.Expr) -> list[ast.VectorSelector]:
    """Every selector, also those with a range."""
    return [found for found in walk(node) if isinstance(found, ast.VectorSelector)]


def conditions_of_labels(selector: ast.VectorSelector) -> set[tuple[str, str, str]]:
    """The matchers of a selector: label, operator and value."""
    return {(one.name, str(one.op), one.value) for one in selector.matchers.matchers}


def calls(node: ast.Expr) -> list[ast.Call]:
    """Every function call."""
    return [found for found in walk(node) if isinstance(found, ast.Call)]


def operations(node: ast.Expr) -> list[ast.BinaryExpr]:
    """Every operation with two operands."""
    return [found for found in walk(node) if isinstance(found, ast.BinaryExpr)]


def operator(node: ast.BinaryExpr) -> str:
    """The operator without ``bool`` and matching.

    Example:
        >>> operator(parse("a > bool 1"))
        '>'
    """
    return str(node.op).split()[0]


def is_comparison(node: ast.Expr) -> bool:
    """Whether a node compares, with or without ``bool``."""
    return isinstance(node, ast.BinaryExpr) and operator(node) in COMPARISONS


def returns_bool(node: ast.BinaryExpr) -> bool:
    """Whether a comparison has ``bool``."""
    return node.modifier is not None and node.modifier.return_bool


def number(node: ast.Expr) -> float | None:
    """The value of a number, also behind a sign and in arithmetic of numbers; None for anything else."""
    node = unwrapped(node)
    if isinstance(node, ast.NumberLiteral):
        return float(node.val)
    if isinstance(node, ast.UnaryExpr):
        inner = number(node.expr)
        return None if inner is None else -inner
    if isinstance(node, ast.BinaryExpr):
        return _arithmetic(operator(node), number(node.lhs), number(node.rhs))
    return None


def _arithmetic(op: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left / right,
            "^": lambda: float(left**right),
        }[op]()
    except (ArithmeticError, KeyError, TypeError):
        return None


def alternatives(node: ast.Expr) -> Iterator[ast.Expr]:
    """The operands of ``or``: a rule fires if one of them has a result."""
    node = unwrapped(node)
    if isinstance(node, ast.BinaryExpr) and operator(node) == "or":
        yield from alternatives(node.lhs)
        yield from alternatives(node.rhs)
    else:
        yield node


def conditions(node: ast.Expr) -> Iterator[ast.Expr]:
    """The operands of ``and``, and the left one of ``unless``: all must have a result."""
    node = unwrapped(node)
    if isinstance(node, ast.BinaryExpr) and operator(node) == "and":
        yield from conditions(node.lhs)
        yield from conditions(node.rhs)
    elif isinstance(node, ast.BinaryExpr) and operator(node) == "unless":
        yield from conditions(node.lhs)
    else:
        yield node
