"""Label matchers: regular expressions that are none, anchors, dots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import selectors

_REGEX: Final = ("MatchOp.Re", "MatchOp.NotRe")
_EXPRESSION: Final = re.compile(r"\.[*+]|\w\|\w|^\^|\w\$$|\[[^\]]+\][*+]|\\[dwsb.]")
_ADDRESS: Final = re.compile(
    r"(?<![\\.\w])(?:\d{1,3}\.){3}\d{1,3}(?![\d*+?])|(?<!\\)\.(?:com|org|net|io|local)\b"
)


def expression_without_regex(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``=`` or ``!=`` with a value that is a regular expression."""
    for matcher in _matchers(parsed):
        if str(matcher.op) not in _REGEX and _EXPRESSION.search(matcher.value):
            yield f"{matcher.name}: '{matcher.value}' is compared as a plain text; use =~ or !~"


def redundant_anchor(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``^`` or ``$``, although a regular expression always matches the whole value."""
    for matcher in _matchers(parsed):
        if str(matcher.op) in _REGEX and _is_anchored(matcher.value):
            yield f"{matcher.name}: '{matcher.value}' is anchored; Prometheus matches the whole value anyway"


def _is_anchored(pattern: str) -> bool:
    """Whether an anchor holds for the whole pattern, or for one alternative only."""
    ends = pattern.endswith("$") and not pattern.endswith(("\\$", "|$", "($"))
    return bool(pattern.startswith("^") and pattern != "^" and not pattern.startswith("^$")) or (
        ends and pattern not in ("$", "^$")
    )


def unescaped_dot(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A dot of an address or a host name that matches any character."""
    for matcher in _matchers(parsed):
        if str(matcher.op) in _REGEX and _ADDRESS.search(matcher.value):
            yield f"{matcher.name}: a dot in '{matcher.value}' matches any character; write \\\\."


def anything(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``=~".*"``, which selects every series."""
    for matcher in _matchers(parsed):
        if str(matcher.op) == "MatchOp.Re" and matcher.value in (".*", "(.*)", ""):
            yield f"{matcher.name}=~'{matcher.value}' selects series with any value and without the label"
        elif str(matcher.op) == "MatchOp.NotRe" and matcher.value in (".*", "(.*)"):
            yield f"{matcher.name}!~'{matcher.value}' selects no series"


def _matchers(parsed: ParsedRule) -> Iterator[ast.Matcher]:
    for selector in selectors(parsed.tree):
        yield from selector.matchers.matchers


CHECKS: Final = (
    Check("matcher/plain-text", "error", expression_without_regex),
    Check("matcher/anchor", "note", redundant_anchor),
    Check("matcher/dot", "warning", unescaped_dot),
    Check("matcher/anything", "warning", anything),
)
