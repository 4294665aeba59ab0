"""Service level objectives: alerts on the burn rate of the error budget, over a long and a short window.

The factors are those of Google's SRE Workbook, chapter 5: a burn rate of 14.4 uses two per cent of a month's
budget in an hour, a burn rate of 6 five per cent in six hours. The short window ends the alert soon after
the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule, Severity
from tallow.stack.durations import HOUR, MINUTE

TRANSFER_TARGET = 0.95
"""Share of transfers up to 100 MB that succeed within 60 s."""
CONNECTION_TARGET = 0.99
"""Share of connection attempts that succeed."""

_SIZES = 'size_category=~"under_1mb|1mb_10mb|10mb_100mb"'


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level objective on a share of events.

    ``good`` and ``all_`` are selectors without a range, ``outcomes`` the matcher of the kind of outcome.
    """

    name: str
    target: float
    good: str
    all_: str
    outcomes: str
    description: str
    panel: Panel


@dataclass(frozen=True, slots=True)
class BurnRateWindow:
    """A burn rate that fires: ``factor`` times the rate that uses up a month's budget, over both windows.

    Attributes:
        min_bad: bad events in the long window, which one address prefix cannot reach.
        on_low_traffic: whether the rule has the arm of :mod:`tallow.stack.alerts.low_traffic`.
    """

    name: str
    factor: float
    windows: Mapping[str, int]
    for_seconds: int
    min_bad: int
    severity: Severity
    on_low_traffic: bool = False


OBJECTIVES = (
    Objective(
        "Transfer",
        TRANSFER_TARGET,
        f'tallow_transfer_duration_seconds_bucket{{job="tallow",status="success",{_SIZES},le="60.0"}}',
        f'tallow_transfer_duration_seconds_count{{job="tallow",status=~"success|failed",{_SIZES}}}',
        low_traffic.TRANSFERS,
        "transfers up to 100 MB failed or took longer than a minute",
        Panel("tallow-overview", "Transfer success rate"),
    ),
    Objective(
        "Connection",
        CONNECTION_TARGET,
        'tallow_direct_connections_total{job="tallow",status="success"}',
        'tallow_direct_connections_total{job="tallow"}',
        low_traffic.CONNECTIONS,
        "attempts to connect peers failed",
        Panel("tallow-errors", "Connection failures"),
    ),
)

BURN_RATE_WINDOWS = (
    BurnRateWindow(
        "Fast", 14.4, {"long": 1 * HOUR, "short": 5 * MINUTE}, 2 * MINUTE, low_traffic.MIN_BAD_1H, "critical"
    ),
    BurnRateWindow(
        "Slow",
        6,
        {"long": 6 * HOUR, "short": 30 * MINUTE},
        15 * MINUTE,
        low_traffic.MIN_BAD_6H,
        "warning",
        True,
    ),
)


def _burn_rate_rule(objective: Objective, burn: BurnRateWindow) -> Rule:
    long_arm = ""
    long_words = ""
    if burn.on_low_traffic:
        long_arm = f"\nor\n(\n{low_traffic.mostly_failing_outcomes(objective.outcomes, 'job')}\n)"
        long_words = """
It also fires if most outcomes failed over $hours ($most_percent%, from $few prefixes with a failure on)."""
    budget = f"{100 * (1 - objective.target):g}"
    return Rule(
        name=f"{objective.name}BudgetBurns{burn.name}",
        expr=f"""
(
{_share_of_bad(objective, "$long")} > $limit
and
{_share_of_bad(objective, "$short")} > $limit
and
sum by (job) (increase({objective.all_}[$long])) - sum by (job) (increase({objective.good}[$long]))
>= $minimum * count by (job) (up{{job="tallow"}})
){long_arm}
""",
        for_seconds=burn.for_seconds,
        windows={**burn.windows, **(low_traffic.WINDOWS if burn.on_low_traffic else {})},
        min_counts={"minimum": burn.min_bad},
        fixed_min_counts=low_traffic.FEW if burn.on_low_traffic else {},
        thresholds={
            "limit": round(burn.factor * (1 - objective.target), 6),
            **(low_traffic.LIMITS if burn.on_low_traffic else {}),
        },
        group_labels=("job",),
        labels={"objective": f"{objective.name.lower()}s"},
        severity=burn.severity,
        category="monitoring",
        summary=f"The error budget of {objective.name.lower()}s burns {burn.name.lower()}",
        description=f"""
{{{{ $value | humanizePercentage }}}} of the {objective.description}. It fires above $limit_percent% over
$long and over $short, {burn.factor:g} times the rate that an error budget of {budget}% allows (evaluated from
$minimum such events on each instance in $long on, which one address prefix cannot reach).{long_words}
""",
        panel=objective.panel,
        on_absent="Exposed from the start: RuleInputMissing reports its absence.",
    )


def _share_of_bad(objective: Objective, window: str) -> str:
    return f"""1 - (
  sum by (job) (rate({objective.good}[{window}]))
  /
  sum by (job) (rate({objective.all_}[{window}]))
)"""


RULES = tuple(_burn_rate_rule(objective, burn) for objective in OBJECTIVES for burn in BURN_RATE_WINDOWS)
