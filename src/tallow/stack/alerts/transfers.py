"""Transfers: failures, waiting transfers and speed."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE

HIGH_TRANSFER_FAILURE_RATE = Rule(
    name="HighTransferFailureRate",
    expr=f"""
(
  sum by (job, instance) (rate(tallow_transfers_total{{job="tallow",status="failed"}}[$window]))
  /
  sum by (job, instance) (rate(tallow_transfers_total{{job="tallow",status=~"success|failed"}}[$window]))
  > $limit
  and
  sum by (job, instance) (increase(tallow_transfers_total{{job="tallow",status="failed"}}[$window]))
  >= $minimum
)
or
(
{low_traffic.mostly_failing_outcomes(low_traffic.TRANSFERS)}
)
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE, **low_traffic.WINDOWS},
    min_counts={"minimum": low_traffic.MIN_FAILED_TRANSFERS},
    fixed_min_counts=low_traffic.FEW,
    thresholds={"limit": thresholds.TRANSFER_FAILURE_RATIO, **low_traffic.LIMITS},
    severity="warning",
    category="transfers",
    summary="{{ $value | humanizePercentage }} of transfers on {{ $labels.instance }} fail",
    description="""
{{ $value | humanizePercentage }} of the transfers failed. Over $window the limit is $limit_percent%, from
$minimum failed transfers on, which one address prefix cannot reach. Over $hours it is $most_percent%, from
$few address prefixes with a failed transfer on. Cancelled transfers are not counted.
""",
    panel=Panel("tallow-errors", "Transfer failures"),
    on_absent="Every status has a series from the start: RuleInputMissing reports its absence.",
)

NO_SUCCESSFUL_TRANSFERS = Rule(
    name="NoSuccessfulTransfers",
    # Samples older than nine minutes are required: after a scrape gap the rest of the window does not cover
    # ten minutes. Transfers that a restart interrupts count as failed, hence the longer start-up grace.
    expr=f"""
(
  sum by (job, instance) (increase(tallow_transfers_total{{job="tallow",status="success"}}[$window])) == 0
  and on (job, instance) (
    sum by (job, instance) (increase(tallow_transfers_total{{job="tallow",status="failed"}}[$window]))
    >= $minimum
    or
    min by (job, instance) (min_over_time(tallow_transfer_queue_depth{{job="tallow"}}[$window])) > $waiting
  )
  and on (job, instance)
    max by (job, instance) (
      present_over_time(tallow_transfer_queue_depth{{job="tallow"}}[$oldest] offset $offset)
    )
)
or
(
  sum by (job, instance) (increase(tallow_transfers_total{{job="tallow",status="success"}}[$hours])) == 0
  and on (job, instance)
  sum by (job, instance) (increase({low_traffic.outcomes(low_traffic.TRANSFERS, "failed")}[$hours])) >= $few
)
""",
    windows={"window": 10 * MINUTE, "oldest": 2 * MINUTE, "offset": 9 * MINUTE, **low_traffic.WINDOWS},
    min_counts={"minimum": low_traffic.MIN_FAILED_TRANSFERS_10M},
    fixed_min_counts=low_traffic.FEW,
    # One address prefix cannot keep a transfer waiting for ten minutes: a room counts for five.
    thresholds={"waiting": 0},
    startup_grace=15 * MINUTE,
    severity="critical",
    category="transfers",
    summary="No transfer succeeds on {{ $labels.instance }}",
    description="""
{{ $value | printf "%.0f" }} transfers succeeded. In $window $failed failed (limit $minimum), and at least
$queued were waiting all the time (limit $waiting); in $hours transfers of $prefixes address prefixes failed
(limit $few).
""",
    annotation_queries={
        "failed": AnnotationQuery(
            'sum(increase(tallow_transfers_total{job="tallow",instance=$instance,status="failed"}[$window]))',
            'printf "%.0f"',
        ),
        "queued": AnnotationQuery(
            'sum(min_over_time(tallow_transfer_queue_depth{job="tallow",instance=$instance}[$window]))'
        ),
        "prefixes": AnnotationQuery(
            'sum(increase(tallow_client_outcomes_total{job="tallow",instance=$instance,kind="transfer",'
            'status="failed"}[$hours]))',
            'printf "%.0f"',
        ),
    },
    panel=Panel("tallow-transfers", "Transfer rate by status"),
    on_absent="Counters and queue depth have series from the start: RuleInputMissing reports their absence.",
)

TRANSFER_QUEUE_BACKLOG = Rule(
    name="TransferQueueBacklog",
    expr="""
sum by (job, instance) (last_over_time(tallow_transfer_queue_depth{job="tallow"}[$hold])) > $limit
""",
    for_seconds=5 * MINUTE,
    windows={"hold": 1 * MINUTE},
    thresholds={"limit": thresholds.QUEUE_DEPTH},
    severity="warning",
    category="transfers",
    summary="{{ $value }} transfers wait on {{ $labels.instance }}",
    description="""
{{ $value }} transfers have both peers connected and transfer no data (limit $limit).
""",
    panel=Panel("tallow-transfers", "Queue depth"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

LOW_TRANSFER_SPEED = Rule(
    name="LowTransferSpeed",
    # The speed of a file of a few kilobytes depends on the round-trip time, not on bandwidth: if most files
    # are that small, a low median is no problem.
    expr="""
histogram_quantile(
  0.5, sum by (job, instance, le) (rate(tallow_transfer_speed_mbps_bucket{job="tallow"}[$window]))
) < $limit
and
sum by (job, instance) (increase(tallow_transfer_speed_mbps_bucket{job="tallow",le="1.0"}[$window]))
>= $minimum
unless on (job, instance)
histogram_quantile(
  0.5, sum by (job, instance, le) (rate(tallow_file_size_bytes_bucket{job="tallow"}[$window]))
) < $small
""",
    for_seconds=10 * MINUTE,
    windows={"window": 10 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_SLOW_SPEEDS},
    thresholds={"limit": thresholds.MIN_TRANSFER_SPEED_P50_MBPS, "small": 65536},
    severity="warning",
    category="transfers",
    summary="Transfers on {{ $labels.instance }} are slow",
    description="""
The median speed over $window is {{ $value | printf "%.2f" }} Mbps (limit $limit Mbps, evaluated
from $minimum transfers below it on, which one address prefix cannot reach, unless most files are smaller
than 64 KiB).
""",
    panel=Panel("tallow-transfers", "Speed by method"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

RULES = (HIGH_TRANSFER_FAILURE_RATE, NO_SUCCESSFUL_TRANSFERS, TRANSFER_QUEUE_BACKLOG, LOW_TRANSFER_SPEED)
