"""Private values whose names stand elsewhere: header tuples, name/value pairs, SQL inserts and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import SCHEME, is_private

_TUPLE: Final = re.compile(r"[(\[]\s?b?([\"'])([\w.\-]{2,60})\1,\s?b?([\"'])([^\"'\n]{1,2000})\3\s?[)\]]")
_NAMED_VALUE: Final = re.compile(
    r"\b(?:name|key|header|field|variable|label|parameter(?:_?key|_?name)?)[\"']?\s?[:=]\s?[\"']?([\w.\-]{2,80})[\"']?\s{0,3}[,\n]?\s{0,40}[\"']?(?:parameter)?_?val(?:ue)?[\"']?\s?[:=]\s?"
    r"[\"']?([^\"'\n,}]{1,2000})",
    re.IGNORECASE,
)
_INSERT: Final = re.compile(
    r"\(([\w\s,.\"`\[\]]{3,1000})\)\s{0,9}VALUES\s{0,9}\(([^()]{1,4000})\)", re.IGNORECASE
)
_ITEM: Final = re.compile(r"\s*(?:N?'((?:[^']|'')*)'|\"([^\"]*)\"|([^,]*))\s*(?:,|$)")
_PARENS: Final = re.compile(r"\(([^()]{1,200})\)=\(([^()]{0,400})\)")
_PARAMETERS: Final = re.compile(
    r"\[parameters: ([(\[{][^\n]{1,4000}[)\]}])\]|Failing row contains (\([^\n]{1,4000}\))"
)


def pairs(text: str, classify: Classify) -> Iterator[Span]:
    """``("authorization", "…")`` and ``name=…, value=…``."""
    for found in _TUPLE.finditer(text):
        key = classify(found[2])
        if found[0][0] == "[" and found[4].replace("_", "").isalpha() and found[4].islower():
            continue  # two words of a list: ["password", "email"]
        if key and key.kind and is_private(key, found[4], found[2]):
            start, end = found.span(4)
            scheme = SCHEME.match(text, start, end) if key.kind == "credential" else None
            yield scheme.end() if scheme else start, end, key.kind


def named_values(text: str, classify: Classify) -> Iterator[Span]:
    """Names and values side by side, in records of browsers, XML settings and Kubernetes."""
    for found in _NAMED_VALUE.finditer(text):
        key = classify(found[1])
        if key and key.kind and is_private(key, found[2], found[1]):
            yield (*found.span(2), key.kind)


def inserted(text: str, classify: Classify) -> Iterator[Span]:
    """What SQL inserts into private columns."""
    for found in _INSERT.finditer(text):
        columns = [column.strip(' \n\t"`[]') for column in found[1].split(",")]
        for column, item in zip(columns, _ITEM.finditer(found[2]), strict=False):
            group = item.lastindex or 3
            key = classify(column)
            personal = column.lower() == "name"
            value = item[group] or ""
            if (personal and value.isalpha()) or (key and key.kind and is_private(key, value, column)):
                offset = found.start(2)
                yield offset + item.start(group), offset + item.end(group), key.kind if key else "user"


def failing(text: str, classify: Classify) -> Iterator[Span]:
    """What databases quote in their errors: the key that was there already, the parameters, the row."""
    for found in _PARENS.finditer(text):
        key = classify(found[1].split(",")[0].strip())
        if key and key.kind and is_private(key, found[2], found[1]):
            yield (*found.span(2), key.kind)
    for found in _PARAMETERS.finditer(text):
        group = found.lastindex or 1
        yield found.start(group) + 1, found.end(group) - 1, "secret"
