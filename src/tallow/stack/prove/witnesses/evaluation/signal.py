"""The course of one input series in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tallow.stack.prove.witnesses.witness import Span

Shape = Literal[
    "line",
    "counter",
    "step",
    "bend",
    "alternating",
    "sawtooth",
    "vanishing",
    "appearing",
    "absent",
    "sparse",
    "not-a-number",
    "infinite",
    "tailed",
]
SHAPES: Final[tuple[Shape, ...]] = (
    "line",
    "counter",
    "absent",
    "step",
    "bend",
    "alternating",
    "sawtooth",
    "vanishing",
    "appearing",
)
"""The shapes that are tried first. Those that are left are rare in practice."""
_MOST_SAMPLES: Final = 100
LOOKBACK_S: Final = 300.0
"""Prometheus's default ``--query.lookback-delta``: how old the sample of an instant vector can be."""


@dataclass(slots=True)
class Signal:
    """One series, sampled at each multiple of an interval from 0 on.

    Attributes:
        level: the value at ``reference``; of a counter, the value at the start.
        slope: the increase per second.
        later_slope: that of a bend after the event.
        amplitude: what a step adds, and what an alternating series alternates by.
        reference: seconds from the start.
        event: when a step happens, or the series vanishes or appears.
        period: samples between two changes of an alternating series, resets of a sawtooth, or samples that a
            sparse series has.
    """

    shape: Shape
    interval: float
    level: float = 1.0
    slope: float = 0.0
    later_slope: float = 0.0
    amplitude: float = 1.0
    reference: float = 0.0
    event: float = 0.0
    period: int = 1

    def sample(self, index: int) -> float | None:
        """The sample with an index."""
        return _SAMPLES[self.shape](self, index)

    def latest(self, time: float) -> float | None:
        """The newest sample that an instant vector at a time shows."""
        index = int(time // self.interval)
        oldest = time - LOOKBACK_S
        while index >= 0 and index * self.interval > oldest:
            value = self.sample(index)
            if value is not None:
                return value
            index -= 1
        return None

    def latest_time(self, time: float) -> float:
        """The time of the sample that an instant vector shows."""
        index = int(time // self.interval)
        while index > 0 and self.sample(index) is None:
            index -= 1
        return index * self.interval

    def window(
        self, start: float, end: float, *, closed: bool = False
    ) -> tuple[list[tuple[float, float]], float]:
        """Times and samples after ``start`` and not after ``end``, and how many each of them stands for.

        In a closed window, as in Prometheus 2, a sample at ``start`` counts, too. Long windows of straight
        lines are thinned out.
        """
        first = max(first_multiple(start, self.interval, closed=closed), 0)
        last = int(end // self.interval)
        if self.shape == "absent" or last < first:
            return [], 1.0
        interval, sample = self.interval, _SAMPLES[self.shape]
        indexes: Sequence[int] = range(first, last + 1)
        if len(indexes) > _MOST_SAMPLES and self.shape in ("line", "counter"):
            indexes = [*indexes[:: len(indexes) // _MOST_SAMPLES], last]
        found = [(index * interval, sample(self, index)) for index in indexes]
        samples = [(time, value) for time, value in found if value is not None]
        return samples, (last + 1 - first) / len(indexes)

    def spans(self, count: int) -> tuple[Span, ...]:
        """The first samples for a test of promtool."""
        return _merged([self.sample(index) for index in range(count)])


def first_multiple(start: float, interval: float, *, closed: bool) -> int:
    """The index of the first multiple of an interval in a window."""
    return math.ceil(start / interval) if closed else int(start // interval) + 1


def _line(signal: Signal, index: int) -> float:
    return signal.level + signal.slope * (index * signal.interval - signal.reference)


def _counter(signal: Signal, index: int) -> float:
    return signal.level + signal.slope * index * signal.interval


def _step(signal: Signal, index: int) -> float:
    after = index * signal.interval >= signal.event
    return _line(signal, index) + (signal.amplitude if after else 0.0)


def _bend(signal: Signal, index: int) -> float:
    time = index * signal.interval
    before, after = min(time, signal.event), max(time - signal.event, 0.0)
    return signal.level + signal.slope * before + signal.later_slope * after


def _alternating(signal: Signal, index: int) -> float:
    return _line(signal, index) + (signal.amplitude if index // signal.period % 2 else 0.0)


def _sawtooth(signal: Signal, index: int) -> float:
    return signal.level + abs(signal.amplitude) * (index % (signal.period + 1))


def _vanishing(signal: Signal, index: int) -> float | None:
    return _line(signal, index) if index * signal.interval < signal.event else None


def _appearing(signal: Signal, index: int) -> float | None:
    return _line(signal, index) if index * signal.interval >= signal.event else None


def _sparse(signal: Signal, index: int) -> float | None:
    """A sample at ``event``, and at each multiple of the period before and after it."""
    is_there = (index - int(signal.event // signal.interval)) % signal.period == 0
    return _line(signal, index) if is_there else None


def _not_a_number(_: Signal, __: int) -> float:
    return math.nan


def _infinite(signal: Signal, _: int) -> float:
    return math.copysign(math.inf, signal.level)


def _absent(_: Signal, __: int) -> None:
    return None


_SAMPLES: Final = {
    "line": _line,
    "counter": _counter,
    "step": _step,
    "bend": _bend,
    "alternating": _alternating,
    "sawtooth": _sawtooth,
    "vanishing": _vanishing,
    "appearing": _appearing,
    "absent": _absent,
    "sparse": _sparse,
    "not-a-number": _not_a_number,
    "infinite": _infinite,
}


def _merged(samples: list[float | None]) -> tuple[Span, ...]:
    """Samples on straight lines as spans."""
    spans: list[Span] = []
    start = 0
    while start < len(samples):
        end = _end_of_line(samples, start)
        first = samples[start]
        second = samples[start + 1] if end - start > 1 else None
        step = second - first if first is not None and second is not None and math.isfinite(first) else 0.0
        spans.append(Span(end - start, first, step))
        start = end
    return tuple(spans)


def _end_of_line(samples: list[float | None], start: int) -> int:
    first = samples[start]
    end = start + 1
    if first is None or not math.isfinite(first):
        return _end_of_equal(samples, start)
    second = samples[end] if end < len(samples) else None
    if second is None:
        return end
    step = second - first
    while end < len(samples) and _is_near(samples[end], first + step * (end - start)):
        end += 1
    # Two samples of a course that goes on otherwise are no line.
    return end if end - start > 2 or end == len(samples) else start + 1


def _end_of_equal(samples: list[float | None], start: int) -> int:
    """The end of equal samples; NaN counts as equal to itself."""
    text = str(samples[start])
    return next(
        (index for index in range(start, len(samples)) if str(samples[index]) != text),
        len(samples),
    )


def _is_near(value: float | None, expected: float) -> bool:
    return value is not None and abs(value - expected) <= 1e-9 * max(1.0, abs(expected))
