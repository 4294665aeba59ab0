"""The linter: what promtool, Grafana and amtool accept and still cannot work.

Each rule has a name and a page section of that name in ``docs/lint.md``; where one does not hold, an
exemption with a reason stands in :mod:`tallow.stack.lint.exceptions`.
"""

from __future__ import annotations

from tallow.stack.lint.alerts import Evidence, check_alert
from tallow.stack.lint.dashboards import check_dashboard
from tallow.stack.lint.problem import Problem
from tallow.stack.lint.promql.expressions import check_expression
from tallow.stack.lint.receivers import check_receivers

__all__ = [
    "Evidence",
    "Problem",
    "check_alert",
    "check_dashboard",
    "check_expression",
    "check_receivers",
]
