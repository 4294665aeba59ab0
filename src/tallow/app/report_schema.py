"""What a page may report, as a JSON file for its build: ``web/app/src/telemetry/catalog.json``.

A page has no metric catalogue of its own. The file is generated from the catalogue by ``tallow generate``, so
that a report cannot name a metric, label, value or bucket that the server refuses.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, Final

from tallow.app.wire import FEATURES, REPORTED_METRICS
from tallow.monitoring.catalog import Metric

PATH: Final = PurePosixPath("web/app/src/telemetry/catalog.json")


def files() -> dict[PurePosixPath, str]:
    """The generated file: content by path in the repository."""
    lines = (f'  "{name}": {json.dumps(_shape(metric))}' for name, metric in sorted(REPORTED_METRICS.items()))
    return {PATH: "{\n" + ",\n".join(lines) + "\n}\n"}


def _shape(metric: Metric) -> dict[str, Any]:
    values = {label.name: FEATURES if label.name == "feature" else label.values for label in metric.labels}
    labels = {name: [value for value in listed if value != "critical"] for name, listed in values.items()}
    return {"labels": labels} | ({"buckets": metric.buckets} if metric.kind == "histogram" else {})
