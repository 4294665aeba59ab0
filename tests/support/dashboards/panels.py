"""Every query of the dashboards with Grafana's variables filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tallow.stack.dashboards import dashboards
from tallow.stack.lint.promql.templating import expand


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One target of one panel. ``instant``: Grafana requests one sample at the end of the range."""

    uid: str
    title: str
    ref: str
    expr: str
    instant: bool
    idle: str
    """The text that the panel shows without samples."""

    def __str__(self) -> str:
        return f"{self.uid}: {self.title}: {self.ref}"


def values(
    *, job: str = ".+", instance: str = ".+", rate_interval: str = "1m", span: str = "3600s"
) -> dict[str, str]:
    """The values of Grafana's variables; ``.+`` is Grafana's "All"."""
    return {
        "job": job,
        "instance": instance,
        "__rate_interval": rate_interval,
        "__interval": "15s",
        "__range": span,
    }


def panel_queries(filled: Mapping[str, str]) -> list[PanelQuery]:
    """The queries of all panels of the four Prometheus dashboards."""
    return list(_queries(filled))


def _queries(filled: Mapping[str, str]) -> Iterator[PanelQuery]:
    for uid, board in dashboards().items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["type"] == "prometheus":
                    yield _query(uid, panel, target, filled)


def _query(uid: str, panel: Any, target: Any, filled: Mapping[str, str]) -> PanelQuery:
    expr = expand(target["expr"], filled)
    assert "$" not in expr, f"unexpanded variable in {expr}"
    idle = panel["fieldConfig"]["defaults"]["noValue"]
    return PanelQuery(uid, panel["title"], target["refId"], expr, bool(target.get("instant")), idle)
