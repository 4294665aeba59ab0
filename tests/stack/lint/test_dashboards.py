"""Each linter rule about dashboards accepts a valid dashboard and rejects a single error."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tallow.stack.lint import check_dashboard

Json = dict[str, Any]
Change = Callable[[Json], None]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTOR = 'job=~"$job", instance=~"$instance"'
FAILURES = f'sum by (method) (rate(tallow_transfers_total{{{SELECTOR}, status="failed"}}[$__rate_interval]))'
DURATION = (
    "histogram_quantile(0.95, sum by (le) (rate("
    f"tallow_connection_establishment_seconds_bucket{{{SELECTOR}}}[$__rate_interval]))) >= 0"
)


def panel(number: int, kind: str, unit: str, idle: str, target: Json) -> Json:
    return {
        "id": number,
        "title": f"Panel {number}",
        "type": kind,
        "datasource": SOURCE,
        "description": "What it shows, in ten words or more, and what to do when it looks wrong.",
        "gridPos": {"x": 12 * (number - 1), "y": 0, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "noValue": idle}, "overrides": []},
        "targets": [{"refId": "A", "datasource": SOURCE, "range": True, **target}],
    }


def sound() -> Json:
    """A dashboard that breaks no rule."""
    failures = panel(1, "timeseries", "eps", "not reported", {"expr": FAILURES, "legendFormat": "{{method}}"})
    duration = panel(2, "timeseries", "s", "no traffic", {"expr": DURATION, "legendFormat": "p95"})
    duration["fieldConfig"]["defaults"]["thresholds"] = {"steps": [{"value": None}, {"value": 10}]}
    job = {"type": "query", "name": "job", "query": "label_values(tallow_build_info, job)"}
    instance = {"name": "instance", "query": 'label_values(tallow_build_info{job=~"$job"}, instance)'}
    return {
        "uid": "sound",
        "tags": ["tallow"],
        "panels": [failures, duration],
        "annotations": {"list": [{"name": "Firing", "datasource": SOURCE, "expr": 'ALERTS{job=~"$job"}'}]},
        "templating": {
            "list": [
                {"type": "datasource", "name": "datasource", "query": "prometheus"},
                {**job, "datasource": SOURCE},
                {"type": "query", "datasource": SOURCE, **instance},
            ]
        },
    }


def target(expr: str, **fields: Any) -> Change:
    """Change the query of the first panel."""

    def change(board: Json) -> None:
        board["panels"][0]["targets"][0] |= {"expr": expr, **fields}

    return change


def field(**fields: Any) -> Change:
    """Change fields of the first panel."""
    return lambda board: board["panels"][0].update(fields)


def default(place: int = 0, **fields: Any) -> Change:
    return lambda board: board["panels"][place]["fieldConfig"]["defaults"].update(fields)


def variable(**fields: Any) -> Change:
    return lambda board: board["templating"]["list"].append(
        {"type": "custom", "query": "", "datasource": SOURCE, **fields}
    )


def threshold(value: float) -> Change:
    return default(1, thresholds={"steps": [{"value": None}, {"value": value}]})


def both(first: Change, second: Change) -> Change:
    def change(board: Json) -> None:
        first(board)
        second(board)

    return change


PLAIN_DURATION = DURATION.removesuffix(" >= 0")
TABLE = {"id": "organize", "options": {"renameByName": {"method": "Method", "Value": "Failures"}}}
WRONG_TABLE = {"id": "organize", "options": {"renameByName": {"direction": "Way", "Value": "Failures"}}}

BROKEN: list[tuple[str, Change]] = [
    ("catalog/metric", target(FAILURES.replace("transfers_total", "transfer_total"))),
    ("catalog/value", target(FAILURES.replace('"failed"', '"fail"'))),
    ("panel/datasource", field(datasource={"type": "prometheus", "uid": "prometheus-1"})),
    ("panel/datasource", target(FAILURES, datasource={"type": "prometheus", "uid": "p"})),
    ("panel/datasource", lambda board: board["annotations"]["list"][0].update(datasource={"uid": "p"})),
    ("panel/datasource", lambda board: board["templating"]["list"][1].update(datasource={"uid": "p"})),
    ("panel/description", field(description="Failures")),
    ("panel/kind", field(type="graph")),
    ("panel/kind", field(transformations=[{"id": "calculateField", "options": {}}])),
    ("panel/target", target(FAILURES, refId=None)),
    ("panel/selection", target(FAILURES.replace('instance=~"$instance"', 'instance=~".+"'))),
    ("panel/window", target(FAILURES.replace("$__rate_interval", "5m"))),
    ("panel/window", target(FAILURES.replace("$__rate_interval", "$__range"))),
    ("panel/unit", default(unit="")),
    ("panel/unit", default(unit="s")),
    ("panel/unit", default(unit="percentunit")),
    ("panel/unit", default(1, unit="ms")),
    ("panel/threshold", threshold(60)),
    ("panel/threshold", threshold(0)),
    ("panel/legend", target(FAILURES, legendFormat="{{status}}")),
    ("panel/legend", target(FAILURES, legendFormat="failures")),
    ("panel/legend", target(FAILURES, legendFormat="")),
    ("panel/idle", default(noValue="")),
    ("panel/idle", default(1, noValue="nothing")),
    ("panel/idle", lambda board: board["panels"][1]["targets"][0].update(expr=PLAIN_DURATION)),
    ("dashboard/identity", lambda board: board.pop("uid")),
    ("dashboard/identity", lambda board: board.pop("tags")),
    ("dashboard/identity", lambda board: board["panels"][1].update(title="Panel 1")),
    ("dashboard/identity", lambda board: board["panels"][1].update(id=1)),
    ("dashboard/variable", variable(name="route")),
    ("dashboard/variable", target(FAILURES.replace('"failed"', '"$status"'))),
    ("dashboard/variable", variable(name="route", type="query", query="up")),
    ("catalog/metric", variable(name="r", type="query", query="label_values(tallow_nothing, job)")),
    ("catalog/label", variable(name="r", type="query", query="label_values(tallow_workers, route)")),
    ("promql/syntax", variable(name="r", type="query", query="label_values(tallow_workers{, job)")),
    ("dashboard/layout", field(gridPos={"x": 0, "y": 0, "w": 11, "h": 8})),
    ("dashboard/layout", field(gridPos={"x": 0, "y": 0, "w": 13, "h": 8})),
    ("dashboard/layout", lambda board: board["panels"][1]["gridPos"].update(w=13)),
    ("panel/legend", both(target(FAILURES, format="table"), field(transformations=[WRONG_TABLE]))),
]


def found(board: Json) -> set[str]:
    return {problem.rule for problem in check_dashboard(board, where="sound.json")}


def test_valid_dashboard_has_no_problem() -> None:
    assert check_dashboard(sound(), where="sound.json") == []


@pytest.mark.parametrize(
    ("rule", "change"), BROKEN, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(BROKEN)]
)
def test_single_error_is_rejected(rule: str, change: Change) -> None:
    board = sound()
    change(board)
    assert rule in found(board)


def test_dashboard_is_not_modified() -> None:
    board = sound()
    before = copy.deepcopy(board)
    check_dashboard(board, where="sound.json")
    assert board == before


def test_a_table_names_its_columns() -> None:
    board = sound()
    target(FAILURES, format="table", instant=True)(board)
    field(type="table", transformations=[TABLE])(board)
    assert found(board) == set()


def test_range_window_is_valid_in_an_instant_query() -> None:
    board = sound()
    target(FAILURES.replace("$__rate_interval", "$__range"), instant=True)(board)
    assert found(board) == set()


def test_an_override_gives_a_series_its_own_unit() -> None:
    board = sound()
    override = {"matcher": {"id": "byName", "options": "p95"}, "properties": [{"id": "unit", "value": "eps"}]}
    board["panels"][1]["fieldConfig"]["overrides"].append(override)
    assert "panel/unit" in found(board)


def test_a_heatmap_shows_the_unit_of_its_buckets() -> None:
    board = sound()
    cells = f"sum by (le) (rate(tallow_file_size_bytes_bucket{{{SELECTOR}}}[$__rate_interval]))"
    target(cells, legendFormat="{{le}}", format="heatmap")(board)
    field(type="heatmap")(board)
    assert found(board) == {"panel/unit"}
    default(unit="decbytes")(board)
    assert found(board) == set()


def test_a_problem_names_file_and_panel() -> None:
    board = sound()
    default(unit="s")(board)
    [problem] = check_dashboard(board, where="sound.json")
    assert problem.where == "sound.json: Panel 1"
