"""Security: is the cryptography sound, and is somebody trying doors."""

from __future__ import annotations

from tallow.stack import thresholds
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
  sum by (job, instance) (increase(tallow_pqc_key_exchanges_total{job="tallow"}[$window])) >= $exchanges
)
or
(
  sum by (job, instance) (rate(tallow_pqc_operations_total{job="tallow",status="failed"}[$window]))
  /
  sum by (job, instance) (rate(tallow_pqc_operations_total{job="tallow"}[$window]))
  > $limit
  and
  sum by (job, instance) (increase(tallow_pqc_operations_total{job="tallow"}[$window])) >= $operations
)
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE},
    min_counts={"exchanges": 10, "operations": 20},
    thresholds={"limit": thresholds.PQC_FAILURE_RATIO},
    severity="critical",
    category="security",
    summary="Key exchanges fail on {{ $labels.instance }}",
    description="""
{{ $value | humanizePercentage }} of the key exchanges, or of the post-quantum operations behind them, failed
over $window (limit $limit_percent%, from $exchanges exchanges or $operations operations on). Somebody may be
tampering with the handshake, or a release broke it.
""",
    panel=Panel("tallow-errors", "PQC operation failures"),
    on_absent="Every operation, algorithm and status has a series from the start: reported by "
    "RuleInputMissing.",
)

UNAUTHORIZED_API_ACCESS = Rule(
    name="UnauthorizedAPIAccess",
    # increase() extrapolates to the ends of its window: floor() keeps ten answers from reading as 10.5.
    expr="""
floor(sum by (job, instance) (increase(tallow_api_errors_total{job="tallow",status_code="401"}[$window])))
> $limit
""",
    windows={"window": 5 * MINUTE},
    thresholds={"limit": thresholds.UNAUTHORIZED_ANSWERS},
    severity="warning",
    category="security",
    summary="{{ $value }} unauthorized requests to {{ $labels.instance }}",
    description="""
{{ $value }} requests were answered 401 in $window (limit $limit): somebody tries tokens, or a scraper or
probe holds an old one.
""",
    panel=Panel("tallow-errors", "API errors by endpoint"),
    on_absent="401 has a series on every route from its registration: reported by RuleInputMissing.",
)

RULES = (HIGH_PQC_FAILURE_RATE, UNAUTHORIZED_API_ACCESS)
