"""Limits that Tallow comes near: samples of a scrape, series, file descriptors."""

from __future__ import annotations

from dataclasses import replace

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import HOUR, MINUTE

SAMPLE_LIMIT = 50_000
"""Samples that a scrape of Tallow may have. Above it Prometheus drops all of them, and ``up`` is 0."""

SCRAPE_NEAR_SAMPLE_LIMIT = Rule(
    name="ScrapeNearSampleLimit",
    expr="""
max by (job, instance) (last_over_time(scrape_samples_post_metric_relabeling{job="tallow"}[$hold])) > $limit
""",
    for_seconds=10 * MINUTE,
    windows={"hold": 1 * MINUTE},
    thresholds={"limit": 0.8 * SAMPLE_LIMIT},
    startup_grace=0,
    severity="warning",
    category="monitoring",
    summary="The scrape of {{ $labels.instance }} is close to its sample limit",
    description=f"""
{{{{ $value }}}} of at most {SAMPLE_LIMIT} samples (fires above $limit): beyond the limit the whole scrape
fails, and ServiceDown fires.
""",
    panel=Panel("tallow-overview"),
    on_absent="Prometheus writes it with every scrape: ServiceDown reports its absence.",
)

# Prometheus counts the samples of each scrape, which are as many as all metrics have series together. That is
# one series for each instance over six hours, where tallow_metric_series is one for each metric. A failed
# scrape has 0.
METRIC_SERIES_GROWING = Rule(
    name="MetricSeriesGrowing",
    expr="""
sum by (job, instance) (last_over_time(tallow_metric_series{job="tallow"}[$hold]))
-
min by (job, instance) (
  min_over_time((scrape_samples_post_metric_relabeling{job="tallow"} > 0)[$window:])
)
> $limit
""",
    for_seconds=10 * MINUTE,
    windows={"window": 6 * HOUR, "hold": 1 * MINUTE},
    # Every method on every route with every class of status is below it: a scanner cannot reach it.
    thresholds={"limit": 10_000},
    severity="warning",
    category="monitoring",
    summary="The number of series of {{ $labels.instance }} grows",
    description=f"""
The exposition has {{{{ $value | printf "%.0f" }}}} lines more than at its smallest in the last $window (limit
$limit): a label takes ever more values. A scrape of more than {SAMPLE_LIMIT} samples fails.
""",
    panel=Panel("tallow-logs", "Series by metric"),
    on_absent="Every metric has a series from the start: RuleInputMissing reports its absence.",
)

_OWN_DESCRIPTORS = """
sum by (job, instance) (last_over_time(tallow_process_open_fds{job="tallow"}[$hold]))
/
(sum by (job, instance) (last_over_time(tallow_process_max_fds{job="tallow"}[$hold])) > 0)
> $limit
"""
_DESCRIPTORS_OF_OTHERS = """or
max by (job, instance) (
  last_over_time(process_open_fds[$hold]) / (last_over_time(process_max_fds[$hold]) > 0)
)
> $limit
"""

FILE_DESCRIPTORS_LOW = Rule(
    name="FileDescriptorsLow",
    expr=_OWN_DESCRIPTORS + _DESCRIPTORS_OF_OTHERS,
    for_seconds=5 * MINUTE,
    windows={"hold": 1 * MINUTE},
    thresholds={"limit": 0.8},
    severity="warning",
    category="monitoring",
    summary="{{ $labels.instance }} runs out of file descriptors",
    description="""
{{ $value | humanizePercentage }} of the file descriptors that {{ $labels.instance }} (job {{ $labels.job }})
may open are in use (limit $limit_percent%). At the limit it accepts no connection and opens no file.
""",
    panel=Panel("tallow-overview", "Active connections"),
    on_absent="Tallow exposes both from the start: RuleInputMissing reports their absence. Another program "
    "without them is not watched.",
)

FILE_DESCRIPTORS_OF_TALLOW_LOW = replace(FILE_DESCRIPTORS_LOW, expr=_OWN_DESCRIPTORS)
"""The rule for a Prometheus that scrapes more than Tallow's stack."""

RULES = (SCRAPE_NEAR_SAMPLE_LIMIT, METRIC_SERIES_GROWING, FILE_DESCRIPTORS_LOW)
