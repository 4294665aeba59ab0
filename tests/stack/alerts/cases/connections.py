"""When the alerts on connections fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.shared import share
from support.alert_rules.promtool import Case, counter, gauge, merged


def attempts(path: str = "direct", **statuses: str) -> dict[str, str]:
    """Attempts to connect by WebRTC, by status."""
    return {
        f'tallow_webrtc_connections_total{{type="{path}",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def finished(**methods: str) -> dict[str, str]:
    """Finished transfers by method."""
    return {
        f'tallow_transfers_total{{status="success",method="{method}"}}': samples
        for method, samples in methods.items()
    }


CONNECTIONS = [
    *share(
        "HighConnectionFailureRate",
        lambda samples: attempts(success=samples),
        lambda samples: attempts("relay", failed=samples),
        0.2,
        least=10,
    ),
    Case(
        "HighConnectionFailureRate",
        "adds up the paths",
        merged(
            attempts(success=counter((80, 5)), failed=counter((80, 0.8))),
            attempts("relay", failed=counter((80, 0.8))),
        ),
        firing=(30, 79),
    ),
    Case(
        "HighConnectionFailureRate",
        "counts the attempts on every path as traffic behind the share",
        merged(
            attempts(success=counter((80, 0.6)), failed=counter((80, 0.6))),
            attempts("relay", success=counter((80, 0.6)), failed=counter((80, 0.6))),
        ),
        firing=(30, 79),
    ),
    Case(
        "HighConnectionFailureRate",
        "counts every attempt that works, by whatever path",
        merged(
            attempts(success=counter((80, 3)), failed=counter((80, 1))),
            attempts("relay", success=counter((80, 3))),
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
        finished(p2p=counter((20, 0.72), (50, 0.32), (50, 0.72)), relay=counter((20, 0), (50, 0.4), (50, 0))),
        quiet=(20, 46, 74),
        firing=(51, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "HighRelayUsage",
        "stays quiet when just under half go through a relay",
        finished(p2p=counter((120, 2)), relay=counter((120, 1.95))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "HighRelayUsage",
        "stays quiet when fewer than ten transfers stand behind the share",
        finished(p2p=counter((120, 0.2)), relay=counter((120, 0.45))),
        quiet=(40, 119),
        kinds=("few",),
    ),
    Case(
        "HighRelayUsage",
        "counts relayed transfers however they ended",
        finished(p2p=counter((120, 0.9)), relay=counter((120, 0.5)))
        | {'tallow_transfers_total{status="failed",method="relay"}': counter((120, 0.5))},
        firing=(40, 119),
    ),
    Case(
        "HighRelayUsage",
        "counts direct transfers however they ended",
        finished(p2p=counter((120, 0.6)), relay=counter((120, 0.9)))
        | {'tallow_transfers_total{status="cancelled",method="p2p"}': counter((120, 0.6))},
        quiet=(40, 119),
    ),
]

CASES = [*CONNECTIONS, *ACTIVE, *RELAYED]
