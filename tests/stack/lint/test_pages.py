"""Code and docs/lint.md name the same rules, and every rule has a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
RULE = re.compile(r"(catalog|promql|panel|dashboard|alert)/[a-z-]+")


def strings(path: Path) -> set[str]:
    """The string literals of a file that have the form of a rule's name."""
    tree = ast.parse(path.read_text())
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and RULE.fullmatch(text)}


def all_strings(folder: Path) -> set[str]:
    return set().union(*(strings(path) for path in folder.rglob("*.py")))


def test_headings_are_the_rules() -> None:
    page = (ROOT / "docs" / "lint.md").read_text()
    headings = re.findall(r"^## `(.+)`$", page, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(headings) == all_strings(ROOT / "src" / "tallow" / "stack" / "lint")


def test_every_rule_is_tested() -> None:
    assert all_strings(ROOT / "src" / "tallow" / "stack" / "lint") <= all_strings(Path(__file__).parent)
