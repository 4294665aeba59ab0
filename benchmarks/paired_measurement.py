"""Paired measurement: we and a peer in turn, CPU time, the median of the ratios and their spread.

These machines are shared and their speed drifts within a second; a ratio of two neighbours drifts less than
either figure. Inputs are made anew for every round, so that no answer can come from memory.
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
        """Whether the aim is met; None where the comparison has none."""
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
    """Compare ``ours`` with each peer on fresh inputs.

    Args:
        work: what is done, for the table.
        ours, peers: take what ``inputs`` makes.
        items: how many operations one call is; figures are microseconds of CPU an operation.
        aims: the ratio to reach, by peer.
        base: work that both sides add to, subtracted from both.
    """
    for warm in (ours, *peers.values(), *([base] if base else [])):
        warm(inputs())
    rows = []
    for name, peer in peers.items():
        samples: list[tuple[float, float]] = []
        for turn in range(rounds):
            data = inputs()
            floor = timed(base, data) if base else 0.0
            first, second = (ours, peer) if turn % 2 else (peer, ours)
            one, two = timed(first, data) - floor, timed(second, data) - floor
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
    """A row of the table from pairs of (ours, theirs) in seconds (or bytes, with another ``factor``)."""
    ratios = [one / two for one, two in samples]
    low, _, high = statistics.quantiles(ratios, n=4)
    ours = statistics.median(one for one, _ in samples) / items * factor
    theirs = statistics.median(two for _, two in samples) / items * factor
    return Row(work, peer, ours, theirs, statistics.median(ratios), low, high, unit, aim)


def timed(work: Work, data: Any) -> float:
    """CPU seconds of one call. The garbage collector runs as it does in a program, from a clean start."""
    gc.collect()
    started = time.process_time()
    work(data)
    return time.process_time() - started


def figure(number: float) -> str:
    """Three digits that count, and no exponent."""
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
