"""RuleInputMissing: a metric that a rule reads has no series."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tallow.monitoring.catalog import PREFIX
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

_JOBS = {
    PREFIX: "tallow",
    "alertmanager_": "alertmanager",
    "prometheus_": "prometheus",
    "node_": "node-exporter",
}
"""The job that exposes a metric, by the prefix of its name."""
_METRIC = re.compile(rf"\b(?:{'|'.join(_JOBS)})[a-z0-9_]+")


def rule_input_missing(rules: Iterable[Rule]) -> Rule:
    """The rule that fires when a metric that other rules read has no series although the scrape works."""
    templates = (rule.template for rule in rules if not rule.optional)
    metrics = sorted({name for template in templates for name in _METRIC.findall(template)})
    return Rule(
        name="RuleInputMissing",
        expr="\nor\n".join(_missing(metric) for metric in metrics),
        for_seconds=10 * MINUTE,
        startup_grace=0,
        group_labels=("job", "instance", "metric"),
        severity="warning",
        category="monitoring",
        summary="{{ $labels.metric }} is missing on {{ $labels.instance }}",
        description="""
The scrape of {{ $labels.instance }} works but has no series of {{ $labels.metric }}: alerts that
read it cannot fire.
""",
        panel=Panel("tallow-overview"),
        on_absent="This rule reports it; without a scrape, ServiceDown and TargetMissing do.",
    )


def _missing(metric: str) -> str:
    job = next(job for prefix, job in _JOBS.items() if metric.startswith(prefix))
    return f"""label_replace(
  group by (job, instance) (up{{job="{job}"}} == 1)
  unless on (job, instance) group by (job, instance) ({metric}{{job="{job}"}}),
  "metric", "{metric}", "", ""
)"""
