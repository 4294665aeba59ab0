"""Input series whose values the search varies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tallow.stack.prove.witnesses.evaluation.database import Stored
from tallow.stack.prove.witnesses.evaluation.signal import SHAPES, Shape, Signal
from tallow.stack.prove.witnesses.evaluation.vector import Labels
from tallow.stack.prove.witnesses.inputs.timing import Timing
from tallow.stack.prove.witnesses.inputs.uses import SelectorUse, Uses

_COUNTING: Final = frozenset({"rate", "increase", "irate"})
_SLOPING: Final = frozenset({"deriv", "delta", "idelta", "predict_linear"})
_CUMULATIVE: Final = ("_total", "_count", "_sum", "_bucket")
_VARIABLES: Final[dict[Shape, tuple[str, ...]]] = {
    "line": ("level", "slope"),
    "counter": ("slope", "level"),
    "step": ("other", "level", "event"),
    "bend": ("later_slope", "slope", "event"),
    "alternating": ("level", "other", "period"),
    "sawtooth": ("amplitude", "level", "period"),
    "vanishing": ("level", "event"),
    "appearing": ("level", "event"),
    "absent": (),
    "sparse": ("level", "period"),
    "not-a-number": (),
    "infinite": ("level",),
    "tailed": (),
}
_OF_HISTOGRAMS: Final[dict[Shape, tuple[str, ...]]] = {
    "counter": ("place", "slope"),
    "tailed": ("place", "slope", "tail_place", "later_slope"),
    "bend": ("place", "slope", "tail_place", "later_slope", "event"),
    "absent": (),
}
"""Observations lie in the bucket of ``place``, those of a tail or after the event in ``tail_place``."""


@dataclass(slots=True)
class VariedSeries:
    """One series, or several that differ in a label only.

    Attributes:
        labels: without the name of the metric.
        edges: of the buckets of a histogram in ascending order, as labels; empty for other series.
        cumulative: whether the values never fall, except in a restart.
        values: of the variables.
        copies: how many series there are, each with its own value of ``copy_label``.
        copy_values: the first of these values; the others are numbered.
    """

    metric: str
    labels: Labels
    shape: Shape
    timing: Timing
    edges: tuple[str, ...] = ()
    cumulative: bool = False
    values: dict[str, float] = field(default_factory=dict)
    copies: int = 1
    copy_label: str = ""
    copy_values: tuple[str, ...] = ()
    stored: list[Stored] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.build()

    @property
    def full_labels(self) -> Labels:
        """The labels that all of its series have, with the name of the metric."""
        return {"__name__": self.metric, **self.labels}

    def shapes(self) -> tuple[Shape, ...]:
        """The shapes that it can have."""
        if self.edges:
            return ("counter", "absent")
        if self.metric == "up":
            return tuple(shape for shape in SHAPES if shape not in ("counter", "bend", "sawtooth"))
        return SHAPES

    def rare_shapes(self) -> tuple[Shape, ...]:
        """The shapes that it can have if none of the usual ones serves."""
        if self.edges:
            return ("tailed", "bend")
        is_bounded = self.metric == "up" or self.cumulative
        return ("sparse",) if is_bounded else ("sparse", "not-a-number", "infinite")

    def variables(self) -> list[str]:
        """The variables, those with most effect first."""
        names = list((_OF_HISTOGRAMS if self.edges else _VARIABLES)[self.shape])
        return [*names, "spread", "grade"] if self.copies > 1 else names

    def allowed(self, name: str, value: float) -> float:
        """The nearest value that the series can have."""
        if not math.isfinite(value):
            return self.get(name)
        if name in ("place", "tail_place"):
            return float(min(max(round(value), 0), len(self.edges) - 1))
        if name == "period":
            return float(min(max(round(value), 1), 500))
        if name == "event":
            return float(min(max(round(value), 0), len(self.timing.events) - 1))
        if self.metric == "up":
            return _allowed_of_up(name, value)
        return max(value, 0.0) if self.cumulative else value

    def get(self, name: str) -> float:
        """The value of a variable."""
        if name == "tail_place":
            return self.values.get(name, len(self.edges) - 1.0)
        return self.values.get(name, _DEFAULTS.get(name, 0.0))

    def set(self, name: str, value: float) -> None:
        """Change a variable."""
        self.values[name] = value
        self.update()

    def build(self) -> None:
        """Make the series anew, after a change of copies or edges."""
        self.stored = [(labels, Signal(self.shape, self.timing.interval)) for labels in self._all_labels()]
        self.update()

    def _all_labels(self) -> list[Labels]:
        if self.edges:
            return [{**self.labels, "le": edge} for edge in self.edges]
        if self.copies == 1:
            return [self.labels]
        base = self.labels.get(self.copy_label, f"{self.copy_label}-1").removesuffix("-1")
        numbered = (f"{base}-{number + 1}" for number in range(self.copies))
        values = [*self.copy_values, *numbered][: self.copies]
        return [{**self.labels, self.copy_label: value} for value in values]

    def update(self) -> None:
        """Pass the values of the variables to the series."""
        timing = self.timing
        for number, (_, signal) in enumerate(self.stored):
            signal.shape = self.shape
            level, other = self._bounded(self.get("level")), self._bounded(self.get("other"))
            spread = self.get("spread") if number == 0 else self.get("grade") * number
            signal.level = self._bounded(level + spread) if spread else level
            signal.slope, signal.later_slope = self.get("slope"), self.get("later_slope")
            stepped = self.shape in ("step", "alternating")
            signal.amplitude = other - level if stepped else self.get("amplitude")
            signal.period = int(self.get("period"))
            signal.reference = timing.end
            signal.event = timing.events[int(self.get("event"))]
            if self.shape == "sparse":
                signal.event = timing.evaluations[-1]
            if self.edges:
                self._update_bucket(number, signal)

    def _update_bucket(self, number: int, signal: Signal) -> None:
        signal.level = 0.0
        signal.slope = self.get("slope") if number >= self.get("place") else 0.0
        signal.later_slope = self.get("later_slope") if number >= self.get("tail_place") else 0.0
        if self.shape == "tailed":
            signal.shape, signal.slope = "counter", signal.slope + signal.later_slope

    def _bounded(self, value: float) -> float:
        """The value itself; of ``up``, which is 0 or 1, the nearest of them."""
        return min(max(value, 0.0), 1.0) if self.metric == "up" else value


_DEFAULTS: Final = {"level": 1.0, "other": 2.0, "amplitude": 1.0, "period": 1.0}


def _allowed_of_up(name: str, value: float) -> float:
    if name == "spread":
        return round(value)
    return 0.0 if "slope" in name or name == "grade" or value < 0.5 else 1.0


def edge_text(edge: float) -> str:
    """The value of the label ``le`` of a bucket."""
    return "+Inf" if math.isinf(edge) else f"{edge:.12g}"


def series_of(use: SelectorUse, labels: Labels, uses: Uses, timing: Timing) -> VariedSeries:
    """The series of a selector, with the shape that the functions around it suggest."""
    functions = set(use.functions)
    if "histogram_quantile" in functions and "le" not in labels:
        return VariedSeries(
            use.metric,
            labels,
            "counter",
            timing,
            _edges(uses.numbers),
            True,
            {"slope": 1.0, "level": 0.0, "place": 1.0},
        )
    named = use.metric.endswith(_CUMULATIVE) and not functions & _SLOPING
    cumulative = named or bool(functions & _COUNTING)
    shape, values = _shape(use.functions, functions, cumulative=cumulative)
    return VariedSeries(use.metric, labels, shape, timing, (), cumulative, values)


def _shape(
    ordered: Sequence[str], functions: set[str], *, cumulative: bool
) -> tuple[Shape, dict[str, float]]:
    if ordered and ordered[-1] in ("absent", "absent_over_time"):
        return "absent", {}
    if "changes" in functions:
        return "alternating", {}
    if "resets" in functions:
        return "sawtooth", {}
    if functions & _COUNTING:
        return "counter", {"slope": 1.0, "level": 0.0}
    return ("counter" if cumulative else "line"), {}


def _edges(numbers: set[float]) -> tuple[str, ...]:
    """Bucket edges around each constant of the expression.

    A quantile that lies in the bucket below a constant is smaller than it, one in the bucket above larger.
    """
    finite = {abs(number) for number in numbers if 0 < abs(number) < 1e15} or {1.0}
    edges = {number * factor for number in finite for factor in (0.5, 1.0, 2.0)}
    return (*map(edge_text, sorted(edges)), "+Inf")
