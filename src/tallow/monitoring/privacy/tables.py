"""Private columns and rows of tables: CSV, TSV, boxes, Markdown, what databases and tools print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import is_private

_HEADER: Final = re.compile(r"[ \t]{0,40}(?:[A-Za-z_\"'|│][\w .\-\"'()/,;|│\t]{2,600})(?=\r?$)", re.MULTILINE)
_COPY: Final = re.compile(r"COPY [\w.\"]{1,100} \(([\w, \"]{3,600})\) FROM stdin")
_TITLE: Final = re.compile(r"[A-Za-z_][\w .()/-]{0,40}")
_RULE: Final = re.compile(r"[ \t]*[|+│├┼]?[ \t:]*[-=─━]{2,}[-=+|:│┼┤─━ \t]*\r?")
_RULED: Final = frozenset("-=+|:│┼┤─━ \t\r")
"""What a rule ends with."""
_COLUMN: Final = re.compile(r"[-=]{2,}")
_MOST: Final = 64
"""Columns that are read."""
_CELLS: Final = {
    mark: re.compile(rf"[ \t]*+(?:\"((?>(?:[^\"]|\"\")*))\"[ \r]*(?=[{mark}]|$)|([^{mark}]*))")
    for mark in (",", ";", "|", "│")
} | {"\t": re.compile(r" *+(?:\"((?>(?:[^\"]|\"\")*))\"[ \r]*(?=\t|$)|([^\t]*))")}
_NAMED: Final = frozenset({"value", "val", "current value", "setting"})
"""Titles of a second column whose cells are named by the first."""
_BOXES: Final = "|│"
_PERSONAL: Final = frozenset({"email", "ip"})
"""Kinds that are told by their own look."""

Cell = tuple[int, int]
"""Where a cell's text starts and ends."""
Columns = list[tuple[str, Key | None]]
"""What the columns are called and hold."""


def tabulated(text: str, classify: Classify) -> Iterator[Span]:
    """Private values in tables of a text with several lines."""
    lines = list(_lines(text))
    for mark in _CELLS:
        if text.count(mark) > 1:
            yield from _delimited(text, lines, mark, classify)
    if "---" in text or "===" in text:
        yield from _aligned(text, lines, classify)


def _lines(text: str) -> Iterator[Cell]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _delimited(text: str, lines: list[Cell], mark: str, classify: Classify) -> Iterator[Span]:
    """A line of titles, and lines of as many cells below it; pairs of a title and a value in boxes."""
    columns: Columns = []
    rows = 0
    for start, end in lines:
        if text.find(mark, start, end) < 0:
            if columns and _RULE.fullmatch(text, start, end):
                continue
            copied = _COPY.match(text, start, end) if mark == "\t" else None
            columns = _titles(copied[1].split(","), classify) if copied else []
            rows = 0
            continue
        if text[end - 1] in _RULED and _RULE.fullmatch(text, start, end):
            continue
        rows += 1
        if not columns and mark not in _BOXES and (rows > 1 or not _HEADER.match(text, start, end)):
            continue
        cells = _cells(text, start, end, mark)
        if len(cells) == len(columns):
            yield from _record(text, cells, columns, classify)
            continue
        columns = _header(text, start, end, cells, classify) if rows == 1 and len(cells) > 1 else []
        if not columns and mark in _BOXES and len(cells) == 2:
            yield from _row(text, cells[0], cells[1], classify)


def _record(text: str, cells: list[Cell], columns: Columns, classify: Classify) -> Iterator[Span]:
    """The private cells of a line below titles."""
    if len(columns) == 2 and columns[1][0].lower() in _NAMED:
        yield from _row(text, cells[0], cells[1], classify)
        return
    for (name, key), (first, last) in zip(columns, cells, strict=True):
        if key is not None and is_private(key, text[first:last], name):
            yield first, last, key.kind


def _header(text: str, start: int, end: int, cells: list[Cell], classify: Classify) -> Columns:
    """The columns of a table whose first line this is, if any is private; a rule is below it in boxes."""
    if not _HEADER.match(text, start, end):
        return []
    boxed = " |" in text[start:end] or "│" in text[start:end]
    if boxed and not _RULE.match(text, end + 1):
        return []
    titles = _titles([text[first:last] for first, last in cells], classify)
    private = any(key is not None for _, key in titles)
    return titles if private or (titles and titles[-1][0].lower() in _NAMED) else []


def _cells(text: str, start: int, end: int, mark: str) -> list[Cell]:
    """The cells of a line, without blanks and quotes."""
    cells: list[Cell] = []
    boxed = text[start:end].lstrip()[:1] == mark and mark in _BOXES
    place = text.find(mark, start) + 1 if boxed else start
    while place <= end and len(cells) < _MOST:
        found = _CELLS[mark].match(text, place, end)
        if found is None:
            break
        group = 2 if found[1] is None else 1
        first, last = found.span(group)
        last = first + len(text[first:last].rstrip())
        cells.append((first, last))
        place = found.end() + 1
    if boxed and cells and cells[-1][0] >= cells[-1][1]:
        cells.pop()
    return cells


def _titles(names: list[str], classify: Classify) -> Columns:
    """What each column holds; nothing if these are no titles."""
    titles = [name.strip(" \"'") for name in names]
    if not all(_TITLE.fullmatch(title) for title in titles):
        return []
    return [(title, _private(classify(title))) for title in titles]


def _private(key: Key | None) -> Key | None:
    return key if key is not None and key.kind and key.kind not in _PERSONAL else None


def _row(text: str, title: Cell, value: Cell, classify: Classify) -> Iterator[Span]:
    """The value of a title and a value side by side."""
    name, shown = text[slice(*title)], text[slice(*value)]
    key = _private(classify(name.replace(" ", "_"))) if _TITLE.fullmatch(name) else None
    if key is not None and " " not in shown and not shown.isalpha() and is_private(key, shown, name):
        yield (*value, key.kind)


def _aligned(text: str, lines: list[Cell], classify: Classify) -> Iterator[Span]:
    """Columns that begin where a line of dashes says."""
    before: Cell = (0, 0)
    columns: list[tuple[int, int, str, Key | None]] = []
    for start, end in lines:
        line = text[start:end]
        groups = [found.span() for found in _COLUMN.finditer(line)] if line[:2] in {"--", "=="} else []
        if len(groups) > 1 and not line.strip("-= \t\r"):
            titles = text[slice(*before)]
            places = [first for first, _ in groups]
            ends = [*places[1:], 10_000]
            names = [titles[first:last].strip() for first, last in zip(places, ends, strict=True)]
            columns = [
                (first, last, name, _private(classify(name)))
                for first, last, name in zip(places, ends, names, strict=True)
            ]
        elif columns and line.strip():
            yield from _beneath(text, start, end, columns, classify)
        else:
            columns = []
        before = (start, end)


def _beneath(
    text: str, start: int, end: int, columns: list[tuple[int, int, str, Key | None]], classify: Classify
) -> Iterator[Span]:
    cells = [_stripped(text, start + first, min(start + last, end)) for first, last, *_ in columns]
    for (*_, name, key), (first, last) in zip(columns, cells, strict=True):
        if key is not None and is_private(key, text[first:last], name):
            yield first, last, key.kind
    if len(columns) == 2 and (columns[1][2].lower() in _NAMED or not any(key for *_, key in columns)):
        yield from _row(text, cells[0], cells[1], classify)


def _stripped(text: str, start: int, end: int) -> Cell:
    cell = text[start:end]
    first = start + len(cell) - len(cell.lstrip())
    return first, max(first, start + len(cell.rstrip()))
