"""The dashboards the viewer shows: Tallow's own, or the JSON files of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tallow.stack.dashboards import dashboards

Board = Mapping[str, Any]


class BadDashboardError(Exception):
    """A file of the folder is no dashboard; the message names it."""


def load_boards(folder: Path | None = None) -> dict[str, Board]:
    """Dashboards by uid, in reading order; those for another data source than Prometheus are left out.

    Args:
        folder: where to read ``*.json``; by default those shipped, which ``monitoring/grafana/`` holds too.

    Raises:
        BadDashboardError: a file is not a dashboard, or the folder has none.
    """
    found = dashboards().values() if folder is None else _read(folder)
    boards = {board["uid"]: board for board in found if _is_for_prometheus(board)}
    if not boards:
        raise BadDashboardError(f"{folder} has no dashboard for Prometheus")
    return boards


def _read(folder: Path) -> Iterable[Board]:
    for path in sorted(folder.glob("*.json")):
        try:
            board = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BadDashboardError(f"{path} cannot be read as JSON") from None
        texts = isinstance(board, dict) and all(isinstance(board.get(key), str) for key in ("uid", "title"))
        if not texts or not isinstance(board.get("panels"), list):
            raise BadDashboardError(f"{path} is not a dashboard: it needs 'uid', 'title' and 'panels'")
        yield board


def _is_for_prometheus(board: Board) -> bool:
    variables = board.get("templating", {}).get("list", [])
    sources = [found.get("query") for found in variables if found.get("type") == "datasource"]
    return not sources or "prometheus" in sources
