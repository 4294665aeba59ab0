"""Line charts as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 36, 44


@dataclass(frozen=True)
class Curve:
    """One line: its name, its points in the order of x, and its color."""

    name: str
    points: Sequence[tuple[float, float]]
    color: str


Place = Callable[[float, float], tuple[float, float]]
"""From values of x and y to coordinates."""


TICKS: Final = 4
"""Marks of a linear axis above 0."""


def curves_svg(title: str, x_label: str, y_label: str, curves: Sequence[Curve], *, log_x: bool = True) -> str:
    """A chart of several curves. The y axis begins at 0.

    The x axis is logarithmic and marks the values of the points, or with ``log_x=False`` linear from 0 on and
    marks round numbers.
    """
    points = [point for curve in curves for point in curve.points]
    xs = sorted({x for x, _ in points})
    if not log_x:
        across = _tick_step(xs[-1])
        xs = [across * number for number in range(TICKS + 1)]
    step = _tick_step(max(y for _, y in points))
    top = step * TICKS
    low, high = _scaled(xs[0], log_x=log_x), _scaled(xs[-1], log_x=log_x)
    span = (high - low) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = (_scaled(x, log_x=log_x) - low) / span
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    view = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    middle = f'x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)} ({escape(y_label)})</text>',
        f"<text {middle}>{escape(x_label)}</text>",
        *_axes(place, xs, step),
    ]
    for number, curve in enumerate(curves):
        parts += _line(place, curve, number)
    return "\n".join([*parts, "</svg>", ""])


def _tick_step(highest: float) -> float:
    """The smallest round number of which :data:`TICKS` are not below the highest value."""
    wanted = (highest or 1.0) / TICKS
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= wanted)


def _axes(place: Place, xs: Sequence[float], step: float) -> Iterator[str]:
    for number in range(TICKS + 1):
        value = step * number
        _, y = place(xs[0], value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,.4g}</text>'
    for x in xs[:: max(1, len(xs) // 6)]:
        across, _ = place(x, 0)
        yield f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:,.10g}</text>'


def _line(place: Place, curve: Curve, number: int) -> Iterator[str]:
    color = curve.color
    places = [place(x, y) for x, y in curve.points]
    line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>'
    for across, down in places:
        yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3" fill="{color}"/>'
    y = TOP + 10 + number * 18
    yield f'<rect x="{WIDTH - RIGHT + 16}" y="{y}" width="12" height="3" fill="{color}"/>'
    yield f'<text x="{WIDTH - RIGHT + 34}" y="{y + 5}">{escape(curve.name)}</text>'


def _scaled(x: float, *, log_x: bool) -> float:
    return math.log2(max(x, 1)) if log_x else x
