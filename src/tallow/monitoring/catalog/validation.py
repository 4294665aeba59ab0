"""Check that a metric can be exposed in both formats."""

from __future__ import annotations

import math
import re
from typing import Final

from tallow.monitoring.catalog.model import Metric

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MAX_BUCKETS: Final = 1000
"""Edges of a histogram: each is a cell and an exposed line of every series."""
_SAMPLE_ENDINGS = ("_bucket", "_count", "_sum", "_created")
"""Endings of the samples of a histogram."""


def definition_problem(metric: Metric) -> str | None:
    """Return what is accepted instead of a metric's definition; None if the definition is valid.

    Sources: Prometheus data model; OpenMetrics 1.0, sections 5.1 and 5.2.

    Example:
        >>> definition_problem(Metric("orders", "counter", "Orders."))
        "a counter, and no other metric, ends in _total; no name ends as a histogram's samples do"
    """
    return next((problem for check in _CHECKS if (problem := check(metric))), None)


def _name_problem(metric: Metric) -> str | None:
    if not _NAME.fullmatch(metric.name):
        return "accepted is a name of letters, digits and underscores"
    if metric.name.endswith("_total") != (metric.kind == "counter") or metric.name.endswith(_SAMPLE_ENDINGS):
        return "a counter, and no other metric, ends in _total; no name ends as a histogram's samples do"
    return None


def _label_problem(metric: Metric) -> str | None:
    names = metric.label_names
    if len(set(names)) != len(names) or not all(map(_is_label_name, names)):
        return (
            "labels are distinct names of letters, digits and underscores, not le and not beginning with __"
        )
    if not all(_is_text(value) for label in metric.labels for value in label.values):
        return "label values are text that UTF-8 can encode, without zero bytes"
    return None


def _help_problem(metric: Metric) -> str | None:
    return None if _is_text(metric.help) else "help is text that UTF-8 can encode, without zero bytes"


def _bucket_problem(metric: Metric) -> str | None:
    if len(metric.buckets) > MAX_BUCKETS:
        return f"a histogram has at most {MAX_BUCKETS} bucket edges"
    rising = all(low < high for low, high in zip(metric.buckets, metric.buckets[1:], strict=False))
    if (metric.kind == "histogram") != bool(metric.buckets) or not rising:
        return "a histogram, and no other metric, has rising bucket edges"
    if not all(map(math.isfinite, metric.buckets)):
        return "bucket edges are finite; the last bucket, +Inf, is added"
    return None


_CHECKS = (_name_problem, _label_problem, _help_problem, _bucket_problem)


def _is_label_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name != "le" and not name.startswith("__")


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:  # Prometheus's lexer takes a zero byte for the end
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
