"""Links of an alert: its runbook and the dashboard panel that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from tallow.stack.deployment import NATIVE, Deployment
from tallow.stack.panel_ids import panel_path


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses without a trailing slash; by default those of a stack without a port offset.

    >>> Links(dashboards="https://grafana.example.org").runbooks
    'http://localhost:9095/runbooks'
    """

    runbooks: str = f"{NATIVE.base_urls['heartbeat']}/runbooks"
    dashboards: str = NATIVE.base_urls["dashboards"]

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """The addresses of a deployment: the heartbeat checker serves the runbooks."""
        return cls(f"{deployment.base_urls['heartbeat']}/runbooks", deployment.base_urls["dashboards"])


@dataclass(frozen=True, slots=True)
class Panel:
    """A dashboard panel by dashboard uid and panel title; without a title, the whole dashboard."""

    dashboard: str
    title: str | None = None

    def url(self, links: Links) -> str:
        """The address that opens the panel.

        >>> Panel("tallow-errors", "Transfer failures").url(Links())
        'http://localhost:3001/d/tallow-errors?viewPanel=6'

        Raises:
            KeyError: there is no such dashboard or panel.
        """
        path = f"/d/{self.dashboard}" if self.title is None else panel_path(self.dashboard, self.title)
        return links.dashboards + path


OVERVIEW: Final = Panel("tallow-overview")
"""For messages that no panel shows."""
