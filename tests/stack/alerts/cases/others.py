"""When the alerts on connections, security, database and cache fire, and when not."""

from __future__ import annotations

from support.promtool import Case, counter, gauge, histogram, merged


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


def exchanges(**statuses: str) -> dict[str, str]:
    return {
        f'tallow_pqc_key_exchanges_total{{algorithm="x25519_mlkem768",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def operations(**statuses: str) -> dict[str, str]:
    return {
        f'tallow_pqc_operations_total{{operation="decapsulate",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def answers(code: str, samples: str, endpoint: str = "/api/telemetry") -> dict[str, str]:
    return {f'tallow_api_errors_total{{endpoint="{endpoint}",status_code="{code}"}}': samples}


def statements(edge: float, samples: str, operation: str = "select") -> dict[str, str]:
    labels = f'operation="{operation}",status="success"'
    return histogram("db_operation_duration_seconds", labels, edge, samples)


def lookups(hits: str, misses: str) -> dict[str, str]:
    return {
        'tallow_cache_hits_total{cache="rooms"}': hits,
        'tallow_cache_misses_total{cache="rooms"}': misses,
    }


CONNECTIONS = [
    Case(
        "HighConnectionFailureRate",
        "fires when more than 20 % of attempts fail, and resolves when they work again",
        merged(
            attempts(success=counter((80, 1.68))),
            attempts("relay", failed=counter((20, 0), (30, 0.46), (30, 0))),
        ),
        quiet=(20, 28, 52),
        firing=(30.5, 49),
    ),
    Case(
        "HighConnectionFailureRate",
        "stays quiet when just under 20 % fail",
        attempts(success=counter((80, 4)), failed=counter((20, 0), (60, 0.95))),
        quiet=(30, 79),
    ),
    Case(
        "HighConnectionFailureRate",
        "stays quiet when fewer than ten attempts stand behind the share",
        attempts(success=counter((80, 0.95)), failed=counter((80, 0.95))),
        quiet=(30, 79),
    ),
    Case(
        "NoActiveConnections",
        "fires when nobody has been connected for half an hour, and resolves with the first one",
        {'tallow_active_connections{type="websocket"}': gauge((20, 1), (40, 0), (20, 1))},
        quiet=(20, 49.5, 60.5),
        firing=(50.5, 59.5),
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
    ),
    Case(
        "HighRelayUsage",
        "fires when more than half of the transfers go through a relay, and resolves",
        finished(p2p=counter((120, 0.34)), relay=counter((20, 0), (50, 0.375), (50, 0))),
        quiet=(20, 44, 75),
        firing=(50.5, 69),
    ),
    Case(
        "HighRelayUsage",
        "stays quiet when just under half go through a relay",
        finished(p2p=counter((120, 2)), relay=counter((120, 1.9))),
        quiet=(40, 119),
    ),
    Case(
        "HighRelayUsage",
        "stays quiet when fewer than ten transfers stand behind the share",
        finished(p2p=counter((120, 0)), relay=counter((120, 0.63))),
        quiet=(40, 119),
    ),
]

SECURITY = [
    Case(
        "HighPQCFailureRate",
        "fires when more than 5 % of key exchanges fail, and resolves",
        exchanges(success=counter((80, 2)), failed=counter((20, 0), (30, 0.116), (30, 0))),
        quiet=(20, 28, 52),
        firing=(30.5, 49),
    ),
    Case(
        "HighPQCFailureRate",
        "fires when more than 5 % of operations fail",
        merged(
            exchanges(success=counter((80, 2)), failed=counter((80, 0))),
            operations(success=counter((80, 4)), failed=counter((20, 0), (30, 0.232), (30, 0))),
        ),
        quiet=(20, 28, 52),
        firing=(30.5, 49),
    ),
    Case(
        "HighPQCFailureRate",
        "stays quiet when just under 5 % fail",
        merged(
            exchanges(success=counter((80, 2)), failed=counter((80, 0.1))),
            operations(success=counter((80, 4)), failed=counter((80, 0.2))),
        ),
        quiet=(30, 79),
    ),
    Case(
        "HighPQCFailureRate",
        "stays quiet when fewer than 10 exchanges and 20 operations stand behind the share",
        merged(
            exchanges(success=counter((80, 0.95)), failed=counter((80, 0.95))),
            operations(success=counter((80, 1.9)), failed=counter((80, 1.9))),
        ),
        quiet=(30, 79),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "fires at the eleventh answer 401 and resolves when the window has passed",
        answers("401", gauge((20, 0), (1, 6), (30, 11))),
        quiet=(19, 20.5, 26.5),
        firing=(21.25, 24.5),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "adds up the routes",
        merged(
            answers("401", gauge((20, 0), (30, 6))), answers("401", gauge((20, 0), (30, 6)), "/api/metrics")
        ),
        firing=(20.5, 24),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "stays quiet when ten requests are answered 401 in five minutes",
        answers("401", gauge((20, 3), (30, 13))),
        quiet=(20.5, 22.1, 24.6, 26),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "stays quiet when requests fail for other reasons",
        merged(
            answers("401", counter((60, 0))),
            answers("403", counter((60, 30))),
            answers("404", counter((60, 30))),
        ),
        quiet=(20, 59),
    ),
]

STORAGE = [
    Case(
        "SlowDatabaseOperations",
        "fires when the 95th percentile exceeds a second, and resolves",
        merged(
            statements(0.1, counter((80, 4))),
            statements(2.5, counter((20, 0), (30, 0.26), (30, 0)), "insert"),
        ),
        quiet=(20, 26, 53),
        firing=(30.5, 49),
    ),
    Case(
        "SlowDatabaseOperations",
        "stays quiet when fewer than one in twenty takes more than a second",
        merged(statements(1, counter((80, 4))), statements(2.5, counter((80, 0.15)), "insert")),
        quiet=(30, 79),
    ),
    Case(
        "SlowDatabaseOperations",
        "stays quiet when fewer than 20 statements stand behind the percentile",
        statements(5, counter((80, 3.8))),
        quiet=(30, 79),
    ),
    Case(
        "LowCacheHitRate",
        "fires when fewer than half of the look-ups hit, and resolves",
        lookups(counter((120, 3.4)), counter((20, 0), (50, 3.8), (50, 0))),
        quiet=(20, 44, 75),
        firing=(50.5, 69),
    ),
    Case(
        "LowCacheHitRate",
        "stays quiet when just over half of the look-ups hit",
        lookups(counter((120, 10.5)), counter((120, 9.5))),
        quiet=(40, 119),
    ),
    Case(
        "LowCacheHitRate",
        "stays quiet when fewer than 100 look-ups stand behind the share",
        lookups(counter((120, 0.3)), counter((120, 6))),
        quiet=(40, 119),
    ),
]

CASES = [*CONNECTIONS, *SECURITY, *STORAGE]
