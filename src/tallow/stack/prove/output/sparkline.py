"""Small line charts as SVG, without any style of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

WIDTH: Final = 220
HEIGHT: Final = 40
_MARGIN: Final = 3
MAX_POINTS: Final = 400
"""More samples than the chart has pixels are not drawn."""

Samples = Sequence[float | None]


def sparkline(firing: Samples, quiet: Samples, fires_at: float | None, label: str) -> str:
    """A chart of one series: as the alert fires, and as it stays quiet, on the same scale.

    Args:
        firing, quiet: samples at equal distances; None where there is none.
        fires_at: the position of the first firing, in samples.
        label: for those who do not see it.
    """
    scale = _Scale((*firing, *quiet), max(len(firing), len(quiet)))
    lines = [
        *(f'<polyline class="quiet" points="{points}"/>' for points in scale.lines(quiet)),
        *(f'<polyline class="firing" points="{points}"/>' for points in scale.lines(firing)),
    ]
    if fires_at is not None:
        x = f"{scale.x(fires_at):.1f}"
        lines.insert(0, f'<line class="at" x1="{x}" y1="0" x2="{x}" y2="{HEIGHT}"/>')
    return (
        f'<svg class="sparkline" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(lines)}</svg>'
    )


class _Scale:
    """Maps samples to points of the chart."""

    def __init__(self, samples: Iterable[float | None], count: int) -> None:
        values = [value for value in samples if value is not None and math.isfinite(value)]
        self._low, self._high = (min(values), max(values)) if values else (0.0, 1.0)
        self._count = max(count - 1, 1)

    def x(self, position: float) -> float:
        """The place of a sample from the left."""
        return _MARGIN + min(position, self._count) / self._count * (WIDTH - 2 * _MARGIN)

    def _y(self, value: float) -> float:
        bounded = min(max(value, self._low), self._high)  # an infinite one is drawn at the edge
        span = self._high - self._low
        share = (bounded - self._low) / span if span else 0.5
        return HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)

    def lines(self, samples: Samples) -> list[str]:
        """The points of each line without gaps."""
        step = max(1, math.ceil(len(samples) / MAX_POINTS))
        found: list[list[str]] = [[]]
        for position in range(0, len(samples), step):
            value = samples[position]
            if value is None or math.isnan(value):
                found.append([])
            else:
                found[-1].append(f"{self.x(position):.1f},{self._y(value):.1f}")
        return [" ".join(points * 2 if len(points) == 1 else points) for points in found if points]
