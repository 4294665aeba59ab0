"""The names and sizes of what is offered, in as many lines as a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallow.app.files.errors import printable

MOST_LINES: Final = 20
MOST_LETTERS: Final = 100
"""Of a name; a longer one is shown without its middle, so that its ending stays to be seen."""
_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")


def format_listing(entries: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    """Lines about the files ``[{"name", "size"}, …]`` of a manifest, ``total`` bytes together.

    Many files are summed up by the folder or file at the top; what is still too much is counted.
    """
    lines = [(str(entry["name"]), int(entry["size"]), 1) for entry in entries]
    if len(lines) > MOST_LINES:
        lines = _by_top(lines)
    many = f"{len(entries):,} files" if len(entries) != 1 else "1 file"
    told = [f"Offered: {many}, {format_size(total)}"]
    for name, size, files in lines[:MOST_LINES]:
        told.append(
            f"{format_size(size):>10}  {_shortened(name)}{f'  ({files:,} files)' if files > 1 else ''}"
        )
    left = lines[MOST_LINES:]
    if left:
        rest = sum(files for _, _, files in left)
        told.append(f"{format_size(sum(size for _, size, _ in left)):>10}  in {rest:,} more files")
    return told


def format_size(size: float) -> str:
    """``12.3 MB``: decimal units, as progress bars and file managers have them."""
    if size < 1000:
        return f"{size:.0f} bytes"
    unit = min(int(math.log10(size)) // 3, len(_UNITS))
    return f"{size / 1000**unit:,.1f} {_UNITS[unit - 1]}"


def _by_top(lines: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    summed: dict[str, tuple[int, int]] = {}
    for name, size, _ in lines:
        top, below, _ = name.partition("/")
        key = f"{top}/" if below else top
        sizes, files = summed.get(key, (0, 0))
        summed[key] = sizes + size, files + 1
    return [(name, size, files) for name, (size, files) in summed.items()]


def _shortened(name: str) -> str:
    if len(name) > MOST_LETTERS:
        half = MOST_LETTERS // 2
        name = f"{name[:half]}…{name[-half:]}"
    return printable(name)
