"""Availability: whether Tallow answers, and its errors."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import MINUTE

_REQUESTS = "tallow_http_request_duration_seconds_count"
_ROUTES = f'route!~"{thresholds.OBSERVER_ROUTES}"'
"""Scrapes and health probes would lower the share of failing requests."""

SERVICE_DOWN = Rule(
    name="ServiceDown",
    expr="""
min by (job, instance) (last_over_time(up{job="tallow"}[$hold])) == 0
or
absent(up{job="tallow"})
""",
    for_seconds=1 * MINUTE,
    windows={"hold": 1 * MINUTE},
    startup_grace=0,
    severity="critical",
    category="availability",
    summary="Tallow {{ with $labels.instance }}on {{ . }} {{ end }}does not answer",
    description="""
{{ if $labels.instance }}The scrape of {{ $labels.instance }} has failed for a minute: the process does not
run, hangs, refuses the metrics token or exceeds the sample limit.
{{ else }}Prometheus has no target of job tallow: the service is not monitored.{{ end }}
Transfers cannot start while it is down.
""",
    panel=Panel("tallow-overview"),
    on_absent="Without an up series of job tallow the alert fires, without an instance.",
    absence_is_fault=True,
)

_FAILING = f'{_REQUESTS}{{job="tallow",status_code="5xx",{_ROUTES}}}'
_ALL = f'{_REQUESTS}{{job="tallow",{_ROUTES}}}'

HIGH_ERROR_RATE = Rule(
    name="HighErrorRate",
    expr=f"""
sum by (job, instance) (rate(tallow_errors_total{{job="tallow"}}[$window])) > $errors
or
(
  sum by (job, instance) (rate({_FAILING}[$window]))
  /
  sum by (job, instance) (rate({_ALL}[$window]))
  > $ratio
  and
  sum by (job, instance) (increase({_ALL}[$window])) >= $minimum
)
or
(
{low_traffic.mostly_failing(_FAILING, _ALL)}
)
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE, **low_traffic.WINDOWS},
    min_counts={"minimum": 20},
    fixed_min_counts=low_traffic.FEW,
    thresholds={
        "errors": thresholds.ERROR_RATE_PER_SECOND,
        "ratio": thresholds.SERVER_ERROR_RATIO,
        **low_traffic.LIMITS,
    },
    severity="warning",
    category="availability",
    summary="Tallow on {{ $labels.instance }} has a high error rate",
    description="""
Over $window: $rate errors a second (limit $errors), and $share of the requests answered 5xx (limit
$ratio_percent%, evaluated from $minimum requests; metrics and health routes are not counted). Over $hours it
also fires from $few such answers on, if they are more than $most_percent% ($long_share).
""",
    annotation_queries={
        "rate": AnnotationQuery('sum(rate(tallow_errors_total{job="tallow",instance=$instance}[$window]))'),
        "share": AnnotationQuery(
            """
sum(rate(REQUESTS{job="tallow",instance=$instance,status_code="5xx",ROUTES}[$window]))
/ (sum(rate(REQUESTS{job="tallow",instance=$instance,ROUTES}[$window])) > 0)
""".replace("REQUESTS", _REQUESTS).replace("ROUTES", _ROUTES),
            "humanizePercentage",
        ),
        "long_share": AnnotationQuery(
            """
sum(increase(REQUESTS{job="tallow",instance=$instance,status_code="5xx",ROUTES}[$hours]))
/ (sum(increase(REQUESTS{job="tallow",instance=$instance,ROUTES}[$hours])) > 0)
""".replace("REQUESTS", _REQUESTS).replace("ROUTES", _ROUTES),
            "humanizePercentage",
        ),
    },
    panel=Panel("tallow-errors", "Error rate by type"),
    on_absent="Errors have series from the start: RuleInputMissing reports their absence. "
    "Without a 5xx series there was no such response.",
)

CRITICAL_ERRORS = Rule(
    name="CriticalErrors",
    expr="""
sum by (job, instance) (increase(tallow_errors_total{job="tallow",severity="critical"}[$window])) > $limit
""",
    windows={"window": 5 * MINUTE},
    thresholds={"limit": thresholds.CRITICAL_ERRORS},
    startup_grace=0,
    severity="critical",
    category="availability",
    summary="Critical error in Tallow on {{ $labels.instance }}",
    description="""
{{ $value | printf "%.0f" }} critical errors in $window: data or security may be at risk, or a component
of the server stopped working.
""",
    panel=Panel("tallow-errors", "Critical errors, last hour"),
    on_absent="Every type and severity has a series from the start: RuleInputMissing reports its absence.",
)

RULES = (SERVICE_DOWN, HIGH_ERROR_RATE, CRITICAL_ERRORS)
