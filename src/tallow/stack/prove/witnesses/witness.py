"""The result of the search for an alert's input series."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tallow.stack.prove.promtool.output import FiringAlert
from tallow.stack.prove.rule_file import LoadedRule

METRIC_NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive samples of a series, on a straight line.

    Attributes:
        count: of samples.
        first: the value of the first sample; None if there are no samples in the span.
        step: from one sample to the next.
    """

    count: int
    first: float | None
    step: float = 0.0

    def values(self) -> Iterator[float | None]:
        """The value of each sample; None where there is none."""
        for index in range(self.count):
            yield None if self.first is None else self.first + (self.step * index if self.step else 0.0)

    def __str__(self) -> str:
        """The span in the notation of promtool.

        Example:
            >>> str(Span(3, 1.0, 0.5)), str(Span(2, None)), str(Span(1, 7.0))
            ('1+0.5x2', '_x2', '7')
        """
        if self.first is None:
            return f"_x{self.count}"
        if self.count == 1 or math.isinf(self.first) or math.isnan(self.first):
            return " ".join([_number(self.first)] * self.count)
        return (
            f"{_number(self.first)}{'-' if self.step < 0 else '+'}{_number(abs(self.step))}x{self.count - 1}"
        )


def _number(value: float) -> str:
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else f"{value:.12g}"


@dataclass(frozen=True, slots=True)
class InputSeries:
    """One series of a test.

    Attributes:
        labels: with the name of the metric as ``__name__``.
        spans: the samples from the start of the test on, one for each interval.
    """

    labels: Mapping[str, str]
    spans: tuple[Span, ...]

    @property
    def selector(self) -> str:
        """Name and labels as in an exposition."""
        inner = ",".join(
            f'{name}="{_escaped(value)}"' for name, value in self.labels.items() if name != METRIC_NAME
        )
        name = self.labels.get(METRIC_NAME, "")
        return f"{name}{{{inner}}}" if inner else name

    @property
    def notation(self) -> str:
        """The samples in the notation of promtool."""
        return " ".join(map(str, self.spans))

    def samples(self) -> Iterator[float | None]:
        """The value of each sample; None where there is none."""
        for span in self.spans:
            yield from span.values()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Observation:
    """Input series, and when promtool sees the alert fire under them.

    Attributes:
        behaviour: in words, as the name of a test.
        firing: seconds from the start at which it fires.
        alerts: that fire then, with all of their labels and annotations, by these seconds.
        quiet: seconds at which it does not.
        interval_seconds: between two samples.
        evaluation_interval_seconds: between two evaluations of the rules.
    """

    behaviour: str
    series: tuple[InputSeries, ...]
    firing: tuple[float, ...]
    alerts: Mapping[float, Sequence[FiringAlert]]
    quiet: tuple[float, ...]
    interval_seconds: float
    evaluation_interval_seconds: float


ObstacleKind = Literal["never", "prevented", "budget", "unconfirmed", "limit", "unparsed"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why no series were found under which an alert fires.

    Attributes:
        kind: *never*: it is proven that there are none. *prevented*: the search ended without a result.
            *budget*: its time was used up.
            *unconfirmed*: promtool does not see the alert fire under the series that were found.
            *limit*: the search does not understand the expression. *unparsed*: the parser does not.
        text: the smallest part of the expression that has no result although its own operands can have one;
            for the last three kinds what happened.
        reason: of a proof: why the part never has a result.
    """

    kind: ObstacleKind
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """What was found for one alert, verified by promtool.

    Attributes:
        alert: the rule.
        series: the alert fires under them; empty if none were found, or if it fires without any.
        fires_at: seconds from the start of the test at which it fires; None if no series were found.
        quiet_series: the same just below the condition: the alert does not fire in the end. None if none were
            found, as for an alert that always fires.
        obstacle: why no series were found; None if some were.
        interval_seconds: between two samples.
        observations: all that was verified: the series above, and series for other parts of the condition.
    """

    alert: LoadedRule
    series: tuple[InputSeries, ...] = ()
    fires_at: float | None = None
    quiet_series: tuple[InputSeries, ...] | None = None
    obstacle: Obstacle | None = None
    interval_seconds: float = 60.0
    observations: tuple[Observation, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the alert was seen firing."""
        return self.fires_at is not None
