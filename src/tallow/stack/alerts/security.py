"""Security: failing key exchanges, and unauthorized requests."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

HIGH_PQC_FAILURE_RATE = Rule(
    name="HighPQCFailureRate",
    expr="""
(
  sum by (job, instance) (rate(tallow_pqc_key_exchanges_total{job="tallow",status="failed"}[$window]))
  /
  sum by (job, instance) (rate(tallow_pqc_key_exchanges_total{job="tallow"}[$window]))
  > $limit
  and
  sum by (job, instance) (increase(tallow_pqc_key_exchanges_total{job="tallow",status="failed"}[$window]))
  >= $exchanges
)
or
(
  sum by (job, instance) (rate(tallow_pqc_operations_total{job="tallow",status="failed"}[$window]))
  /
  sum by (job, instance) (rate(tallow_pqc_operations_total{job="tallow"}[$window]))
  > $limit
  and
  sum by (job, instance) (increase(tallow_pqc_operations_total{job="tallow",status="failed"}[$window]))
  >= $operations
)
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE},
    min_counts={
        "exchanges": low_traffic.MIN_FAILED_KEY_EXCHANGES,
        "operations": low_traffic.MIN_FAILED_PQC_OPERATIONS,
    },
    thresholds={"limit": thresholds.PQC_FAILURE_RATIO},
    severity="critical",
    category="security",
    summary="Key exchanges fail on {{ $labels.instance }}",
    description="""
{{ $value | humanizePercentage }} of the key exchanges, or of their post-quantum operations, failed over
$window (limit $limit_percent%, evaluated from $exchanges failed exchanges or $operations failed operations
on, which one address prefix cannot reach). An attacker may modify the handshake, or a release broke it.
""",
    panel=Panel("tallow-errors", "PQC operation failures"),
    on_absent="Every operation, algorithm and status has a series from the start: RuleInputMissing "
    "reports its absence.",
)

PQC_FAILURES_LOW_TRAFFIC = Rule(
    name="PQCFailuresLowTraffic",
    expr=f"""
{
        low_traffic.mostly_failing(
            low_traffic.outcomes(low_traffic.KEY_EXCHANGES, "failed"),
            f'tallow_client_outcomes_total{{job="tallow",{low_traffic.KEY_EXCHANGES}}}',
        )
    }
""",
    for_seconds=5 * MINUTE,
    windows=low_traffic.WINDOWS,
    fixed_min_counts=low_traffic.FEW,
    thresholds=low_traffic.LIMITS,
    severity="warning",
    category="security",
    summary="Key exchanges of several clients fail on {{ $labels.instance }}",
    description="""
{{ $value | humanizePercentage }} of the key exchanges failed over $hours, each address prefix counted once
for success and once for failure (limit $most_percent%, from $few prefixes with a failure on). Traffic is too
low for HighPQCFailureRate. An attacker may modify the handshake, or a release broke it.
""",
    panel=Panel("tallow-errors", "PQC operation failures"),
    on_absent="Every kind and status has a series from the start: RuleInputMissing reports its absence.",
)

UNAUTHORIZED_API_ACCESS = Rule(
    name="UnauthorizedAPIAccess",
    # increase() extrapolates to the ends of its window: without floor(), ten responses can read as 10.5.
    expr="""
floor(sum by (job, instance) (increase(tallow_api_errors_total{job="tallow",status_code="401"}[$window])))
> $limit
""",
    windows={"window": 5 * MINUTE},
    thresholds={"limit": thresholds.UNAUTHORIZED_RESPONSES},
    severity="warning",
    category="security",
    summary="{{ $value }} unauthorized requests to {{ $labels.instance }}",
    description="""
{{ $value }} requests were answered 401 in $window (limit $limit): a client guesses tokens, or a scraper
or probe uses an old one.
""",
    panel=Panel("tallow-errors", "API errors by endpoint"),
    on_absent="Every route has a 401 series from its registration: RuleInputMissing reports its absence.",
)

RULES = (HIGH_PQC_FAILURE_RATE, UNAUTHORIZED_API_ACCESS)
