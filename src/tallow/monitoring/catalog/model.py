"""The definition of a metric as data: type, labels with their allowed values, buckets, source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NAMESPACE = "tallow"
"""The namespace of Tallow's own server and stack. Another application chooses its own.

Example:
    >>> NAMESPACE
    'tallow'
"""
PREFIX = f"{NAMESPACE}_"
"""The prefix of the metric names of Tallow's own server, as its rules and dashboards use them.

Example:
    >>> PREFIX + "transfers_total"
    'tallow_transfers_total'
"""
OTHER = "other"
"""The label value that stands for every unknown value.

Example:
    >>> OTHER
    'other'
"""

Kind = Literal["counter", "gauge", "histogram"]
"""The type of a metric.

Example:
    >>> kind: Kind = "counter"
"""
Source = Literal["server", "peer", "both"]
"""Who records a metric: the server, a peer (sent in its telemetry report), or both, each its own events.

Example:
    >>> source: Source = "peer"
"""
Merge = Literal["sum", "min", "max", "local"]
"""How a gauge of several workers is combined: the sum, minimum or maximum of live workers, or the scraped
worker's own.

Example:
    >>> merge: Merge = "min"
"""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the values it may have. Other values are recorded as ``other``.

    Attributes:
        name: the label's name.
        values: the values known from the start.
        registered: whether further values can be registered while the process runs.
        lazy: whether series appear with their first sample instead of at 0 from the start.
        on_use: whether a value is registered with its first use.

    Example:
        >>> Label("status", ("success", "failed")).values
        ('success', 'failed')
    """

    name: str
    values: tuple[str, ...] = ()
    registered: bool = False
    lazy: bool = False
    on_use: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of one metric.

    Attributes:
        name: without namespace; it ends in the unit, and in ``_total`` for a counter.
        kind: the type.
        help: one sentence for the exposition.
        labels: in the order of the exposition.
        buckets: finite upper edges of a histogram, in the unit of the name, rising.
        source: who records it.
        merge: how a gauge of several workers is combined.
        namespace: what precedes the name; an empty text for nothing, None for the registry's namespace.

    Example:
        >>> metric = Metric("exports_total", "counter", "Exports made.", (Label("format", ("csv", "pdf")),))
        >>> metric.exposed_name("shop")
        'shop_exports_total'
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    source: Source = "server"
    merge: Merge = "sum"
    namespace: str | None = None

    @property
    def full_name(self) -> str:
        """The name that Tallow's own server exposes."""
        return self.exposed_name(NAMESPACE)

    @property
    def key(self) -> str:
        """What identifies the metric in a registry, whatever the namespace of the registry is.

        The name alone; with a colon in front, which no name contains, if the metric has a namespace of its
        own.
        """
        return self.name if self.namespace is None else f":{self.exposed_name('')}"

    def exposed_name(self, namespace: str) -> str:
        """Return the exposed name in a registry of the namespace."""
        prefix = namespace if self.namespace is None else self.namespace
        return f"{prefix}_{self.name}" if prefix else self.name

    def sample_names(self, namespace: str) -> set[str]:
        """Return the names of the metric and of its samples, in the text format and in OpenMetrics."""
        name = self.exposed_name(namespace)
        if self.kind == "counter":
            return {name, name.removesuffix("_total")}
        if self.kind == "histogram":
            return {name, f"{name}_bucket", f"{name}_count", f"{name}_sum"}
        return {name}

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels, in their order."""
        return tuple(label.name for label in self.labels)

    @property
    def unit(self) -> str:
        """The unit in the name: ``seconds``, ``bytes``, ``mbps`` or an empty text."""
        stem = self.name.removesuffix("_total")
        return next((unit for unit in ("seconds", "bytes", "mbps") if stem.endswith(f"_{unit}")), "")


def canonical(edge: float) -> str:
    """Format a bucket edge as Prometheus 3 stores it and OpenMetrics recommends.

    With another format, one bucket would be two series across an upgrade of Prometheus. Sources: OpenMetrics
    1.0, "Considerations: Canonical Numbers"; Go's ``strconv.FormatFloat(edge, 'g', -1, 64)``.

    Args:
        edge: a finite number, not negative.

    Returns:
        The shortest text that has the value of ``edge``, with a decimal point or an exponent.

    Example:
        >>> canonical(0.5), canonical(60), canonical(1_000_000)
        ('0.5', '60.0', '1e+06')
    """
    shortest = repr(float(edge))
    if not 1e6 <= edge < 1e16:  # Python uses exponents below 0.0001, as Go does, and above 1e16
        return shortest
    digits = shortest.removesuffix(".0").replace(".", "")
    exponent = len(str(int(edge))) - 1
    fraction = digits[1:].rstrip("0")
    return f"{digits[0]}{'.' if fraction else ''}{fraction}e+{exponent:02}"
