"""What a metric of the contract is: its type, labels with their allowed values, buckets, source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "tallow_"
OTHER = "other"

Kind = Literal["counter", "gauge", "histogram"]
Source = Literal["S", "P", "SP"]
"""Who books it: the server (S), a peer by report (P), or each side its own (SP)."""
Merge = Literal["sum", "min", "own"]
"""How several workers' gauges become one: sum of the living, smallest, or the answering worker's."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the values it may take.

    Closed: just ``values``. Guarded: ``values`` and what is registered while the process runs (routes,
    caches, features, settings). Anything else is recorded as ``other``. With ``lazy`` the series are
    not there at 0 from the start but appear with their first sample.
    """

    name: str
    values: tuple[str, ...] = ()
    registered: bool = False
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the contract. ``name`` carries no prefix; ``buckets`` are the finite upper edges."""

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    source: Source = "S"
    merge: Merge = "sum"

    @property
    def full_name(self) -> str:
        """The name as exposed, prefix included."""
        return PREFIX + self.name

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @property
    def unit(self) -> str:
        """The unit in the name (``seconds``, ``bytes``, ``mbps``), or an empty string."""
        stem = self.name.removesuffix("_total")
        return next((unit for unit in ("seconds", "bytes", "mbps") if stem.endswith(f"_{unit}")), "")


def closed(name: str, *values: str) -> Label:
    """A label that takes just the values given."""
    return Label(name, values)


def guarded(name: str, *values: str) -> Label:
    """A label that takes the values given and those registered later."""
    return Label(name, values, registered=True)


def canonical(edge: float) -> str:
    """A bucket's edge as Prometheus 3 stores it and OpenMetrics recommends: ``0.5``, ``60.0``, ``1e+06``.

    Written otherwise, one bucket would be two series across an upgrade. Source: OpenMetrics 1.0,
    "Considerations: Canonical Numbers"; Go's ``strconv.FormatFloat(edge, 'g', -1, 64)``.
    """
    shortest = repr(float(edge))
    if not 1e6 <= edge < 1e16:  # Python turns to exponents below 0.0001, as Go does, and above 1e16
        return shortest
    digits = shortest.removesuffix(".0").replace(".", "")
    exponent = len(str(int(edge))) - 1
    fraction = digits[1:].rstrip("0")
    return f"{digits[0]}{'.' if fraction else ''}{fraction}e+{exponent:02}"
