"""The dashboards match the contract: titles, kinds and properties."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tallow.stack import thresholds
from tallow.stack.dashboards import dashboards, files
from tallow.stack.lint import check_expression
from tallow.stack.panel_ids import PANEL_IDS, panel_path

Panel = dict[str, Any]

CONTRACT = {
    "tallow-overview": {
        "Active connections": {"stat"},
        "Connected devices": {"stat"},
        "Transfer success rate": {"stat"},
        "Average transfer speed": {"stat"},
        "Transfers over time": {"timeseries"},
        "Connection type distribution": {"piechart"},
        "Error rate": {"timeseries"},
        "CPU": {"timeseries"},
        "Memory": {"timeseries"},
        "Data transferred, last 24 h": {"stat"},
        "Data transferred rate": {"timeseries"},
    },
    "tallow-transfers": {
        "Transfer rate by status": {"timeseries"},
        "P2P vs relay": {"piechart"},
        "Transfer speed distribution": {"histogram", "heatmap"},
        "Speed by method": {"timeseries"},
        "Duration by size category": {"timeseries"},
        "File size distribution": {"histogram", "barchart"},
        "Bytes transferred": {"timeseries"},
        "Queue depth": {"timeseries"},
        "Chunk transfer time p95 and p99": {"timeseries"},
        "Retry attempts": {"timeseries"},
    },
    "tallow-errors": {
        "Error rate by type": {"timeseries"},
        "Errors by severity": {"piechart"},
        "API errors by endpoint": {"table"},
        "Transfer failures": {"timeseries"},
        "Connection failures": {"timeseries"},
        "PQC operation failures": {"timeseries"},
        "Recent errors": {"table"},
        "Error rate change against 1 h ago": {"stat"},
        "Critical errors, last hour": {"stat"},
        "Error recovery rate": {"stat", "gauge"},
    },
    "tallow-performance": {
        "PQC operation duration p95 by operation": {"timeseries"},
        "WebRTC connection time p95, p99": {"timeseries"},
        "Encryption time by algorithm": {"timeseries"},
        "Database operation latency p50, p95, p99": {"timeseries"},
        "HTTP request duration p50, p95, p99": {"timeseries"},
        "Request and response sizes": {"timeseries"},
        "Memory: RSS and heap": {"timeseries"},
        "CPU usage": {"gauge", "timeseries"},
        "Garbage collection time": {"timeseries"},
        "Event loop lag p95, p99": {"timeseries"},
        "Cache hit rate": {"gauge"},
        "Bandwidth utilisation": {"timeseries"},
    },
}

LIMITS = {
    ("tallow-overview", "Transfer success rate"): 1 - thresholds.TRANSFER_FAILURE_RATIO,
    ("tallow-overview", "Average transfer speed"): thresholds.MIN_TRANSFER_SPEED_P50_MBPS,
    ("tallow-overview", "Error rate"): thresholds.ERROR_RATE_PER_SECOND,
    ("tallow-overview", "CPU"): thresholds.CPU_RATIO_PER_WORKER,
    ("tallow-overview", "Memory"): thresholds.RESIDENT_MEMORY_BYTES,
    ("tallow-transfers", "Speed by method"): thresholds.MIN_TRANSFER_SPEED_P50_MBPS,
    ("tallow-transfers", "Duration by size category"): thresholds.TRANSFER_DURATION_P95_SECONDS,
    ("tallow-transfers", "Queue depth"): thresholds.QUEUE_DEPTH,
    ("tallow-errors", "Error rate by type"): thresholds.ERROR_RATE_PER_SECOND,
    ("tallow-errors", "Transfer failures"): thresholds.TRANSFER_FAILURE_RATIO,
    ("tallow-errors", "Connection failures"): thresholds.CONNECTION_FAILURE_RATIO,
    ("tallow-errors", "PQC operation failures"): thresholds.PQC_FAILURE_RATIO,
    ("tallow-errors", "Critical errors, last hour"): thresholds.CRITICAL_ERRORS + 1,
    ("tallow-performance", "PQC operation duration p95 by operation"): thresholds.PQC_DURATION_P95_SECONDS,
    ("tallow-performance", "WebRTC connection time p95, p99"): thresholds.CONNECTION_TIME_P95_SECONDS,
    ("tallow-performance", "Database operation latency p50, p95, p99"): thresholds.DB_DURATION_P95_SECONDS,
    ("tallow-performance", "Memory: RSS and heap"): thresholds.RESIDENT_MEMORY_BYTES,
    ("tallow-performance", "CPU usage"): thresholds.CPU_RATIO_PER_WORKER,
    ("tallow-performance", "Cache hit rate"): thresholds.MIN_CACHE_HIT_RATIO,
}

PANELS = [(uid, panel) for uid in CONTRACT for panel in dashboards()[uid]["panels"]]
each_panel = pytest.mark.parametrize(
    ("uid", "panel"), PANELS, ids=[f"{uid}-{panel['title']}" for uid, panel in PANELS]
)
each_dashboard = pytest.mark.parametrize("uid", CONTRACT)


def test_there_are_43_panels() -> None:
    assert len(PANELS) == 43


@each_dashboard
def test_panels_have_the_contracts_titles_and_kinds(uid: str) -> None:
    kinds = {panel["title"]: panel["type"] for panel in dashboards()[uid]["panels"]}
    assert kinds.keys() == CONTRACT[uid].keys()
    for title, kind in kinds.items():
        assert kind in CONTRACT[uid][title], title


@each_dashboard
def test_dashboard_has_the_required_properties(uid: str) -> None:
    board = dashboards()[uid]
    assert board["uid"] == uid
    assert board["tags"] == ["tallow"]
    assert board["time"] == {"from": "now-1h", "to": "now"}
    assert board["refresh"] == ("15s" if uid == "tallow-overview" else "30s")
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "job", "instance"]
    for variable in board["templating"]["list"][1:]:
        assert variable["multi"]
        assert variable["includeAll"]


@each_dashboard
def test_links_open_the_other_dashboards_with_range_and_variables(uid: str) -> None:
    links = dashboards()[uid]["links"]
    assert {link["url"] for link in links} == {f"/d/{other}" for other in CONTRACT if other != uid}
    assert all(link["keepTime"] and link["includeVars"] for link in links)


@each_dashboard
def test_firing_alerts_are_annotations(uid: str) -> None:
    expressions = [annotation["expr"] for annotation in dashboards()[uid]["annotations"]["list"]]
    assert len(expressions) == 2
    assert all(expr.startswith('ALERTS{alertstate="firing"') for expr in expressions)


@each_panel
def test_description_adds_to_the_title(uid: str, panel: Panel) -> None:
    assert len(panel["description"].split()) >= 15
    assert len(re.findall(r"[.:;]", panel["description"])) >= 2


@each_panel
def test_threshold_equals_that_of_the_alert_rule(uid: str, panel: Panel) -> None:
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {"steps": []})["steps"]
    limits = [step["value"] for step in steps if step["value"] is not None]
    wanted = LIMITS.get((uid, panel["title"]))
    assert limits == ([] if wanted is None else [wanted])


def test_file_name_is_the_uid() -> None:
    for path in files():
        if path.suffix == ".json":
            assert path.stem in dashboards()


def test_logs_dashboard_queries_loki_and_has_one_panel_for_prometheus() -> None:
    """The number of series has no place among the 43 panels of the contract."""
    board = dashboards()["tallow-logs"]
    sources = {panel["title"]: panel["datasource"]["type"] for panel in board["panels"]}
    assert [title for title, source in sources.items() if source != "loki"] == ["Series by metric"]
    (panel,) = [panel for panel in board["panels"] if panel["title"] == "Series by metric"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${metrics}"}
    assert panel["targets"][0]["datasource"] == panel["datasource"]
    variables = {variable["name"]: variable["query"] for variable in board["templating"]["list"]}
    assert variables == {
        "datasource": "loki",
        "metrics": "prometheus",
        "level": "debug,info,warning,error,fatal",
        "correlation_id": "",
    }
    assert check_expression(panel["targets"][0]["expr"], where="tallow-logs") == []


def test_every_panel_has_the_id_that_links_use() -> None:
    found = {
        uid: {panel["title"]: panel["id"] for panel in board["panels"]} for uid, board in dashboards().items()
    }
    assert found == PANEL_IDS


def test_the_path_of_an_unknown_panel_is_an_error() -> None:
    with pytest.raises(KeyError):
        panel_path("tallow-errors", "No such panel")
