"""Connections: failures, idle servers and the use of relays."""

from __future__ import annotations

from tallow.stack import thresholds
from tallow.stack.alerts import low_traffic
from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE

HIGH_CONNECTION_FAILURE_RATE = Rule(
    name="HighConnectionFailureRate",
    expr=f"""
(
  sum by (job, instance) (rate(tallow_direct_connections_total{{job="tallow",status="failed"}}[$window]))
  /
  sum by (job, instance) (rate(tallow_direct_connections_total{{job="tallow"}}[$window]))
  > $limit
  and
  sum by (job, instance) (increase(tallow_direct_connections_total{{job="tallow",status="failed"}}[$window]))
  >= $minimum
)
or
(
{low_traffic.mostly_failing_outcomes(low_traffic.CONNECTIONS)}
)
""",
    for_seconds=5 * MINUTE,
    windows={"window": 5 * MINUTE, **low_traffic.WINDOWS},
    min_counts={"minimum": low_traffic.MIN_FAILED_CONNECTIONS},
    fixed_min_counts=low_traffic.FEW,
    thresholds={"limit": thresholds.CONNECTION_FAILURE_RATIO, **low_traffic.LIMITS},
    severity="warning",
    category="connections",
    summary="{{ $value | humanizePercentage }} of connections on {{ $labels.instance }} fail",
    description="""
{{ $value | humanizePercentage }} of the transfers that allowed a direct connection got none, neither over TCP
nor by WebRTC. Over $window the limit is $limit_percent%, from $minimum failures on, which one address prefix
cannot reach. Over $hours it is $most_percent%, from $few address prefixes with a failure on. Transfers fall
back to Tallow's relay if it is allowed.
""",
    panel=Panel("tallow-errors", "Connection failures"),
    on_absent="Every transport and status has a series from the start: RuleInputMissing reports its absence.",
)

NO_ACTIVE_CONNECTIONS = Rule(
    name="NoActiveConnections",
    expr="""
sum by (job, instance) (last_over_time(tallow_active_connections{job="tallow"}[$hold])) == 0
""",
    for_seconds=30 * MINUTE,
    windows={"hold": 1 * MINUTE},
    severity="info",
    category="connections",
    summary="No connections to {{ $labels.instance }}",
    description="""
{{ $value }} data channels, signaling sockets and relay pairs have been open for 30 minutes. This is normal at
night; during the day it may mean that clients cannot reach the server.
""",
    panel=Panel("tallow-overview", "Active connections"),
    on_absent="Every type of connection has a series from the start: RuleInputMissing reports its absence.",
)

HIGH_RELAY_USAGE = Rule(
    name="HighRelayUsage",
    expr="""
sum by (job, instance) (rate(tallow_transfers_total{job="tallow",method="relay"}[$window]))
/
sum by (job, instance) (rate(tallow_transfers_total{job="tallow"}[$window]))
> $limit
and
sum by (job, instance) (increase(tallow_transfers_total{job="tallow",method="relay"}[$window])) >= $minimum
""",
    for_seconds=15 * MINUTE,
    windows={"window": 15 * MINUTE},
    min_counts={"minimum": low_traffic.MIN_RELAYED_TRANSFERS},
    thresholds={"limit": thresholds.RELAY_RATIO},
    severity="warning",
    category="connections",
    summary="{{ $value | humanizePercentage }} of transfers on {{ $labels.instance }} use a relay",
    description="""
{{ $value | humanizePercentage }} of the transfers that ended in $window used a relay (limit $limit_percent%,
evaluated from $minimum relayed transfers on, which one address prefix cannot reach): they are slower, and
the relay carries their data.
""",
    panel=Panel("tallow-transfers", "P2P vs relay"),
    on_absent="Every method has a series from the start: RuleInputMissing reports its absence.",
)

RULES = (HIGH_CONNECTION_FAILURE_RATE, NO_ACTIVE_CONNECTIONS, HIGH_RELAY_USAGE)
