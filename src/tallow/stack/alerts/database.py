"""Database: how long statements take."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

SLOW_DATABASE_OPERATIONS = Rule(
    name="SlowDatabaseOperations",
    expr="""
histogram_quantile(
  0.95, sum by (job, instance, le) (rate(tallow_db_operation_duration_seconds_bucket{job="tallow"}[$window]))
) > $limit
and
sum by (job, instance) (increase(tallow_db_operation_duration_seconds_count{job="tallow"}[$window]))
>= $minimum
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE},
    min_counts={"minimum": 20},
    thresholds={"limit": thresholds.DB_DURATION_P95_SECONDS},
    severity="warning",
    category="database",
    summary="The database of {{ $labels.instance }} responds in {{ $value | humanizeDuration }}",
    description="""
One in twenty statements took {{ $value | humanizeDuration }} or longer over $window (95th percentile, limit
$limit s, evaluated from $minimum statements).
""",
    panel=Panel("tallow-performance", "Database operation latency p50, p95, p99"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

RULES = (SLOW_DATABASE_OPERATIONS,)
