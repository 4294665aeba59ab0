"""Definitions of metrics in the files of workers, so that a worker can expose what it has not declared.

A module that declares a metric may be imported in one worker only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from tallow.monitoring.catalog import Label, Metric

_FIELD: Final = b'{"definition":'
"""The start of a line of an index that has a definition; other lines have a series."""


def definition_line(metric: Metric) -> bytes:
    """Return the line of an index that defines a metric.

    Example:
        >>> definition_line(Metric("exports_total", "counter", "Exports made."))[:45]
        b'{"definition":{"name":"exports_total","kind":'
    """
    return orjson.dumps({"definition": metric})


def parse_definition(line: bytes) -> Metric | None:
    """Return the metric that a line defines; None if it defines none or was cut short."""
    if not line.startswith(_FIELD):
        return None
    try:
        return as_metric(orjson.loads(line)["definition"])
    except (ValueError, TypeError, KeyError):
        return None


def as_metric(document: Mapping[str, Any]) -> Metric:
    """Return the metric of a document of :func:`definition_line`.

    Raises:
        ValueError, TypeError, KeyError: it is of another version, or damaged.
    """
    labels = tuple(Label(**{**label, "values": tuple(label["values"])}) for label in document["labels"])
    metric = Metric(**{**document, "labels": labels, "buckets": tuple(map(float, document["buckets"]))})
    texts = (metric.name, metric.help, metric.namespace or "", *metric.label_names)
    if metric.kind not in {"counter", "gauge", "histogram"} or not all(
        isinstance(text, str) for text in texts
    ):
        raise ValueError("not a metric")
    return metric
