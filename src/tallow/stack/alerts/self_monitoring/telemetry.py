"""What reaches the metrics: lost telemetry, unlisted label values, refused reports."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

TELEMETRY_DROPPED = Rule(
    name="TelemetryDropped",
    # Loss in three windows in a row, so that a short loss does not fire. The pipeline `client` is left out:
    # any peer can exceed its quota, and that must not page.
    expr="""
sum by (job, instance) (
  increase(tallow_telemetry_dropped_total{job="tallow",pipeline!="client"}[$window])
) > $limit
""",
    for_seconds=15 * MINUTE,
    windows={"window": 5 * MINUTE},
    thresholds={"limit": 0},
    severity="warning",
    category="monitoring",
    summary="{{ $labels.instance }} loses telemetry",
    description="""
{{ $value | printf "%.0f" }} records, events or reports were dropped in $window, and some in each $window
for 15 minutes: a pipeline is blocked, or its receiver refuses them.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every pipeline and reason has a series from the start: RuleInputMissing reports its absence.",
)

LABEL_OVERFLOW = Rule(
    name="LabelOverflow",
    expr="""
sum by (job, instance) (increase(tallow_label_overflow_total{job="tallow"}[$window])) > $limit
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    thresholds={"limit": 100},
    severity="warning",
    category="monitoring",
    summary="Unlisted label values on {{ $labels.instance }}",
    description="""
{{ $value | printf "%.0f" }} events in $window (limit $limit) had a label value that the catalogue does
not list and were counted as other: a release records a new value, or a client probes the endpoint.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every labelled metric has a series from the start: RuleInputMissing reports its absence.",
)

CLIENT_REPORTS_REJECTED = Rule(
    name="ClientReportsRejected",
    expr="""
sum by (job, instance) (
  rate(tallow_client_reports_total{job="tallow",outcome=~"rejected|rate_limited"}[$window])
)
/
sum by (job, instance) (rate(tallow_client_reports_total{job="tallow"}[$window]))
> $limit
and
sum by (job, instance) (increase(tallow_client_reports_total{job="tallow"}[$window])) >= $minimum
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    min_counts={"minimum": 40},
    thresholds={"limit": 0.25},
    severity="warning",
    category="monitoring",
    summary="{{ $value | humanizePercentage }} of client reports to {{ $labels.instance }} are rejected",
    description="""
{{ $value | humanizePercentage }} of the peers' reports in $window were rejected or rate limited (limit
$limit_percent%, evaluated from $minimum reports): metrics lack those transfers.
""",
    panel=Panel("tallow-errors"),
    on_absent="Every outcome has a series from the start: RuleInputMissing reports its absence.",
)

RULES = (TELEMETRY_DROPPED, LABEL_OVERFLOW, CLIENT_REPORTS_REJECTED)
