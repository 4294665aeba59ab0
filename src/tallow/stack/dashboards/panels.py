"""One function for each kind of panel, built with Grafana's Foundation SDK.

``description`` says what the panel shows and what to do when it looks wrong. ``no_value`` is the text that a
panel without samples shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.builders import barchart, gauge, heatmap, piechart, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    ScaleDistributionConfig,
    StackingConfig,
    TableSortByFieldState,
    VizLegendOptions,
    VizTextDisplayOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.piechart import PieChartLabels, PieChartLegendValues, PieChartType

from tallow.stack.dashboards.palette import NEUTRAL, fixed_colour, no_thresholds
from tallow.stack.dashboards.targets import PROMETHEUS

NUMBER_PX = 40
NO_TRAFFIC = "no traffic"
NO_DATA = "not reported"
"""Shown when nothing was scraped, for values that an idle system has as well."""


def time_series_panel(
    title: str,
    description: str,
    unit: str,
    *targets: Dataquery,
    limit: ThresholdsConfig | None = None,
    stacked: bool = False,
    soft_max: float | None = None,
    no_value: str = NO_DATA,
) -> timeseries.Panel:
    """Series over time from zero up; ``limit`` is drawn as a dashed line.

    The axis reaches at least to ``soft_max``, so that small values look small.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .line_width(2)
        .fill_opacity(35 if stacked else 8)
        .show_points(common.VisibilityMode.AUTO)
        .legend(legend(beside=False))
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .thresholds(limit or no_thresholds())
        .targets(list(targets))
    )
    if stacked:
        panel.stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if limit:
        panel.thresholds_style(GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED))
    if soft_max is not None:
        panel.axis_soft_max(soft_max)
    return panel


def with_log_scale(panel: timeseries.Panel) -> timeseries.Panel:
    """Use a logarithmic scale, for values between milliseconds and hours."""
    scale = ScaleDistributionConfig().type(common.ScaleDistribution.LOG).log(10)
    return panel.scale_distribution(scale).fill_opacity(0)


def with_dashed(panel: timeseries.Panel, ending: str) -> timeseries.Panel:
    """Draw the series whose name ends in the word ``ending`` dashed."""
    line = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})
    return panel.override_by_regexp(f"/ {ending}$/", [line])


def with_count_axis(panel: timeseries.Panel, name: str, colour: str) -> timeseries.Panel:
    """Draw the series ``name``, in events a minute, as bars with a separate axis on the right."""
    return panel.override_by_name(
        name,
        [
            fixed_colour(colour),
            DynamicConfigValue("unit", "epm"),
            DynamicConfigValue("custom.drawStyle", "bars"),
            DynamicConfigValue("custom.lineWidth", 0),
            DynamicConfigValue("custom.fillOpacity", 45),
            DynamicConfigValue("custom.axisPlacement", "right"),
            DynamicConfigValue("custom.axisGridShow", False),
            DynamicConfigValue("custom.axisSoftMax", 5),
            DynamicConfigValue("custom.thresholdsStyle", {"mode": "off"}),
        ],
    )


def stat_panel(
    title: str,
    description: str,
    unit: str,
    target: Dataquery,
    *,
    limit: ThresholdsConfig | None = None,
    no_value: str = NO_DATA,
) -> stat.Panel:
    """One large number."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(limit or no_thresholds())
        .reduce_options(_last())
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE)
        .text(VizTextDisplayOptions().value_size(NUMBER_PX))
        .with_target(target)
    )


def gauge_panel(
    title: str,
    description: str,
    target: Dataquery,
    *,
    limit: ThresholdsConfig | None = None,
    no_value: str = NO_DATA,
) -> gauge.Panel:
    """A gauge from 0 to 100 % with the limit marked."""
    return (
        gauge.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit("percentunit")
        .min(0)
        .max(1)
        .decimals(0)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(limit or no_thresholds())
        .reduce_options(_last())
        .show_threshold_markers(limit is not None)
        .with_target(target)
    )


def pie_panel(
    title: str, description: str, unit: str, *targets: Dataquery, no_value: str = NO_TRAFFIC
) -> piechart.Panel:
    """A donut chart of shares over the time range."""
    return (
        piechart.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .decimals(0)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .reduce_options(_last())
        .pie_type(PieChartType.DONUT)
        .display_labels([PieChartLabels.PERCENT])
        .legend(
            piechart.PieChartLegendOptions()
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.RIGHT)
            .show_legend(True)
            .values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
        )
        .targets(list(targets))
    )


def heatmap_panel(
    title: str, description: str, unit: str, target: Dataquery, *, no_value: str = NO_TRAFFIC
) -> heatmap.Panel:
    """A histogram over time: darker cells have more observations; empty cells are not drawn."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .no_value(no_value)
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
        .y_axis(heatmap.YAxisConfig().unit(unit).axis_placement(common.AxisPlacement.LEFT))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .scale_distribution(ScaleDistributionConfig().type(common.ScaleDistribution.LINEAR))
        .show_tooltip()
        .show_legend()
        .with_target(target)
    )


def bar_panel(
    title: str, description: str, unit: str, *targets: Dataquery, no_value: str = NO_DATA
) -> barchart.Panel:
    """One bar for each target, in their order, named by their legends."""
    return (
        barchart.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .decimals(0)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("purple"))
        .transformations(
            [DataTransformerConfig("reduce", options={"mode": "seriesToRows", "reducers": ["lastNotNull"]})]
        )
        .x_field("Field")
        .orientation(common.VizOrientation.VERTICAL)
        .show_value(common.VisibilityMode.AUTO)
        .legend(VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.LIST))
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
        .targets(list(targets))
    )


def table_panel(
    title: str, description: str, unit: str, target: Dataquery, columns: Mapping[str, str], *, no_value: str
) -> table.Panel:
    """A table of ``columns`` (heading by label or ``Value``), sorted by the last column, largest first."""
    order = {name: place for place, name in enumerate(columns)}
    value = list(columns.values())[-1]
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .decimals(0)
        .no_value(no_value)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color(NEUTRAL))
        .show_header(True)
        .sort_by([TableSortByFieldState().display_name(value).desc(True)])
        .transformations(
            [
                DataTransformerConfig(
                    "organize",
                    options={
                        "excludeByName": {"Time": True},
                        "indexByName": order,
                        "renameByName": dict(columns),
                    },
                )
            ]
        )
        .with_target(target)
    )


def legend(*, beside: bool) -> VizLegendOptions:
    """A legend with last and largest values: a table beside a wide graph, a list below a narrow one."""
    options = VizLegendOptions().show_legend(True).calcs(["lastNotNull", "max"])
    if beside:
        return options.display_mode(common.LegendDisplayMode.TABLE).placement(common.LegendPlacement.RIGHT)
    return options.display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM)


def _last() -> ReduceDataOptions:
    return ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
