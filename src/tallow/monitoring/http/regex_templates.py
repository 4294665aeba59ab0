"""Readable templates of routes that are regular expressions."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\(\?P<(\w+)>|\(\?[^)]|\(|\)|\{[\d,]+\}|.", re.DOTALL
)
"""An escape, a character class, the start of a group, its end, a repetition, or one character."""


def simplify_regex(pattern: str) -> str:
    r"""Return a regular expression with its groups replaced by names.

    Anchors and repetitions are removed, an unnamed group is ``<var>``, a character class is ``<char>``.

    Args:
        pattern: the expression; it is not compiled.

    Example:
        >>> simplify_regex(r"^archive/(?P<year>[0-9]{4})/(\w+)/$")
        'archive/<year>/<var>/'
    """
    simple: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text == ")":
            depth -= 1
        elif text.startswith("("):
            if depth == 0:
                simple.append(_group(text, token[1]))
            depth += 1
        elif depth == 0:
            simple.append(_outside_groups(text))
    return "".join(simple)


def _group(start: str, name: str | None) -> str:
    if name:
        return f"<{name}>"
    return "<var>" if start in {"(", "(?:"} else ""  # a look-ahead or a comment matches no text


def _outside_groups(text: str) -> str:
    if text.startswith("\\"):
        return "" if text[1] in "AZzBb" else "<char>" if text[1].isalpha() else text[1]
    if text.startswith("["):
        return "<char>"
    return "" if text in "^$?*+" or text.startswith("{") else text
