"""When the alerts on connections fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.shared import mostly_failing_outcomes, rate, share
from support.alert_rules.promtool import Case, counter, gauge, merged
from tallow.stack.alerts.low_traffic import MIN_FAILED_CONNECTIONS, MIN_RELAYED_TRANSFERS


def attempts(transport: str = "tcp", **statuses: str) -> dict[str, str]:
    """Transfers that allowed a direct connection, by status."""
    return {
        f'tallow_direct_connections_total{{transport="{transport}",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def finished(**methods: str) -> dict[str, str]:
    """Finished transfers by method."""
    return {
        f'tallow_transfers_total{{status="success",method="{method}"}}': samples
        for method, samples in methods.items()
    }


ENOUGH = rate(1.06 * MIN_FAILED_CONNECTIONS)
RELAYED_ENOUGH = rate(1.06 * MIN_RELAYED_TRANSFERS, 15)

CONNECTIONS = [
    *share(
        "HighConnectionFailureRate",
        lambda samples: attempts(success=samples),
        lambda samples: attempts("webrtc", failed=samples),
        0.2,
        least=MIN_FAILED_CONNECTIONS,
    ),
    *mostly_failing_outcomes("HighConnectionFailureRate", "connection"),
    Case(
        "HighConnectionFailureRate",
        "adds up the transports",
        merged(
            attempts(success=counter((80, 3 * ENOUGH)), failed=counter((80, ENOUGH / 2))),
            attempts("webrtc", failed=counter((80, ENOUGH / 2))),
        ),
        firing=(30, 79),
    ),
    Case(
        "HighConnectionFailureRate",
        "counts every connection, over whatever transport",
        merged(
            attempts(success=counter((80, 3 * ENOUGH)), failed=counter((80, ENOUGH))),
            attempts("webrtc", success=counter((80, 3 * ENOUGH))),
        ),
        quiet=(30, 79),
    ),
]

ACTIVE = [
    Case(
        "NoActiveConnections",
        "fires when nothing has been connected for half an hour, and resolves with the first connection",
        {'tallow_active_connections{type="websocket"}': gauge((20, 1), (40, 0), (20, 1))},
        quiet=(20, 49.5, 60.5),
        firing=(50.5, 59.5),
        kinds=("fires",),
    ),
    Case(
        "NoActiveConnections",
        "stays quiet when one kind of connection is open",
        {
            'tallow_active_connections{type="websocket"}': gauge((80, 0)),
            'tallow_active_connections{type="webrtc"}': gauge((80, 0)),
            'tallow_active_connections{type="relay"}': gauge((80, 1)),
        },
        quiet=(40, 79),
        kinds=("below",),
    ),
]

RELAYED = [
    Case(
        "HighRelayUsage",
        "fires when more than half of the transfers go through a relay, and resolves",
        finished(
            p2p=counter((20, 1.8 * RELAYED_ENOUGH), (50, 0.8 * RELAYED_ENOUGH), (50, 1.8 * RELAYED_ENOUGH)),
            relay=counter((20, 0), (50, RELAYED_ENOUGH), (50, 0)),
        ),
        quiet=(20, 46, 74),
        firing=(51, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "HighRelayUsage",
        "stays quiet when just under half go through a relay",
        finished(p2p=counter((120, 10.1 * RELAYED_ENOUGH)), relay=counter((120, 10 * RELAYED_ENOUGH))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "HighRelayUsage",
        f"stays quiet when fewer than {MIN_RELAYED_TRANSFERS} transfers go through a relay",
        finished(p2p=counter((120, 0.3 * RELAYED_ENOUGH)), relay=counter((120, 0.9 * RELAYED_ENOUGH))),
        quiet=(40, 119),
        kinds=("few",),
    ),
    Case(
        "HighRelayUsage",
        "counts relayed transfers however they ended",
        finished(p2p=counter((120, 0.9 * RELAYED_ENOUGH)), relay=counter((120, 0.5 * RELAYED_ENOUGH)))
        | {'tallow_transfers_total{status="failed",method="relay"}': counter((120, 0.5 * RELAYED_ENOUGH))},
        firing=(40, 119),
    ),
    Case(
        "HighRelayUsage",
        "counts direct transfers however they ended",
        finished(p2p=counter((120, 0.7 * RELAYED_ENOUGH)), relay=counter((120, RELAYED_ENOUGH)))
        | {'tallow_transfers_total{status="cancelled",method="p2p"}': counter((120, 0.7 * RELAYED_ENOUGH))},
        quiet=(40, 119),
    ),
]

CASES = [*CONNECTIONS, *ACTIVE, *RELAYED]
