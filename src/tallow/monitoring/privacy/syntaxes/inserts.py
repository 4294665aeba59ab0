"""``INSERT INTO t (columns) VALUES (values), (values)``: each value has its column's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.model import Pair

_INSERT: Final = re.compile(
    r"\(([\w\s,.\"`\[\]]{1,1000})\)\s{0,9}(?:OVERRIDING \w+ VALUE\s{1,4})?VALUES?\s{0,9}(?=\()", re.IGNORECASE
)
_ROW: Final = re.compile(r"\s{0,9},?\s{0,9}\(((?:'[^']*'|\"[^\"]*\"|[^()'\"]|\([^()]{0,200}\)){1,4000})\)")
_ITEM: Final = re.compile(r"\s*(?:[NEBX]?'((?:[^']|'')*)'|\"([^\"]*)\"|([^,]*))\s*(?:,|$)", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\?\d*|\$\d+|%s|%\(\w+\)s|[:@]\w+|DEFAULT|NULL", re.IGNORECASE)
_MOST_ROWS: Final = 200


def inserted(text: str) -> Iterator[Pair]:
    """Each value that stands in a column, but for place-holders."""
    for found in _INSERT.finditer(text):
        columns = [column.strip(' \n\t"`[]') for column in found[1].split(",")]
        place = found.end()
        for _ in range(_MOST_ROWS):
            row = _ROW.match(text, place)
            if row is None:
                break
            yield from _values(text, row.span(1), columns)
            place = row.end()


def _values(text: str, row: tuple[int, int], columns: list[str]) -> Iterator[Pair]:
    for column, item in zip(columns, _ITEM.finditer(text, *row), strict=False):
        group = item.lastindex or 3
        start, end = item.span(group)
        end = start + len(text[start:end].rstrip())
        if start < end and not (group == 3 and _PLACEHOLDER.fullmatch(text, start, end)):
            yield Pair("full_name" if column.lower() == "name" else column, start, end)
