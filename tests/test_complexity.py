"""No function has a cyclomatic complexity above 10, counting ``and`` and ``or``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT = 10
_BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.comprehension,
    ast.match_case,
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def complexity(function: ast.AST) -> int:
    """McCabe's cyclomatic complexity: one plus the number of decisions. Nested functions count separately."""
    return 1 + sum(_decisions(node) for node in _own_nodes(function))


def _decisions(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, _BRANCHES))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            waiting.extend(ast.iter_child_nodes(node))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file as ``path:line name``, with its complexity."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", complexity(node)


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_function_is_too_complex(folder: str) -> None:
    found = [each for path in sorted((ROOT / folder).rglob("*.py")) for each in functions(path)]
    assert found
    assert [f"{name}: {number}" for name, number in found if number > LIMIT] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): pass", 1),
        ("def f(a):\n if a and a or a: pass", 4),
        ("def f(a): return [b for b in a if b]", 3),
        ("def f(a):\n try: a\n except ValueError: pass\n except OSError: pass", 3),
        ("def f(a):\n def g():\n  if a: pass\n", 1),
        ("def f(a):\n match a:\n  case 1: pass\n  case _: pass", 3),
    ],
)
def test_decisions_are_counted(source: str, expected: int) -> None:
    assert complexity(ast.parse(source).body[0]) == expected
