"""When the alerts on the database and the cache fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.shared import rate, slow_statements
from support.alert_rules.promtool import Case, counter, histogram
from tallow.stack.alerts.low_traffic import MIN_CACHE_MISSES


def statements(edge: float, samples: str, operation: str) -> dict[str, str]:
    """Statements whose duration is in the bucket up to ``edge``."""
    labels = f'operation="{operation}",status="success"'
    return histogram("db_operation_duration_seconds", labels, edge, samples)


def lookups(hits: str, misses: str, cache: str = "rooms") -> dict[str, str]:
    """Look-ups in one cache."""
    return {
        f'tallow_cache_hits_total{{cache="{cache}"}}': hits,
        f'tallow_cache_misses_total{{cache="{cache}"}}': misses,
    }


ENOUGH = rate(1.06 * MIN_CACHE_MISSES, 15)

CASES = [
    *slow_statements(statements, 0.1, 1, 2.5, ("select", "insert")),
    Case(
        "LowCacheHitRate",
        "fires when fewer than half of the look-ups hit, and resolves",
        lookups(
            counter((20, 1.8 * ENOUGH), (50, 0.8 * ENOUGH), (50, 1.8 * ENOUGH)),
            counter((20, 0), (50, ENOUGH), (50, 0)),
        ),
        quiet=(20, 45, 74),
        firing=(51, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "LowCacheHitRate",
        "stays quiet when just over half of the look-ups hit",
        lookups(counter((120, 9.4 * ENOUGH)), counter((120, 9 * ENOUGH))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "LowCacheHitRate",
        f"stays quiet when fewer than {MIN_CACHE_MISSES} look-ups miss",
        lookups(counter((120, 0.4 * ENOUGH)), counter((120, 0.9 * ENOUGH))),
        quiet=(40, 119),
        kinds=("few",),
    ),
    Case(
        "LowCacheHitRate",
        "counts the hits of every cache",
        lookups(counter((120, 0.7 * ENOUGH)), counter((120, ENOUGH)))
        | lookups(counter((120, 0.7 * ENOUGH)), counter((120, 0)), "links"),
        quiet=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "adds up the hits, and the misses, of every cache",
        lookups(counter((120, 0.4 * ENOUGH)), counter((120, 0.5 * ENOUGH)))
        | lookups(counter((120, 0.4 * ENOUGH)), counter((120, 0.5 * ENOUGH)), "links"),
        firing=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "counts the misses of every cache",
        lookups(counter((120, 0.8 * ENOUGH)), counter((120, 0.5 * ENOUGH)))
        | lookups(counter((120, 0)), counter((120, 0.5 * ENOUGH)), "links"),
        firing=(40, 119),
    ),
]
