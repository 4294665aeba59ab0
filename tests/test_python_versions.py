"""The source avoids constructs that the oldest supported interpreter (3.11.2, Debian 12) handles wrongly.

The tests read the source, so they fail on every interpreter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"

_POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")
"""A possessive quantifier after a group."""


def possessive_groups(source: str) -> list[str]:
    """String literals of a module that contain a possessive quantifier after a group."""
    literals = (
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return [literal for literal in literals if _POSSESSIVE_GROUP.search(literal)]


def slotted_handlers(source: str) -> list[str]:
    """Dataclasses with slots that define ``handle_…`` methods: handlers of aiosmtpd."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and _has_slots(node) and any(_hooks(node))
    ]


def search_all_modules(search: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """The findings of a search by module; modules without findings are left out."""
    found = {
        str(path.relative_to(SRC)): search(path.read_text(encoding="utf-8"))
        for path in sorted(SRC.rglob("*.py"))
    }
    return {path: findings for path, findings in found.items() if findings}


def _has_slots(node: ast.ClassDef) -> bool:
    return any(
        keyword.arg == "slots" and getattr(keyword.value, "value", False) is True
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )


def _hooks(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name.startswith("handle_"):
            yield part.name


def test_no_possessive_quantifier_over_a_group() -> None:
    """Before Python 3.11.5 ``(?:…)*+`` with a lookaround inside matches too much, too little, or never ends
    (CPython gh-106052, gh-101955). The atomic group ``(?>(?:…)*)`` is equivalent and works in all versions;
    so does a possessive quantifier after one character or set."""
    assert search_all_modules(possessive_groups) == {}


def test_no_handler_of_aiosmtpd_has_slots() -> None:
    """aiosmtpd calls ``inspect.getmembers`` on its handler, which raises TypeError for ``__weakref__`` of a
    dataclass with slots before Python 3.11.3 (CPython gh-102069)."""
    assert search_all_modules(slotted_handlers) == {}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"(?:a(?=b))*+", True),
        (r"(?:(?!c).)++x", True),
        (r"(ab){2,3}+", True),
        (r"(?:ab)?+", True),
        (r"(?>(?:a(?=b))*)", False),
        (r"[^\s]*+a++b?+c{2}+", False),
        (r"\(a\)++", False),
    ],
)
def test_the_search_finds_only_quantifiers_after_groups(pattern: str, found: bool) -> None:
    re.compile(pattern)
    assert bool(possessive_groups(f"PATTERN = re.compile({pattern!r})")) is found


def test_the_search_finds_a_handler_with_slots() -> None:
    source = (
        "@dataclass(frozen=True, slots=True)\nclass Inbox:\n    async def handle_DATA(self) -> str: ...\n"
    )
    assert slotted_handlers(source) == ["Inbox"]
    assert slotted_handlers(source.replace(", slots=True", "")) == []
