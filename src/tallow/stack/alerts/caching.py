"""Caching: how often the cache answers."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

LOW_CACHE_HIT_RATE = Rule(
    name="LowCacheHitRate",
    expr="""
sum by (job, instance) (rate(tallow_cache_hits_total{job="tallow"}[$window]))
/
(
  sum by (job, instance) (rate(tallow_cache_hits_total{job="tallow"}[$window]))
  +
  sum by (job, instance) (rate(tallow_cache_misses_total{job="tallow"}[$window]))
)
< $limit
and
sum by (job, instance) (increase(tallow_cache_misses_total{job="tallow"}[$window])) >= $minimum
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_CACHE_MISSES},
    thresholds={"limit": thresholds.MIN_CACHE_HIT_RATIO},
    severity="warning",
    category="caching",
    summary="The cache of {{ $labels.instance }} misses too often",
    description="""
{{ $value | humanizePercentage }} of the look-ups of existing rooms over $window were answered by the cache
(limit $limit_percent%, evaluated from $minimum misses on): the database answered the others.
""",
    panel=Panel("tallow-performance", "Cache hit rate"),
    on_absent="A cache has both series from its registration: RuleInputMissing reports their absence.",
)

RULES = (LOW_CACHE_HIT_RATE,)
