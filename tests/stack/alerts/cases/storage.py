"""When the alerts on the database and the cache fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.shared import slow
from support.alert_rules.promtool import Case, counter, histogram


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


CASES = [
    *slow("SlowDatabaseOperations", statements, 0.1, 1, 2.5, ("select", "insert")),
    Case(
        "LowCacheHitRate",
        "fires when fewer than half of the look-ups hit, and resolves",
        lookups(counter((20, 7.1), (50, 3.1), (50, 7.1)), counter((20, 0), (50, 4), (50, 0))),
        quiet=(20, 45, 74),
        firing=(51, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "LowCacheHitRate",
        "stays quiet when just over half of the look-ups hit",
        lookups(counter((120, 10.2)), counter((120, 9.8))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "LowCacheHitRate",
        "stays quiet when fewer than 100 look-ups stand behind the share",
        lookups(counter((120, 2.3)), counter((120, 4))),
        quiet=(40, 119),
        kinds=("few",),
    ),
    Case(
        "LowCacheHitRate",
        "counts the hits of every cache",
        lookups(counter((120, 4)), counter((120, 6)))
        | lookups(counter((120, 4)), counter((120, 0)), "links"),
        quiet=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "adds up the hits, and the misses, of every cache",
        lookups(counter((120, 4)), counter((120, 5)))
        | lookups(counter((120, 4)), counter((120, 5)), "links"),
        firing=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "counts the misses of every cache",
        lookups(counter((120, 8)), counter((120, 5)))
        | lookups(counter((120, 0)), counter((120, 5)), "links"),
        firing=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "counts the hits and the misses of every cache as traffic behind the share",
        lookups(counter((120, 1.5)), counter((120, 2)))
        | lookups(counter((120, 1.5)), counter((120, 2)), "links"),
        firing=(40, 119),
    ),
]
