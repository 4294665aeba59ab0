"""Which dashboards the viewer shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.dashboards.viewer import Viewer, logged_in
from tallow.stack.viewer.dashboards import BadDashboardError, load_dashboards, unavailable_dashboards


def test_loads_the_committed_dashboards_for_prometheus() -> None:
    folder = Path(__file__).parents[3] / "monitoring" / "grafana"
    assert load_dashboards() == load_dashboards(folder)
    assert next(iter(load_dashboards())) == "tallow-overview"
    assert "tallow-logs" not in load_dashboards()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"uid": "a", "title": "A"}', '{"uid": 1, "title": "A", "panels": []}']
)
def test_error_names_a_file_that_is_not_a_dashboard(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(BadDashboardError, match=r"mine\.json"):
        load_dashboards(tmp_path)


def test_error_names_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadDashboardError, match="has no dashboard for Prometheus"):
        load_dashboards(tmp_path)


async def test_dashboards_are_listed_and_served_unchanged(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        listed = (await client.get("/api/dashboards")).json()
        assert [board["uid"] for board in listed] == list(load_dashboards())
        served = await client.get("/api/dashboards/tallow-errors")
        assert served.json() == json.loads(json.dumps(load_dashboards()["tallow-errors"]))
        assert (await client.get("/api/dashboards/none")).status_code == 404


async def test_a_dashboard_for_another_data_source_is_explained(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        [logs] = (await client.get("/api/unavailable-dashboards")).json()
        assert (logs["uid"], logs["title"]) == ("tallow-logs", "Tallow / Logs")
        for word in ("Loki", "Prometheus", "`tallow logs`", "monitoring/grafana/tallow-logs.json"):
            assert word in logs["reason"]
        asked = await client.get("/api/dashboards/tallow-logs")
        assert (asked.status_code, asked.json()["error"]) == (404, logs["reason"])


def test_dashboard_of_a_folder_for_another_data_source_is_explained(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "monitoring" / "grafana"
    assert unavailable_dashboards(shipped) == unavailable_dashboards()
    variable = {"type": "datasource", "query": "influxdb"}
    board = {"uid": "mine", "title": "Mine", "panels": [], "templating": {"list": [variable]}}
    (tmp_path / "mine.json").write_text(json.dumps(board))
    [mine] = unavailable_dashboards(tmp_path)
    assert mine.reason == (
        "This dashboard reads from influxdb. This viewer reads only from Prometheus. Grafana shows it."
    )
