"""What the scrubber's tables are made of: rules, syntaxes and keys are data.

Every row has an id, which is its anchor in ``docs/privacy-rules.md`` and the id of its test, at least one
example (text and expected output), at least one counterexample (text that must come out unchanged) and a
switch: ``Scrubber(disable={id})``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

DROPPED: Final = "[dropped]"
"""The marker of a value that could not be scrubbed, or was over a limit.

Example:
    >>> DROPPED
    '[dropped]'
"""

Span = tuple[int, int, str, str]
"""Start, end, kind and rule id: ``text[start:end]`` is private. A plain tuple, because many are made."""


class Pair(NamedTuple):
    """A name and where its value stands in a text."""

    name: str
    start: int
    end: int


class Key(NamedTuple):
    """What a key's name says about its value.

    Attributes:
        id: of the row in the key table.
        kind: what replaces the value: ``[kind]``. Empty: the value is only checked as any text.
        check: None for a secret key, whose whole value is replaced. Otherwise the name of a check; the value
            is replaced if the check says that it is private.
        secret: the key belongs to the SECRET table.
    """

    id: str
    kind: str
    check: str | None
    secret: bool


@dataclass(frozen=True)
class Needs:
    """What a text must contain before a row can match; all of it is required. The prefilter checks it.

    Every digit counts as ``0``, so that the answer is the same for all texts of one template.

    Attributes:
        words: at least one of these runs of letters, in lower case, separated by blanks; ``|`` separates sets
            of which each is needed.
        parts: at least one of these, anywhere in the text in lower case.
        forms: at least one of these, in the text with every letter as ``a``; it begins with a blank.
        hex_forms: at least one of these, in the text with every hexadecimal digit as ``h``.
        chains: at least one of these, in a chain of digits, blanks and ``.-/()``; with ``~`` before it, at
            the beginning of the chain without blanks and hyphens.
        numbers: at least one of these, in the text with every run of digits as one ``0``.
        marks: each of these characters, as often as it is named.
        any_mark: at least one of these characters.
        digits: at least so many digits.
        capital: a capital letter of ASCII.
        run: at least so many letters, digits, ``_``, ``.`` and ``-`` in a row.
        starts: within such a run and at the start of a word, one of these pairs of characters.
        template: a regular expression that the text matches with every digit as ``0``.
        name: a word that ends like a known key stands before a delimiter.

    Example:
        >>> Needs(words="staff employee", digits=6).digits
        6
    """

    words: str = ""
    parts: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    hex_forms: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    marks: str = ""
    any_mark: str = ""
    digits: int = 0
    capital: bool = False
    run: int = 0
    starts: str = ""
    template: str = ""
    name: bool = False


@dataclass(frozen=True)
class Rule:
    """One detector: its pattern, its kind, and the examples that test it.

    Attributes:
        id: lower-case words joined by ``-``.
        kind: what replaces the match: ``[kind]``.
        prefilter: what a text must hold for the rule to be tried; a plain string is a part of the text in
            lower case; None and the empty string try the rule on every text.
        pattern: a regular expression. If it has a group ``private``, that group is replaced, and a match in
            which the group takes no part replaces nothing.
        validate: asked about the text to be replaced; None accepts it.
        context: asked about the whole text and where in it the match starts and ends; None accepts it.
        examples: texts and what comes out.
        counterexamples: texts that must come out unchanged.
        enabled: False leaves the rule out.
        description: one sentence for the generated page.

    Example:
        >>> rule = Rule("staff-number", "user", "emp-", r"EMP-\\d{6}", examples=(("EMP-004711", "[user]"),))
        >>> rule.kind
        'user'
    """

    id: str
    kind: str
    prefilter: Needs | str | None
    pattern: str | re.Pattern[str]
    validate: Callable[[str], bool] | None = None
    examples: tuple[tuple[str, str], ...] = ()
    counterexamples: tuple[str, ...] = ()
    enabled: bool = True
    description: str = ""
    context: Callable[[str, int, int], bool] | None = None


@dataclass(frozen=True)
class Syntax:
    """One way to write a name and its value in a text. It finds pairs and does not judge values.

    Attributes:
        id: as of a rule.
        prefilter: what a text must hold for the syntax to be tried.
        find: yields the pairs of a text. A regular expression in its place has a group ``value`` and either a
            group ``name`` or the row has a ``name``.
        name: of every pair, where the text holds none that the key table knows.
        examples: as of a rule.
        counterexamples: as of a rule.
        enabled: as of a rule.
        description: as of a rule.
    """

    id: str
    prefilter: Needs
    find: str | Callable[[str], Iterator[Pair]]
    name: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    counterexamples: tuple[str, ...] = ()
    enabled: bool = True
    description: str = ""


@dataclass(frozen=True)
class KeyRow:
    """Names of keys that mean the same.

    Attributes:
        id: as of a rule.
        kind: what replaces the values.
        names: words joined by ``_``, names separated by spaces: ``api_key`` is apiKey, X-Api-Key and APIKEY.
        check: the name of the check that decides about a value; empty for the SECRET table.
        examples: a name and a value that is replaced.
        counterexamples: a name and a value that is kept.
        description: one sentence for the generated page.
    """

    id: str
    kind: str
    names: str
    check: str = ""
    examples: tuple[tuple[str, Any], ...] = ()
    counterexamples: tuple[tuple[str, Any], ...] = ()
    enabled: bool = True
    description: str = ""


def needs_of(prefilter: Needs | str | None) -> Needs:
    """A rule's prefilter as :class:`Needs`."""
    if isinstance(prefilter, Needs):
        return prefilter
    return Needs(parts=(prefilter.lower(),) if prefilter else ())


def marker(kind: str) -> str:
    """The text that replaces a private value. It takes the kind, not the value."""
    return f"[{kind}]"


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order. Two that overlap become one with the kind and rule of the longer."""
    result: list[Span] = []
    for span in sorted(spans):
        if not result or span[0] >= result[-1][1]:
            result.append(span)
            continue
        first = result[-1]
        longer = span if span[1] - span[0] > first[1] - first[0] else first
        result[-1] = (first[0], max(first[1], span[1]), longer[2], longer[3])
    return result
