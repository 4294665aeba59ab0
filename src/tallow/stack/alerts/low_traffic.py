"""The long-window arm of rules on ratios: what fires on a server with a few events an hour.

The short arms need so many events that no single address prefix can supply them. A small server never has
that many, and ten failing transfers an hour would notify nobody. The long arm therefore looks at six hours,
and reads what peers report from ``client_outcomes_total``, which has at most one outcome of each kind and
status per address prefix in that time: three failures are three prefixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallow.stack.durations import HOUR

WINDOWS: Final[Mapping[str, float]] = MappingProxyType({"hours": 6 * HOUR})
"""For ``Rule.windows``; server and metric use the same six hours."""
LIMITS: Final[Mapping[str, float]] = MappingProxyType({"most": 0.5})
"""For ``Rule.thresholds``: more than half of all are bad."""
FEW: Final[Mapping[str, int]] = MappingProxyType({"few": 3})
"""For ``Rule.fixed_min_counts``: at least three bad events, or prefixes with one."""

TRANSFERS: Final = 'kind="transfer"'
CONNECTIONS: Final = 'kind="connection"'
KEY_EXCHANGES: Final = 'kind="key_exchange"'


def mostly_failing(bad: str, all_: str, by: str = "job, instance") -> str:
    """At least three bad events in the long window, and more than half of all.

    Args:
        bad: a selector without a range.
        all_: that of all events.
        by: the labels of the result.
    """
    return f"""sum by ({by}) (increase({bad}[$hours]))
/
sum by ({by}) (increase({all_}[$hours]))
> $most
and
sum by ({by}) (increase({bad}[$hours])) >= $few"""


def mostly_failing_outcomes(kind: str, by: str = "job, instance") -> str:
    """:func:`mostly_failing` for outcomes that peers report; ``kind`` is a matcher."""
    return mostly_failing(
        outcomes(kind, "failed"), f'tallow_client_outcomes_total{{job="tallow",{kind}}}', by
    )


def outcomes(kind: str, status: str) -> str:
    """A selector of the outcomes with a status."""
    return f'tallow_client_outcomes_total{{job="tallow",{kind},status="{status}"}}'


# Minima of the short arms: bad events in the arm's window. A minimum of all events would not do: five lies of
# one client among ten honest successes are a third. Each is above what one address prefix can add. A restart
# of the server resets the quotas: the guard after a start covers it in short windows, and the long ones have
# room for one. Source: docs/limits.md.
MIN_FAILED_TRANSFERS: Final = 15
"""In 5 minutes; one prefix can add 12 at once, and no more in 10 minutes."""
MIN_FAILED_TRANSFERS_10M: Final = 18
"""In 10 minutes, where a prefix can add 12."""
MIN_FAILED_CONNECTIONS: Final = 15
MIN_FAILED_KEY_EXCHANGES: Final = 15
MIN_FAILED_PQC_OPERATIONS: Final = 15
MIN_SLOW_PQC_OPERATIONS: Final = 15
MIN_SLOW_CONNECTIONS: Final = 15
MIN_SLOW_TRANSFERS: Final = 18
"""In 10 minutes; so is the next."""
MIN_SLOW_SPEEDS: Final = 18
MIN_RELAYED_TRANSFERS: Final = 100
"""In 15 minutes, where a prefix can add 60."""
MIN_CACHE_MISSES: Final = 50
"""In 15 minutes, where a prefix can add none: a room that does not exist is no miss."""
MIN_BAD_1H: Final = 90
"""On each instance, in an hour, where a prefix can add 72."""
MIN_BAD_6H: Final = 470
"""On each instance, in six hours, where a prefix can add 432."""
