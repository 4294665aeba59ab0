"""Declare a metric: the same arguments for Tallow's catalogue and for an application's own metrics."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

from tallow.monitoring.catalog.model import OTHER, Kind, Label, Merge, Metric, Source
from tallow.monitoring.catalog.validation import definition_problem

DEFAULT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bucket edges in seconds of a histogram that names none, as in prometheus_client.

Example:
    >>> len(DEFAULT_BUCKETS)
    14
"""

MAX_LINES: Final = 10_000
"""Lines of the exposition that the listed label values of one metric may create."""

_PART: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class Registered:
    """The values of a label that are not all known when the metric is declared.

    A value is allowed with its first use, up to 500 values. One in which the scrubber finds private data, and
    one that is not a short printable text, is recorded as ``other``. Never pass what a user typed.

    Args:
        values: values that are allowed from the start.
        on_use: False to allow only ``values`` and those passed to ``register()``.
        from_start: whether the series of allowed values exist at 0 before their first sample.

    Example:
        >>> Registered("home", "cart").values
        ('home', 'cart')
    """

    values: tuple[str, ...]
    on_use: bool
    from_start: bool

    def __init__(self, *values: str, on_use: bool = True, from_start: bool = True) -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "on_use", on_use)
        object.__setattr__(self, "from_start", from_start)


LabelValues = Iterable[str] | Registered
"""All values of a label, or :class:`Registered`."""


def define(
    kind: Kind,
    name: str,
    documentation: str,
    labels: Mapping[str, LabelValues] | None = None,
    *,
    namespace: str | None = "",
    subsystem: str = "",
    unit: str = "",
    buckets: Sequence[float] | None = None,
    merge: Merge = "sum",
    source: Source = "server",
) -> Metric:
    """Return the definition of a metric.

    Args:
        kind: the type.
        name: without namespace. A counter's gets ``_total`` if it does not end so.
        documentation: one sentence for the exposition.
        labels: the values of each label, in the order of the exposition.
        namespace: what precedes the name; an empty text for nothing, None for the registry's namespace.
        subsystem: what stands between namespace and name.
        unit: appended to the name if it does not end so.
        buckets: upper edges of a histogram; ``+Inf`` may be left out.
        merge: how a gauge of several workers is combined.
        source: who records it.

    Raises:
        ValueError: one line that names the metric, what is wrong and what is accepted.

    Example:
        >>> define("counter", "exports", "Exports made.", {"format": ("csv", "pdf")}).name
        'exports_total'
    """
    try:
        _check_parts(name, namespace, subsystem, unit)
        listed = tuple(_label(label, values) for label, values in _pairs(labels))
        edges = _edges(DEFAULT_BUCKETS if buckets is None else buckets) if kind == "histogram" else ()
        metric = Metric(
            _complete_name(kind, name, subsystem, unit),
            kind,
            documentation,
            listed,
            edges,
            source,
            merge,
            namespace,
        )
        problem = definition_problem(metric) or _size_problem(metric)
    except (TypeError, ValueError) as error:
        problem = str(error)
    if problem is not None:
        raise ValueError(f"{kind} {name!r}: {problem}")
    return metric


def _check_parts(name: object, namespace: object, subsystem: object, unit: object) -> None:
    if not isinstance(name, str) or not _PART.fullmatch(name):
        raise ValueError("the name is not valid; accepted are letters, digits and underscores")
    for what, part in (("namespace", namespace), ("subsystem", subsystem), ("unit", unit)):
        if part is not None and part != "" and not (isinstance(part, str) and _PART.fullmatch(part)):
            raise ValueError(f"{what} {part!r} is not valid; accepted are letters, digits and underscores")


def _complete_name(kind: Kind, name: str, subsystem: str, unit: str) -> str:
    found = f"{subsystem}_{name}" if subsystem else name
    if kind == "counter":
        found = found.removesuffix("_total")
    if unit and found != unit and not found.endswith(f"_{unit}"):
        found = f"{found}_{unit}"
    return f"{found}_total" if kind == "counter" else found


def _pairs(labels: object) -> Iterable[tuple[str, LabelValues]]:
    if labels is None:
        return ()
    if not isinstance(labels, Mapping):
        raise TypeError(
            "labels are a dict of each label and its values, such as {'format': ('csv', 'pdf')}; "
            "a label whose values are not known is Registered()"
        )
    return labels.items()


def _label(name: object, values: object) -> Label:
    if not isinstance(name, str):
        raise TypeError(f"the label {name!r} is not a text")
    texts = _texts(name, values)
    if isinstance(values, Registered):
        return Label(name, texts, registered=True, lazy=not values.from_start, on_use=values.on_use)
    if not texts:
        raise ValueError(f"label {name!r} has no values; list them, or use Registered()")
    return Label(name, texts)


def _texts(name: str, values: object) -> tuple[str, ...]:
    """Return the listed values of a label."""
    if isinstance(values, str) or not isinstance(values, (Iterable, Registered)):
        raise TypeError(f"the values of label {name!r} are a tuple of texts or Registered()")
    listed = values.values if isinstance(values, Registered) else tuple(values)
    if not all(isinstance(value, str) for value in listed):
        raise ValueError(f"the values of label {name!r} are texts")
    texts = tuple(str.__str__(value) for value in listed)
    if len(set(texts)) != len(texts):
        raise ValueError(f"a value of label {name!r} is listed twice")
    return texts


def _edges(buckets: object) -> tuple[float, ...]:
    edges = _floats(buckets)
    if edges and edges[-1] == math.inf:
        edges = edges[:-1]
    if not edges or not all(map(math.isfinite, edges)):
        raise ValueError("bucket edges are finite numbers, at least one; the last bucket, +Inf, is added")
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError("bucket edges rise, and none is repeated")
    return edges


def _floats(buckets: object) -> tuple[float, ...]:
    if not isinstance(buckets, (str, bytes)) and isinstance(buckets, Iterable):
        with suppress(TypeError, ValueError, OverflowError):
            return tuple(float(edge) for edge in buckets)
    raise TypeError("buckets are a tuple of numbers")


def _size_problem(metric: Metric) -> str | None:
    lines = len(metric.buckets) + 3 if metric.kind == "histogram" else 1
    for label in metric.labels:
        lines *= max(1, len({*label.values, OTHER}) if label.registered else len(label.values))
    if lines > MAX_LINES:
        return f"its label values make {lines:,} lines of the exposition; at most {MAX_LINES:,} are accepted"
    return None


counter: Final = partial(define, "counter", namespace=None)
"""Define a counter of a catalogue: see :func:`define`.

Example:
    >>> counter("exports", "Exports made.", {"format": ("csv", "pdf")}).exposed_name("shop")
    'shop_exports_total'
"""
gauge: Final = partial(define, "gauge", namespace=None)
"""Define a gauge of a catalogue: see :func:`define`.

Example:
    >>> gauge("open_carts", "Open carts.").exposed_name("shop")
    'shop_open_carts'
"""
histogram: Final = partial(define, "histogram", namespace=None)
"""Define a histogram of a catalogue: see :func:`define`.

Example:
    >>> histogram("render_seconds", "Time to render a page.", buckets=(0.1, 1)).buckets
    (0.1, 1.0)
"""
