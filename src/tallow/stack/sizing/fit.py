"""Least-squares fits of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """``base + slope * x``."""

    base: float
    slope: float

    def at(self, x: float) -> float:
        """The value at ``x``."""
        return self.base + self.slope * x


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """The line through points (x, y) with the smallest sum of squared errors.

    Args:
        points: at least two, with different x.

    Example:
        >>> fit_line([(1, 3), (2, 5), (3, 7)])
        Line(base=1.0, slope=2.0)
    """
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return Line(mean_y - slope * mean_x, slope)


def fit_two_costs(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The costs a and b, neither negative, with the smallest sum of squared errors of ``a*x + b*y = z``.

    Args:
        points: (x, y, z), none negative; some x and some y are positive.

    Example:
        >>> fit_two_costs([(1, 0, 2), (0, 1, 3), (1, 1, 5)])
        (2.0, 3.0)
    """
    xx = sum(x * x for x, _, _ in points)
    yy = sum(y * y for _, y, _ in points)
    xy = sum(x * y for x, y, _ in points)
    xz = sum(x * z for x, _, z in points)
    yz = sum(y * z for _, y, z in points)
    determinant = xx * yy - xy * xy
    if determinant > 1e-9 * xx * yy:
        a = (xz * yy - yz * xy) / determinant
        b = (yz * xx - xz * xy) / determinant
        if a >= 0 and b >= 0:
            return a, b
    # The best fit has a negative cost, or x and y are proportional: one of the costs alone is the best.
    alone = ((xz / xx, 0.0), (0.0, yz / yy))
    return min(alone, key=lambda costs: sum((costs[0] * x + costs[1] * y - z) ** 2 for x, y, z in points))
