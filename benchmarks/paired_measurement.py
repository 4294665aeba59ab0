"""Paired measurement of CPU time: alternating runs, the median of the ratios and their quartiles.

The speed of a shared machine drifts within a second; the ratio of two consecutive runs drifts less than
either time. Every round has new inputs, so that no result can come from a cache.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Work = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    work: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    unit: str
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim."""
        return None if self.aim is None else self.ratio <= self.aim


def paired(
    work: str,
    ours: Work,
    peers: dict[str, Work],
    inputs: Callable[[], Any],
    *,
    items: int,
    aims: dict[str, float | None],
    rounds: int = 21,
    base: Work | None = None,
) -> list[Row]:
    """Compare ``ours`` with each competitor on new inputs.

    Args:
        work: the description in the table.
        ours: called with a result of ``inputs``.
        peers: the competitors, likewise, by name.
        items: operations per call; the table shows microseconds of CPU time per operation.
        aims: the ratio to reach, by competitor.
        base: work that both include; its time is subtracted from both.
    """
    for warm in (ours, *peers.values(), *([base] if base else [])):
        warm(inputs())
    rows = []
    for name, peer in peers.items():
        samples: list[tuple[float, float]] = []
        for turn in range(rounds):
            data = inputs()
            baseline = timed(base, data) if base else 0.0
            first, second = (ours, peer) if turn % 2 else (peer, ours)
            one, two = timed(first, data) - baseline, timed(second, data) - baseline
            samples.append((one, two) if turn % 2 else (two, one))
        rows.append(summed(work, name, samples, items, aims.get(name)))
    return rows


def summed(
    work: str,
    peer: str,
    samples: Sequence[tuple[float, float]],
    items: int,
    aim: float | None,
    unit: str = "µs",
    factor: float = 1e6,
) -> Row:
    """A row from pairs of (ours, theirs) in seconds, or in another unit with its ``factor``."""
    ratios = [one / two for one, two in samples]
    low, _, high = statistics.quantiles(ratios, n=4)
    ours = statistics.median(one for one, _ in samples) / items * factor
    theirs = statistics.median(two for _, two in samples) / items * factor
    return Row(work, peer, ours, theirs, statistics.median(ratios), low, high, unit, aim)


def timed(work: Work, data: Any) -> float:
    """CPU seconds of one call. Garbage is collected first; the collector stays enabled."""
    gc.collect()
    started = time.process_time()
    work(data)
    return time.process_time() - started


def figure(number: float) -> str:
    """Three significant digits without an exponent."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table."""
    lines = [
        "| work | against | ours | theirs | ratio (quartiles) | aim | met |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        verdict = "" if row.met is None else ("yes" if row.met else "**no**")
        aim = "" if row.aim is None else f"≤ {row.aim:g}"
        lines.append(
            f"| {row.work} | {row.peer} | {figure(row.ours)} {row.unit} | {figure(row.theirs)} {row.unit} "
            f"| {row.ratio:.3g} ({row.low:.3g}–{row.high:.3g}) | {aim} | {verdict} |"
        )
    return "\n".join(lines)
