"""Every test can fail: it has an assertion, or calls a helper that is named after one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

TESTS = Path(__file__).parent
ASSERTING_CALLS = {"raises", "warns", "fail", "deprecated_call"}
"""Functions of pytest that fail a test."""
ASSERTING_PREFIXES = ("assert", "check", "expect")
"""Beginnings of the names of helpers that fail a test; a leading underscore is ignored."""


def without_assertion(source: str) -> Iterator[str]:
    """The names of the test functions of a module that contain no assertion."""
    for node in ast.walk(ast.parse(source)):
        if is_test(node) and not any(map(is_assertion, ast.walk(node))):
            yield node.name


def is_test(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def is_assertion(node: ast.AST) -> bool:
    """Whether a node fails a test: an ``assert``, or a call of a function that asserts."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func).rpartition(".")[2]
    return name in ASSERTING_CALLS or name.lstrip("_").startswith(ASSERTING_PREFIXES)


def test_every_test_has_an_assertion() -> None:
    files = sorted(TESTS.rglob("test_*.py"))
    assert files
    found = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in files
        for name in without_assertion(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "body",
    ["assert x", "with pytest.raises(E): f()", "pytest.fail('')", "check_all()", "_assert_equal(1, 2)"],
)
def test_an_assertion_is_recognised(body: str) -> None:
    assert list(without_assertion(f"def test_x():\n  {body}")) == []


@pytest.mark.parametrize("body", ["pass", "f()", "x = 1", "wait_until(done)"])
def test_a_missing_assertion_is_found(body: str) -> None:
    assert list(without_assertion(f"async def test_x():\n  {body}")) == ["test_x"]
