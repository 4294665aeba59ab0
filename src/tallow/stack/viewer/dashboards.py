"""The dashboards of the viewer: Tallow's own, or the JSON files of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tallow.stack.dashboards import FOLDER, dashboards

Dashboard = Mapping[str, Any]

PROMETHEUS: Final = "prometheus"
_NAMES: Final = {"loki": "Loki", "tempo": "Tempo", "alertmanager": "Alertmanager"}
"""Display names of data source types."""


class BadDashboardError(Exception):
    """A file is not a dashboard; the message names it."""


@dataclass(frozen=True, slots=True)
class UnavailableDashboard:
    """A dashboard that the viewer cannot draw; ``reason`` says why and where to see its content."""

    uid: str
    title: str
    reason: str


def load_dashboards(folder: Path | None = None) -> dict[str, Dashboard]:
    """The dashboards for Prometheus by uid, in display order.

    :func:`unavailable_dashboards` returns those for other data sources.

    Args:
        folder: the folder of the ``*.json`` files; by default the dashboards that Tallow ships.

    Raises:
        BadDashboardError: a file is not a dashboard, or the folder has none.
    """
    boards = {board["uid"]: board for board in _all(folder) if _is_drawable(board)}
    if not boards:
        raise BadDashboardError(f"{folder} has no dashboard for Prometheus")
    return boards


def unavailable_dashboards(folder: Path | None = None) -> list[UnavailableDashboard]:
    """The dashboards that :func:`load_dashboards` leaves out, with the reason.

    Args:
        folder: as for :func:`load_dashboards`.

    Raises:
        BadDashboardError: a file is not a dashboard.
    """
    return [
        UnavailableDashboard(board["uid"], board["title"], _reason(board["uid"], _sources(board)))
        for board in _all(folder)
        if not _is_drawable(board)
    ]


def _all(folder: Path | None) -> Iterable[Dashboard]:
    return dashboards().values() if folder is None else _read(folder)


def _read(folder: Path) -> Iterable[Dashboard]:
    for path in sorted(folder.glob("*.json")):
        try:
            board = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BadDashboardError(f"{path} cannot be read as JSON") from None
        texts = isinstance(board, dict) and all(isinstance(board.get(key), str) for key in ("uid", "title"))
        if not texts or not isinstance(board.get("panels"), list):
            raise BadDashboardError(f"{path} is not a dashboard: it needs 'uid', 'title' and 'panels'")
        yield board


def _is_drawable(board: Dashboard) -> bool:
    """Whether the first of its data sources, which most panels use, is a Prometheus."""
    return _sources(board)[0] == PROMETHEUS


def _sources(board: Dashboard) -> list[str]:
    """The types of a dashboard's data sources; Prometheus if it names none."""
    variables = board.get("templating", {}).get("list", [])
    named = [str(found.get("query")) for found in variables if found.get("type") == "datasource"]
    return named or [PROMETHEUS]


def _reason(uid: str, sources: list[str]) -> str:
    sources = [source for source in sources if source != PROMETHEUS]
    names = " and ".join(_NAMES.get(source, source) for source in sources)
    reason = f"This dashboard reads from {names}. This viewer reads only from Prometheus."
    if "loki" in sources:
        reason += " The command `tallow logs` shows the log lines of this stack."
    if uid in dashboards():
        return f"{reason} To see the dashboard, import {FOLDER / uid}.json into Grafana."
    return f"{reason} Grafana shows it."
