"""Series under which a rule and its mutants may differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tallow.stack.prove.witnesses.witness import METRIC_NAME, InputSeries, Observation, Span, Witness

_TIMES: Final = 60
"""At which a rule and its mutants are compared."""
_MOST_VARIANTS: Final = 12
_NEW_LABEL: Final = "instance"


@dataclass(frozen=True, slots=True)
class TestInput:
    """Series, and when they are sampled and rules are evaluated.

    Attributes:
        interval: seconds between two samples.
        every: seconds between two evaluations.
        end: the last evaluation that counts, in seconds.
    """

    __test__ = False  # no test of pytest's

    series: tuple[InputSeries, ...]
    interval: float
    every: float
    end: float

    @property
    def times(self) -> list[float]:
        """Evaluations, the last of them included."""
        count = math.floor(self.end / self.every)
        step = math.ceil(count / _TIMES) or 1
        return [(count - index) * self.every for index in range(0, count, step)][::-1]


def known_inputs(witness: Witness) -> Iterator[TestInput]:
    """The series of a witness, and those with which the alert begins or ends to fire under way."""
    for one in witness.observations:
        yield _with_series(one, one.series)
    firing = [one for one in witness.observations if one.firing][:1]
    quiet = [one for one in witness.observations if not one.firing][:1]
    for first, second in zip([*firing, *quiet], [*quiet, *firing], strict=False):
        if first is not second and first.interval_seconds == second.interval_seconds:
            yield _one_after_the_other(first, second)
    for one in (*firing, *quiet):
        yield from islice(_variants(one), _MOST_VARIANTS)


def _with_series(one: Observation, series: tuple[InputSeries, ...]) -> TestInput:
    """Series at the times of an observation."""
    end = max([*one.firing, *one.quiet], default=0.0)
    return TestInput(series, one.interval_seconds, one.evaluation_interval_seconds, end)


def _variants(one: Observation) -> Iterator[TestInput]:
    """The same series with another value of one label, and with a second series that has another value."""
    for name in dict.fromkeys(name for each in one.series for name in each.labels if name != METRIC_NAME):
        yield _with_series(one, tuple(_with_label(each, name) for each in one.series))
    for each in one.series:
        for name in [*(set(each.labels) - {METRIC_NAME, "le"}), _NEW_LABEL]:
            yield _with_series(one, (*one.series, _with_label(each, name)))


def _with_label(series: InputSeries, name: str) -> InputSeries:
    """A series with another value of a label; one that does not have it only if it is new to all."""
    if name not in series.labels and name != _NEW_LABEL:
        return series
    return InputSeries({**series.labels, name: f"{series.labels.get(name, name)}-other"}, series.spans)


def _one_after_the_other(first: Observation, second: Observation) -> TestInput:
    lengths = [max((_length(one) for one in each.series), default=0) for each in (first, second)]
    before = {one.selector: one for one in first.series}
    after = {one.selector: one for one in second.series}
    series = tuple(
        InputSeries(
            (before.get(selector) or after[selector]).labels,
            (*_filled(before.get(selector), lengths[0]), *_filled(after.get(selector), lengths[1])),
        )
        for selector in dict.fromkeys([*before, *after])
    )
    interval, every = first.interval_seconds, first.evaluation_interval_seconds
    end = math.floor((sum(lengths) - 1) * interval / every) * every
    return TestInput(series, interval, every, max(end, 0.0))


def _length(series: InputSeries) -> int:
    return sum(span.count for span in series.spans)


def _filled(series: InputSeries | None, length: int) -> tuple[Span, ...]:
    """The samples of a series, and none for the rest of a length."""
    spans = series.spans if series is not None else ()
    rest = length - sum(span.count for span in spans)
    return (*spans, Span(rest, None)) if rest else spans
