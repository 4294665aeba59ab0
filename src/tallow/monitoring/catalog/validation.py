"""What a metric must be to stand in both exposition formats."""

from __future__ import annotations

import math
import re

from tallow.monitoring.catalog.model import Metric

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MADE = ("_bucket", "_count", "_sum", "_created")
"""Endings of the samples that a histogram is written as."""


def refusal(metric: Metric) -> str | None:
    """What is wrong with a metric that is to be declared, and what is accepted; None if nothing is.

    Source: Prometheus data model; OpenMetrics 1.0, sections 5.1 and 5.2.
    """
    if not _NAME.fullmatch(metric.name):
        return "accepted is a name of letters, digits and underscores"
    if metric.name.endswith("_total") != (metric.kind == "counter") or metric.name.endswith(_MADE):
        return "a counter, and only it, ends in _total, and nothing ends as a histogram's samples do"
    if len(set(metric.label_names)) != len(metric.label_names) or not all(map(_labels, metric.label_names)):
        return "labels are distinct names of letters, digits and underscores, not le and not from __ on"
    if not all(_text(value) for label in metric.labels for value in label.values) or not _text(metric.help):
        return "help and label values are text that UTF-8 can write, without zero bytes"
    rising = all(low < high for low, high in zip(metric.buckets, metric.buckets[1:], strict=False))
    if (metric.kind == "histogram") != bool(metric.buckets) or not rising:
        return "a histogram, and only it, takes rising bucket edges"
    return (
        None
        if all(map(math.isfinite, metric.buckets))
        else "edges are finite: the last bucket is there anyway"
    )


def _labels(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name != "le" and not name.startswith("__")


def _text(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:  # Prometheus's lexer takes one for the end
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
