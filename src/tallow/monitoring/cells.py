"""Where samples live: a flat row of floating-point cells.

A counter or gauge takes one cell. A histogram takes one per bucket (its own count, not the running total),
one for what lies above the last edge, and one for the sum. Reading a scrape is then one copy, and several
workers can keep their rows in shared memory without any other code knowing.
"""

from __future__ import annotations

from typing import Protocol


class Cells(Protocol):
    """Numbered cells of 64-bit floats. The registry's lock guards every access."""

    def __getitem__(self, index: int, /) -> float: ...

    def __setitem__(self, index: int, value: float, /) -> None: ...


class Storage(Protocol):
    """Hands out cells. ``allocate`` and ``read`` are called with the registry's lock held."""

    cells: Cells

    def allocate(self, metric: str, key: tuple[str, ...], width: int) -> int | None:
        """The first of ``width`` new cells, all 0, for a series; None when there is no room left."""

    def read(self) -> list[float]:
        """A copy of all cells."""


class LocalStorage:
    """Cells of this process alone."""

    def __init__(self) -> None:
        self._row: list[float] = []
        self.cells: Cells = self._row

    def allocate(self, metric: str, key: tuple[str, ...], width: int) -> int | None:
        first = len(self._row)
        self._row.extend([0.0] * width)
        return first

    def read(self) -> list[float]:
        return self._row.copy()
