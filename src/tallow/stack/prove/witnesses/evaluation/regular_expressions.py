"""Texts that a regular expression of a matcher matches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined, unused-ignore]
from re import _parser as parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any, Final

from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError

_MOST: Final = 40
_ANY: Final = "0ab1-_./:AZ "
_CATEGORIES: Final = {
    codes.CATEGORY_DIGIT: "012345",
    codes.CATEGORY_WORD: "abc1_",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_DIGIT: "abc-",
    codes.CATEGORY_NOT_WORD: "-./",
    codes.CATEGORY_NOT_SPACE: "abc1",
}


@cache
def python_pattern(text: str) -> re.Pattern[str]:
    """The pattern of a matcher. Prometheus uses RE2's syntax, which Python's includes for the most part.

    Raises:
        UnsupportedError: Python does not accept it.
    """
    try:
        return re.compile(text.replace(r"\z", r"\Z"), re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        raise UnsupportedError(f"regular expression '{text}'") from None


@cache
def examples(text: str) -> tuple[str, ...]:
    """A few texts that the whole expression matches, short ones first.

    Example:
        >>> examples("api|web-[0-9]+")[:2]
        ('api', 'web-0')
    """
    pattern = python_pattern(text)
    try:
        tree = parser.parse(text.replace(r"\z", r"\Z"), re.DOTALL)
        made = itertools.islice(_sequence(list(tree)), _MOST)
        return tuple(dict.fromkeys(one for one in made if pattern.fullmatch(one)))
    except RecursionError:
        return ()


def expanded(replacement: str, found: re.Match[str] | None) -> str:
    """The replacement of ``label_replace()`` with the groups that Go's ``$1`` and ``${name}`` stand for."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        try:
            return (found[int(name) if name.isdigit() else name] or "") if found else ""
        except IndexError:
            return ""

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", group, replacement)


def _sequence(items: list[Any]) -> Iterator[str]:
    if not items:
        yield ""
        return
    for head in itertools.islice(_item(items[0]), _MOST):
        for tail in itertools.islice(_sequence(items[1:]), _MOST):
            yield head + tail


def _item(item: Any) -> Iterator[str]:
    op, argument = item
    make = _MAKERS.get(op)
    if make is not None:
        yield from make(argument)


def _literal(code: int) -> Iterator[str]:
    yield chr(code)


def _characters(items: list[Any]) -> Iterator[str]:
    negated = bool(items) and items[0][0] is codes.NEGATE
    members = list(
        itertools.chain.from_iterable(_members(item) for item in items if item[0] is not codes.NEGATE)
    )
    yield from (one for one in _ANY if one not in members) if negated else members


def _members(item: Any) -> list[str]:
    op, argument = item
    if op is codes.LITERAL:
        return [chr(argument)]
    if op is codes.RANGE:
        low, high = argument
        return [chr(code) for code in range(low, min(high, low + 130) + 1)]
    return list(_CATEGORIES.get(argument, ""))


def _repeat(argument: Any) -> Iterator[str]:
    least, most, items = argument
    for count in range(least, min(most, least + 2) + 1):
        for one in itertools.islice(_sequence(list(items)), 5) if count else [""]:
            yield one * count


_MAKERS: Final[dict[Any, Any]] = {
    codes.LITERAL: _literal,
    codes.NOT_LITERAL: lambda code: (one for one in _ANY if ord(one) != code),
    codes.ANY: lambda _: iter(_ANY),
    codes.IN: _characters,
    codes.BRANCH: lambda argument: itertools.chain.from_iterable(
        _sequence(list(each)) for each in argument[1]
    ),
    codes.SUBPATTERN: lambda argument: _sequence(list(argument[-1])),
    codes.MAX_REPEAT: _repeat,
    codes.MIN_REPEAT: _repeat,
    codes.AT: lambda _: iter([""]),
}
