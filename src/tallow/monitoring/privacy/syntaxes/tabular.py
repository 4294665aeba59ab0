"""Tables in a text: CSV, TSV, boxes, Markdown, what databases and tools print. A title names its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.model import Pair

_HEADER: Final = re.compile(r"[ \t]{0,40}[A-Za-z_\"'|│][\w .\-\"'()/,;|│\t]{2,600}\r?")
_COPY: Final = re.compile(r"COPY [\w.\"]{1,100} \(([\w, \"]{3,600})\) FROM stdin")
_TITLE: Final = re.compile(r"[A-Za-z_][\w .()/-]{0,40}")
_RULE: Final = re.compile(r"[ \t]{0,80}(?:[|+│├┼][ \t]{0,80})?:?[-=─━]{2,}[-=+|:│┼┤─━ \t]*\r?")
_COLUMN: Final = re.compile(r"[-=]{2,}")
_MOST: Final = 64
"""Columns that are read."""
_CELL: Final = {
    mark: re.compile(rf"[ \t]{{0,80}}(?:\"((?:[^\"]|\"\")*)\"[ \r]*(?=[{mark}]|$)|([^{mark}]*))")
    for mark in (",", ";", "|", "│")
} | {"\t": re.compile(r" {0,80}(?:\"((?:[^\"]|\"\")*)\"[ \r]*(?=\t|$)|([^\t]*))")}
_VALUE_TITLES: Final = frozenset({"value", "val", "current value", "setting"})
"""Titles of a second column whose cells are named by the first."""
_BOXES: Final = "|│"

Cell = tuple[int, int]
"""Where a cell's text starts and ends."""


def tables(text: str) -> Iterator[Pair]:
    """The cells of tables in a text of several lines, each with the title of its column."""
    lines = list(_lines(text))
    if len(lines) < 2:
        return
    for mark in _CELL:
        if text.count(mark) > 1:
            yield from _delimited(text, lines, mark)
    if "---" in text or "===" in text:
        yield from _aligned(text, lines)


def _lines(text: str) -> Iterator[Cell]:
    start = 0
    for line in text.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def _delimited(text: str, lines: list[Cell], mark: str) -> Iterator[Pair]:
    """A line of titles, and lines of as many cells below it; a title and a value side by side in boxes."""
    titles: list[str] = []
    first, spaced = True, False
    for start, end in lines:
        if _RULE.fullmatch(text, start, end):
            continue
        if text.find(mark, start, end) < 0:
            titles, first = _copied(text, start, end) if mark == "\t" else [], True
            continue
        cells = _cells(text, start, end, mark)
        if titles and len(cells) == len(titles):
            yield from _record(text, cells, titles, spaced=spaced)
        elif first and _is_header(text, start, end, mark):
            titles = _titles(text, cells)
            spaced = _is_spaced(text, start, end, mark)
        elif _is_row(cells, mark):
            titles = []
            yield from _row(text, cells[0], cells[1])
        first = False


def _is_row(cells: list[Cell], mark: str) -> bool:
    """Whether two cells of a box are a title and its value."""
    return mark in _BOXES and len(cells) == 2


def _copied(text: str, start: int, end: int) -> list[str]:
    """The columns of rows that PostgreSQL's dump writes below."""
    copied = _COPY.match(text, start, end)
    return [name.strip(' "') for name in copied[1].split(",")] if copied else []


def _is_spaced(text: str, start: int, end: int, mark: str) -> bool:
    """Whether a blank follows the commas between titles."""
    return mark == "," and text.find(", ", start, end) >= 0


def _is_header(text: str, start: int, end: int, mark: str) -> bool:
    """Whether a line can be one of titles; below those of a box is a rule."""
    if not _HEADER.fullmatch(text, start, end):
        return False
    below = text.find("\n", end + 1)
    return (
        mark not in _BOXES or _RULE.fullmatch(text, end + 1, below if below >= 0 else len(text)) is not None
    )


def _record(text: str, cells: list[Cell], titles: list[str], *, spaced: bool) -> Iterator[Pair]:
    """The cells of a line below titles.

    If blanks follow the commas, the line may be prose: only its cells without blanks are values.
    """
    if len(titles) == 2 and titles[1].lower() in _VALUE_TITLES:
        yield from _row(text, cells[0], cells[1])
        return
    for title, cell in zip(titles, cells, strict=True):
        if not spaced or " " not in text[slice(*cell)] or text[cell[0] - 1] == '"':
            yield Pair(title, *cell)


def _cells(text: str, start: int, end: int, mark: str) -> list[Cell]:
    """The cells of a line, without blanks and quotes."""
    cells: list[Cell] = []
    boxed = mark in _BOXES and text[start:end].lstrip()[:1] == mark
    place = text.find(mark, start) + 1 if boxed else start
    while place <= end and len(cells) < _MOST:
        found = _CELL[mark].match(text, place, end)
        if found is None:
            break
        group = 2 if found[1] is None else 1
        first, last = found.span(group)
        cells.append((first, first + len(text[first:last].rstrip())))
        place = found.end() + 1
    if boxed and cells and cells[-1][0] >= cells[-1][1]:
        cells.pop()
    return cells


def _titles(text: str, cells: list[Cell]) -> list[str]:
    """What the columns are called; nothing if these are no titles."""
    titles = [text[slice(*cell)].strip(" \"'") for cell in cells]
    return titles if len(titles) > 1 and all(map(_TITLE.fullmatch, titles)) else []


def _row(text: str, title: Cell, value: Cell) -> Iterator[Pair]:
    """A title and a value side by side."""
    name = text[slice(*title)].strip(" \"'")
    if _TITLE.fullmatch(name) and value[0] < value[1] and " " not in text[slice(*value)]:
        yield Pair(name, *value)


def _aligned(text: str, lines: list[Cell]) -> Iterator[Pair]:
    """Columns that begin where a line of dashes says."""
    before: Cell = (0, 0)
    columns: list[tuple[int, int, str]] = []
    for start, end in lines:
        line = text[start:end]
        groups = [found.start() for found in _COLUMN.finditer(line)] if line[:2] in {"--", "=="} else []
        if len(groups) > 1 and not line.strip("-= \t\r"):
            titles = text[slice(*before)]
            bounds = list(zip(groups, [*groups[1:], 10_000], strict=True))
            columns = [(first, last, titles[first:last].strip()) for first, last in bounds]
        elif columns and line.strip():
            yield from _beneath(text, start, end, columns)
        else:
            columns = []
        before = (start, end)


def _beneath(text: str, start: int, end: int, columns: list[tuple[int, int, str]]) -> Iterator[Pair]:
    cells = [_stripped(text, start + first, min(start + last, end)) for first, last, _ in columns]
    for (*_, name), cell in zip(columns, cells, strict=True):
        if name and cell[0] < cell[1]:
            yield Pair(name, *cell)
    if len(columns) == 2:
        yield from _row(text, cells[0], cells[1])


def _stripped(text: str, start: int, end: int) -> Cell:
    cell = text[start:end]
    first = start + len(cell) - len(cell.lstrip())
    return first, max(first, start + len(cell.rstrip()))
