"""Grafana targets: the kind, format and legend of a query."""

from __future__ import annotations

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The data source that the dashboard's variable selects."""


def range_target(expr: str, legend: str) -> Dataquery:
    """One sample for each step of the range. ``legend`` may contain labels: ``{{status}}``."""
    return _query(expr, legend).range()


def exemplar_target(expr: str, legend: str) -> Dataquery:
    """As :func:`range_target`, with exemplars: Grafana draws them as points that link to log lines."""
    return range_target(expr, legend).exemplar(True)


def instant_target(expr: str, legend: str) -> Dataquery:
    """One sample at the end of the range."""
    return _query(expr, legend).instant()


def table_target(expr: str) -> Dataquery:
    """One row for each series, its labels as columns."""
    return _query(expr, "").instant().format(PromQueryFormat.TABLE)


def heatmap_target(expr: str) -> Dataquery:
    """A histogram's buckets over the range, for a heatmap."""
    return _query(expr, "{{le}}").range().format(PromQueryFormat.HEATMAP)


def _query(expr: str, legend: str) -> Dataquery:
    return Dataquery().expr(expr).legend_format(legend).datasource(PROMETHEUS)
