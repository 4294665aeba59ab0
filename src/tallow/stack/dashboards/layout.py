"""Assemble rows of panels into a Grafana dashboard: grid, variables, links, annotations, stable JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from tallow.stack.dashboards import queries
from tallow.stack.dashboards.panels import legend
from tallow.stack.dashboards.targets import PROMETHEUS
from tallow.stack.panel_ids import PANEL_IDS

GRID = 24
"""Columns of Grafana's grid."""
WIDE = 12
"""Columns from which a graph shows its legend beside it."""
SCHEMA = 39
"""The schema version of Grafana 11, whose options are used here; later versions migrate it."""


class Row:
    """Panels side by side; their widths fill the grid."""

    def __init__(self, height: int, *panels: tuple[int, Builder[models.Panel]]) -> None:
        assert sum(width for width, _ in panels) == GRID
        self.height = height
        self.panels = panels


@dataclass(frozen=True, slots=True)
class DashboardFrame:
    """The properties of a dashboard besides its panels."""

    uid: str
    title: str
    refresh: str = "30s"
    source: str = "prometheus"
    metrics: tuple[str, ...] = ()
    """Variables of further data sources, for Prometheus."""
    filters: tuple[Builder[models.VariableModel], ...] = ()
    """Further variables of a dashboard for another data source than Prometheus."""


def assemble(
    frame: DashboardFrame, rows: Sequence[Row], siblings: Sequence[DashboardFrame]
) -> dict[str, Any]:
    """The dashboard as Grafana's JSON model, with links to ``siblings``."""
    board = (
        builders.Dashboard(frame.title)
        .uid(frame.uid)
        .tags(["tallow"])
        .time("now-1h", "now")
        .refresh(frame.refresh)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .variables(_variables(frame))
        .links([_link(sibling) for sibling in siblings])
    )
    if frame.source == "prometheus":
        board.annotations([_alert_annotation("critical", "red"), _alert_annotation("warning", "orange")])
    model = board.build()
    model.panels = [*_place_panels(rows, PANEL_IDS[frame.uid])]
    model.schema_version = SCHEMA
    plain: dict[str, Any] = json.loads(JSONEncoder().encode(model))
    return _without_unused_fields(plain)


def dashboard_json(dashboard: dict[str, Any]) -> str:
    """The committed JSON text; sorted, so that a change of a panel changes only its lines."""
    return json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _place_panels(rows: Sequence[Row], ids: Mapping[str, int]) -> list[models.Panel]:
    panels: list[models.Panel] = []
    y = 0
    for row in rows:
        x = 0
        for width, builder in row.panels:
            if isinstance(builder, timeseries.Panel):
                builder.legend(legend(beside=width >= WIDE))
            panel = builder.build()
            panel.id_val = ids[panel.title or ""]
            panel.grid_pos = models.GridPos(h=row.height, w=width, x=x, y=y)
            for index, target in enumerate(panel.targets or []):
                target.ref_id = chr(ord("A") + index)  # type: ignore[attr-defined]
            panels.append(panel)
            x += width
        y += row.height
    return panels


def _variables(frame: DashboardFrame) -> list[Builder[models.VariableModel]]:
    source = builders.DatasourceVariable("datasource").label("Data source").type(frame.source)
    if frame.source != "prometheus":
        return [
            source,
            *(
                builders.DatasourceVariable(name).label("Metrics").type("prometheus")
                for name in frame.metrics
            ),
            *frame.filters,
        ]
    every = models.VariableOption(selected=True, text="All", value="$__all")
    return [
        source,
        *(
            builders.QueryVariable(name)
            .label(name.capitalize())
            .datasource(PROMETHEUS)
            .query(query)
            .multi(True)
            .include_all(True)
            .all_value(".+")
            .current(every)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            for name, query in (("job", queries.JOBS), ("instance", queries.INSTANCES))
        ),
    ]


def _link(sibling: DashboardFrame) -> builders.DashboardLink:
    return (
        builders.DashboardLink(sibling.title.removeprefix("Tallow / "))
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/{sibling.uid}")
        .icon("dashboard")
        .keep_time(True)
        .include_vars(True)
    )


def _alert_annotation(severity: str, colour: str) -> builders.AnnotationQuery:
    return (
        builders.AnnotationQuery()
        .name(f"Firing, {severity}")
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color(colour)
        .expr(queries.alerts(severity))
    )


def _without_unused_fields(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that the SDK writes for other kinds of variables and panels."""
    for variable in dashboard["templating"]["list"]:
        for field in ("id", "auto", "auto_min", "auto_count"):
            variable.pop(field, None)
    for annotation in dashboard.get("annotations", {}).get("list", []):
        annotation |= {"titleFormat": "{{alertname}}", "textFormat": "{{instance}}", "step": "60s"}
    for panel in dashboard["panels"]:
        panel.pop("repeatDirection", None)
    dashboard.pop("style", None)
    return dashboard
