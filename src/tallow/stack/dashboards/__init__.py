"""The dashboards: four for Prometheus and one for log lines in Loki.

They are built with Grafana's Foundation SDK and generated to ``monitoring/grafana/``; Grafana and the
embedded viewer read the same JSON.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath
from typing import Any

from tallow.stack.dashboards import errors, logs, overview, performance, transfers
from tallow.stack.dashboards.layout import DashboardFrame, assemble, dashboard_json
from tallow.stack.dashboards.provisioning import PROVIDER, SETTINGS, datasources
from tallow.stack.deployment import COMPOSE

__all__ = ["FOLDER", "FRAMES", "dashboards", "files"]

FOLDER = PurePosixPath("monitoring/grafana")
"""The repository folder of the dashboards."""

FRAMES = {
    overview: DashboardFrame(overview.UID, overview.TITLE, refresh="15s"),
    transfers: DashboardFrame(transfers.UID, transfers.TITLE),
    errors: DashboardFrame(errors.UID, errors.TITLE),
    performance: DashboardFrame(performance.UID, performance.TITLE),
}
"""The dashboards for Prometheus by their module."""
_LOGS = DashboardFrame(
    logs.UID, logs.TITLE, source="loki", metrics=("metrics",), filters=(*logs.variables(),)
)


@cache
def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard as Grafana's JSON model, by uid, in display order. Do not modify them.

    >>> dashboards()["tallow-errors"]["title"]
    'Tallow / Errors'
    """
    frames = list(FRAMES.values())
    boards = {
        frame.uid: assemble(frame, module.rows(), [other for other in frames if other is not frame])
        for module, frame in FRAMES.items()
    }
    return {**boards, logs.UID: assemble(_LOGS, logs.rows(), frames)}


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for Grafana: content by repository path.

    >>> FOLDER / "tallow-errors.json" in files()
    True
    """
    boards = {FOLDER / f"{uid}.json": dashboard_json(board) for uid, board in dashboards().items()}
    return {
        **boards,
        FOLDER / "grafana-datasources.yml": datasources(COMPOSE),
        FOLDER / "grafana-dashboards.yml": PROVIDER,
        FOLDER / "grafana.ini": SETTINGS,
    }
