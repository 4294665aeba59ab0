"""The list of offered files, short enough for a person to read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallow.app.files.errors import printable

MAX_LINES: Final = 20
MAX_NAME_LENGTH: Final = 100
"""Longest name in characters; a longer one is shown without its middle, so that its extension stays
visible."""
_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")


def format_listing(entries: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    """Lines about the files ``[{"name", "size"}, …]`` of a manifest of ``total`` bytes.

    A long list is grouped by top-level folder; entries beyond ``MAX_LINES`` are only counted.
    """
    lines = [(str(entry["name"]), int(entry["size"]), 1) for entry in entries]
    if len(lines) > MAX_LINES:
        lines = _by_top(lines)
    many = f"{len(entries):,} files" if len(entries) != 1 else "1 file"
    text = [f"Offered: {many}, {format_size(total)}"]
    for name, size, files in lines[:MAX_LINES]:
        text.append(
            f"{format_size(size):>10}  {_shortened(name)}{f'  ({files:,} files)' if files > 1 else ''}"
        )
    left = lines[MAX_LINES:]
    if left:
        rest = sum(files for _, _, files in left)
        text.append(f"{format_size(sum(size for _, size, _ in left)):>10}  in {rest:,} more files")
    return text


def format_size(size: float) -> str:
    """``12.3 MB``: decimal units, as file managers use.

    >>> format_size(999), format_size(12_345_678)
    ('999 bytes', '12.3 MB')
    """
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
    if len(name) > MAX_NAME_LENGTH:
        half = MAX_NAME_LENGTH // 2
        name = f"{name[:half]}…{name[-half:]}"
    return printable(name)
