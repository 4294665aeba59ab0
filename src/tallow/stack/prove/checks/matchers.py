"""Label matchers: regular expressions that are none, anchors, dots."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import is_comparison, operations, selectors, unwrapped

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
    """``=~".*"``, which selects every series, also those without the label."""
    for matcher in _matchers(parsed):
        if str(matcher.op) == "MatchOp.Re" and matcher.value in (".*", "(.*)", ""):
            yield f"{matcher.name}=~'{matcher.value}' selects series with any value and without the label"


def impossible(parsed: ParsedRule, _: RuleSet) -> Messages:
    """Matchers on one label that exclude each other: ``{code="500",code="502"}``, or ``!~".*"``."""
    for matcher in _matchers(parsed):
        if str(matcher.op) == "MatchOp.NotRe" and matcher.value in (".*", "(.*)"):
            yield f"{matcher.name}!~'{matcher.value}' selects no series"
    for selector in selectors(parsed.tree):
        for matcher, other in itertools.permutations(selector.matchers.matchers, 2):
            is_pair = str(matcher.op) == "MatchOp.Equal" and other.name == matcher.name
            if is_pair and not _accepts(other, matcher.value):
                yield f"no series has {matcher.name} '{matcher.value}' and fits {_shown(other)}"


def unknown_alert_state(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``ALERTS{alertstate="resolved"}``: a resolved alert has no series."""
    for selector in selectors(parsed.tree):
        for matcher in selector.matchers.matchers if selector.name == "ALERTS" else ():
            if matcher.name == "alertstate" and not any(_accepts(matcher, state) for state in _STATES):
                yield f"alertstate is pending or firing, and {_shown(matcher)} fits neither"


_STATES: Final = ("pending", "firing")


def _accepts(matcher: ast.Matcher, value: str) -> bool:
    """Whether a matcher fits a value; yes if Python cannot compile the regular expression."""
    op = str(matcher.op)
    if op in _REGEX:
        try:
            return (re.fullmatch(matcher.value, value) is not None) == (op == "MatchOp.Re")
        except re.error:
            return True
    return bool((matcher.value == value) == (op == "MatchOp.Equal"))


_OPERATORS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def _shown(matcher: ast.Matcher) -> str:
    return f"{matcher.name}{_OPERATORS.get(str(matcher.op), '=')}'{matcher.value}'"


def blank_alternative(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``=~"a | b"``: the blanks belong to the alternatives."""
    for matcher in _matchers(parsed):
        if str(matcher.op) in _REGEX and _BLANK.search(matcher.value):
            yield f"{matcher.name}: the blanks beside '|' in '{matcher.value}' have to be in the value, too"


_BLANK: Final = re.compile(r"\w \||\| \w")


def number_range(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``=~"[500-599]"``: brackets stand for a single character, here 5, 0-5 and 9."""
    for matcher in _matchers(parsed):
        for found in _NUMBERS.findall(matcher.value) if str(matcher.op) in _REGEX else ():
            yield f"{matcher.name}: '{found}' stands for one character, not for a range of numbers"


_NUMBERS: Final = re.compile(r"\[\d{1,4}-\d{2,4}\]|\[\d{2,4}-\d{1,4}\]")


def glob(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``=~"web*"``, which repeats the b; a pattern of a shell means ``web.*``."""
    for matcher in _matchers(parsed):
        if str(matcher.op) in _REGEX and _GLOB.search(matcher.value):
            yield f"{matcher.name}: '*' in '{matcher.value}' repeats the character before it; write '.*'"


_GLOB: Final = re.compile(r"(?<!\\)[\w/-]\*(?=$|\||\))")


def edge_text(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``le="1"``: Prometheus 3 stores bucket edges and quantiles as ``1.0``."""
    for matcher in _matchers(parsed):
        value = matcher.value
        if matcher.name not in ("le", "quantile") or str(matcher.op) in _REGEX or not value:
            continue
        wanted = _canonical(value)
        if wanted is None:
            yield f"{matcher.name} is a number, and '{value}' is none"
        elif wanted != value:
            yield f"{matcher.name} '{value}' is stored as '{wanted}' since Prometheus 3"


def _canonical(text: str) -> str | None:
    """A bucket edge or a quantile as Prometheus 3 stores it; large and small numbers as they are."""
    if text == "+Inf" or _EXPONENT.fullmatch(text):
        return text
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return repr(value) if value == 0 or 1e-4 <= abs(value) < 1e6 else text


_DECIMAL: Final = re.compile(r"-?\d+(\.\d*)?|-?\.\d+")
_EXPONENT: Final = re.compile(r"-?\d+(\.\d+)?e[+-]?\d+")


def nameless(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A comparison of every metric of a job: ``{job="a"} > 5``."""
    for operation in operations(parsed.tree):
        for side in map(unwrapped, (operation.lhs, operation.rhs)) if is_comparison(operation) else ():
            if isinstance(side, ast.VectorSelector) and not side.name and not _names_metric(side):
                yield "a selector without the name of a metric compares every metric of its targets"


def _names_metric(selector: ast.VectorSelector) -> bool:
    return any(matcher.name == "__name__" for matcher in selector.matchers.matchers)


def _matchers(parsed: ParsedRule) -> Iterator[ast.Matcher]:
    for selector in selectors(parsed.tree):
        yield from selector.matchers.matchers


CHECKS: Final = (
    Check("matcher/plain-text", "error", expression_without_regex),
    Check("matcher/anchor", "note", redundant_anchor),
    Check("matcher/dot", "warning", unescaped_dot),
    Check("matcher/anything", "note", anything),
    Check("matcher/impossible", "error", impossible),
    Check("matcher/state", "error", unknown_alert_state),
    Check("matcher/blank", "warning", blank_alternative),
    Check("matcher/numbers", "error", number_range),
    Check("matcher/glob", "warning", glob),
    Check("matcher/edge", "warning", edge_text),
    Check("matcher/nameless", "warning", nameless),
)
