"""Logs dashboard: log lines in Loki, and the number of series, for which no other dashboard has a panel.

The queries select by ``service_name``, the one index label that the library's push and all shippers set.
Level and correlation id are structured metadata: a filter finds them, a selector such as ``{level="error"}``
finds nothing.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, logs, loki, timeseries
from grafana_foundation_sdk.builders.common import StackingConfig, VizLegendOptions
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableModel, VariableOption

from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import fixed_colour
from tallow.stack.dashboards.panels import time_series_panel
from tallow.stack.dashboards.targets import range_target

UID = "tallow-logs"
TITLE = "Tallow / Logs"
LOKI = DataSourceRef(type_val="loki", uid="${datasource}")
METRICS = DataSourceRef(type_val="prometheus", uid="${metrics}")
CORRELATION_ID = "correlation_id"
"""The variable that links from a log line and from an exemplar set."""
LINES = f'{{service_name="tallow"}} | level=~"$level" | {CORRELATION_ID}=~"${CORRELATION_ID}.*"'
"""Tallow's lines of the chosen levels. A line without a correlation id matches the empty text."""
_LEVELS = {
    "debug": "#8F8F8F",
    "info": "light-blue",
    "warning": "dark-yellow",
    "error": "light-red",
    "fatal": "dark-red",
}


def rows() -> list[Row]:
    return [Row(7, (24, _volume())), Row(20, (24, _lines())), Row(8, (24, _series()))]


def variables() -> list[Builder[VariableModel]]:
    """The variables that filter lines."""
    every = VariableOption(selected=True, text="All", value="$__all")
    return [
        dashboard.CustomVariable("level")
        .label("Level")
        .values(",".join(_LEVELS))
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(every),
        dashboard.TextBoxVariable(CORRELATION_ID).label("Correlation id").default_value(""),
    ]


def _volume() -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title("Log lines by level")
        .description(
            "Lines in each step of the graph. If error or fatal rises, zoom in: the lines below follow. "
            "No lines while the service is up means that the shipper stopped; see its status."
        )
        .datasource(LOKI)
        .unit("short")
        .min(0)
        .no_value("no lines")
        .legend(VizLegendOptions().show_legend(True).display_mode(common.LegendDisplayMode.LIST))
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .with_target(
            loki.Dataquery()
            .datasource(LOKI)
            .expr(f"sum by (level) (count_over_time({LINES} [$__auto]))")
            .legend_format("{{level}}")
            .query_type("range")
        )
    )
    for level, colour in _LEVELS.items():
        panel.override_by_name(level, [fixed_colour(colour)])
    return panel


def _series() -> timeseries.Panel:
    expr = 'topk(10, sum by (metric) (tallow_metric_series{job="tallow"}))'
    target = range_target(expr, "{{metric}}").datasource(METRICS)
    return time_series_panel(
        "Series by metric",
        "Lines of the exposition of the ten largest metrics, all instances together. A metric that rises "
        "without end has a label that takes ever more values: MetricSeriesGrowing fires; see its runbook.",
        "short",
        target,
    ).datasource(METRICS)


def _lines() -> logs.Panel:
    return (
        logs.Panel()
        .title("Log lines")
        .description(
            "Newest first, scrubbed of private data. A line's details link its correlation id to all lines "
            "of that transfer or request; `tallow logs --correlation-id` shows the same without Loki."
        )
        .datasource(LOKI)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(common.LogsSortOrder.DESCENDING)
        .with_target(loki.Dataquery().datasource(LOKI).expr(LINES).query_type("range"))
    )
