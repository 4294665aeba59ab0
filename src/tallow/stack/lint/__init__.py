"""The linter: errors in rules and dashboards that promtool, amtool and Grafana accept.

Each linter rule has a section in ``docs/lint.md``. Exemptions and their reasons are in
:mod:`tallow.stack.lint.exceptions`.
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
