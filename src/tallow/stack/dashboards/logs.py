"""Logs: the lines behind the numbers, where Loki runs."""

from __future__ import annotations

from grafana_foundation_sdk.builders import logs, loki, timeseries
from grafana_foundation_sdk.builders.common import StackingConfig, VizLegendOptions
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from tallow.stack.dashboards.layout import Row
from tallow.stack.dashboards.palette import fixed_colour

UID = "tallow-logs"
TITLE = "Tallow / Logs"
LOKI = DataSourceRef(type_val="loki", uid="${datasource}")
LINES = '{service_name="tallow"} | json level="level"'
"""Tallow's lines, by the label with which the library ships them and by which Loki 3 groups its own."""
_LEVELS = {
    "debug": "#8F8F8F",
    "info": "light-blue",
    "warning": "dark-yellow",
    "error": "light-red",
    "fatal": "dark-red",
}


def rows() -> list[Row]:
    return [Row(7, (24, _volume())), Row(20, (24, _lines()))]


def _volume() -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title("Log lines by level")
        .description(
            "Lines in each step of the graph. A jump of error or fatal: zoom in, the lines below follow. "
            "Silence while the service is up: the shipper stopped; see its status."
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


def _lines() -> logs.Panel:
    return (
        logs.Panel()
        .title("Log lines")
        .description(
            "Newest first, already scrubbed of private data. Copy a line's correlation id into the search to "
            "see one transfer or request from end to end; `tallow logs` does the same without Loki."
        )
        .datasource(LOKI)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(common.LogsSortOrder.DESCENDING)
        .with_target(loki.Dataquery().datasource(LOKI).expr(LINES).query_type("range"))
    )
