"""Performance: memory, CPU and durations."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

HIGH_MEMORY_USAGE = Rule(
    name="HighMemoryUsage",
    expr="""
sum by (job, instance) (last_over_time(tallow_process_resident_memory_bytes{job="tallow"}[$hold])) > $limit
""",
    for_seconds=5 * MINUTE,
    windows={"hold": 1 * MINUTE},
    thresholds={"limit": thresholds.RESIDENT_MEMORY_BYTES},
    severity="warning",
    category="performance",
    summary="Tallow on {{ $labels.instance }} uses {{ $value | humanize }}B of memory",
    description="""
Resident memory of all workers together is {{ $value | humanize }}B (limit 1.5 GB, decimal).
""",
    panel=Panel("tallow-performance", "Memory: RSS and heap"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

HIGH_CPU_USAGE = Rule(
    name="HighCPUUsage",
    # The window is shorter than `for`: when a worker exits, the sum falls, and rate() takes that for a
    # counter reset. The spike leaves the window before the alert can fire.
    expr="""
sum by (job, instance) (rate(tallow_process_cpu_seconds_total{job="tallow"}[$window]))
/
(sum by (job, instance) (last_over_time(tallow_workers{job="tallow"}[$hold])) > 0)
> $limit
""",
    for_seconds=5 * MINUTE,
    windows={"window": 2 * MINUTE, "hold": 1 * MINUTE},
    thresholds={"limit": thresholds.CPU_RATIO_PER_WORKER},
    severity="warning",
    category="performance",
    summary="Tallow on {{ $labels.instance }} has too little CPU",
    description="""
Each worker used {{ $value | humanizePercentage }} of one core over $window (limit $limit_percent%): relayed
transfers and signaling become slow.
""",
    panel=Panel("tallow-performance", "CPU usage"),
    on_absent="Both metrics are exposed from the start: RuleInputMissing reports their absence.",
)

SLOW_TRANSFERS = Rule(
    name="SlowTransfers",
    expr="""
histogram_quantile(0.95, sum by (job, instance, le) (
  rate(tallow_transfer_duration_seconds_bucket{job="tallow",status="success",$sizes}[$window])
)) > $limit
and
sum by (job, instance) (
  increase(tallow_transfer_duration_seconds_count{job="tallow",status="success",$sizes}[$window])
)
-
sum by (job, instance) (
  increase(tallow_transfer_duration_seconds_bucket{job="tallow",status="success",$sizes,le="60.0"}[$window])
)
>= $minimum
""".replace("$sizes", 'size_category=~"under_1mb|1mb_10mb|10mb_100mb"'),
    for_seconds=10 * MINUTE,
    windows={"window": 10 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_SLOW_TRANSFERS},
    thresholds={"limit": thresholds.TRANSFER_DURATION_P95_SECONDS},
    severity="warning",
    category="performance",
    summary="Transfers on {{ $labels.instance }} take {{ $value | humanizeDuration }}",
    description="""
One in twenty successful transfers up to 100 MB took {{ $value | humanizeDuration }} or longer over $window
(95th percentile, limit $limit s, evaluated from $minimum transfers above it on, more than one address prefix
may report).
""",
    panel=Panel("tallow-transfers", "Duration by size category"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

SLOW_PQC_OPERATIONS = Rule(
    name="SlowPQCOperations",
    expr="""
histogram_quantile(
  0.95, sum by (job, instance, le) (rate(tallow_pqc_duration_seconds_bucket{job="tallow"}[$window]))
) > $limit
and
sum by (job, instance) (increase(tallow_pqc_duration_seconds_count{job="tallow"}[$window]))
-
sum by (job, instance) (increase(tallow_pqc_duration_seconds_bucket{job="tallow",le="5.0"}[$window]))
>= $minimum
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_SLOW_PQC_OPERATIONS},
    thresholds={"limit": thresholds.PQC_DURATION_P95_SECONDS},
    severity="warning",
    category="performance",
    summary="Post-quantum operations on {{ $labels.instance }} take {{ $value | humanizeDuration }}",
    description="""
One in twenty post-quantum operations took {{ $value | humanizeDuration }} or longer over $window (95th
percentile, limit $limit s, evaluated from $minimum operations above it on, which one address prefix cannot
reach). They usually take a tenth of a millisecond.
""",
    panel=Panel("tallow-performance", "PQC operation duration p95 by operation"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

HIGH_CONNECTION_TIME = Rule(
    name="HighConnectionTime",
    expr="""
histogram_quantile(0.95, sum by (job, instance, le) (
  rate(tallow_connection_establishment_seconds_bucket{job="tallow"}[$window])
)) > $limit
and
sum by (job, instance) (increase(tallow_connection_establishment_seconds_count{job="tallow"}[$window]))
-
sum by (job, instance) (
  increase(tallow_connection_establishment_seconds_bucket{job="tallow",le="10.0"}[$window])
)
>= $minimum
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_SLOW_CONNECTIONS},
    thresholds={"limit": thresholds.CONNECTION_TIME_P95_SECONDS},
    severity="warning",
    category="performance",
    summary="Connecting on {{ $labels.instance }} takes {{ $value | humanizeDuration }}",
    description="""
One in twenty connections took {{ $value | humanizeDuration }} or longer to establish over $window (95th
percentile, limit $limit s, evaluated from $minimum connections above it on, which one address prefix cannot
reach).
""",
    panel=Panel("tallow-performance", "WebRTC connection time p95, p99"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

RULES = (HIGH_MEMORY_USAGE, HIGH_CPU_USAGE, SLOW_TRANSFERS, SLOW_PQC_OPERATIONS, HIGH_CONNECTION_TIME)
