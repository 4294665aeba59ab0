"""When the alerts on security fire, and when not."""

from __future__ import annotations

from dataclasses import replace

from stack.alerts.cases.shared import mostly_failing_outcomes, rate, share
from support.alert_rules.promtool import Case, counter, gauge, merged
from tallow.stack.alerts.low_traffic import MIN_FAILED_KEY_EXCHANGES, MIN_FAILED_PQC_OPERATIONS


def exchanges(algorithm: str = "x25519_mlkem768", **statuses: str) -> dict[str, str]:
    """Key exchanges by status."""
    return {
        f'tallow_pqc_key_exchanges_total{{algorithm="{algorithm}",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def operations(kind: str = "decapsulate", **statuses: str) -> dict[str, str]:
    """Post-quantum operations by status."""
    return {
        f'tallow_pqc_operations_total{{operation="{kind}",status="{status}"}}': samples
        for status, samples in statuses.items()
    }


def answers(code: str, samples: str, endpoint: str = "/api/telemetry") -> dict[str, str]:
    """Responses with one status code on one route."""
    return {f'tallow_api_errors_total{{endpoint="{endpoint}",status_code="{code}"}}': samples}


EXCHANGES = rate(1.06 * MIN_FAILED_KEY_EXCHANGES)
OPERATIONS = rate(1.06 * MIN_FAILED_PQC_OPERATIONS)
FINE = exchanges(success=counter((80, 2)), failed=counter((80, 0)))

FAILING = [
    *share(
        "HighPQCFailureRate",
        lambda samples: exchanges(success=samples),
        lambda samples: exchanges(failed=samples),
        0.05,
        least=MIN_FAILED_KEY_EXCHANGES,
    ),
    *(
        replace(case, behaviour=f"{case.behaviour}: operations", series={**FINE, **case.series})
        for case in share(
            "HighPQCFailureRate",
            lambda samples: operations(success=samples),
            lambda samples: operations(failed=samples),
            0.05,
            least=MIN_FAILED_PQC_OPERATIONS,
        )
    ),
    Case(
        "HighPQCFailureRate",
        "adds up the algorithms",
        merged(
            exchanges(success=counter((80, 13 * EXCHANGES)), failed=counter((80, EXCHANGES / 2))),
            exchanges("other", failed=counter((80, EXCHANGES / 2))),
        ),
        firing=(30, 79),
    ),
    Case(
        "HighPQCFailureRate",
        "counts every exchange that works, by whatever algorithm",
        merged(
            exchanges(success=counter((80, 12 * EXCHANGES)), failed=counter((80, EXCHANGES))),
            exchanges("other", success=counter((80, 12 * EXCHANGES))),
        ),
        quiet=(30, 79),
    ),
    Case(
        "HighPQCFailureRate",
        "adds up the operations",
        merged(
            operations(success=counter((80, 13 * OPERATIONS)), failed=counter((80, OPERATIONS / 2))),
            operations("encapsulate", failed=counter((80, OPERATIONS / 2))),
        ),
        firing=(30, 79),
    ),
    Case(
        "HighPQCFailureRate",
        "counts every operation that works, of whatever kind",
        merged(
            operations(success=counter((80, 12 * OPERATIONS)), failed=counter((80, OPERATIONS))),
            operations("keygen", success=counter((80, 12 * OPERATIONS))),
        ),
        quiet=(30, 79),
    ),
]

UNAUTHORIZED = [
    Case(
        "UnauthorizedAPIAccess",
        "fires at the eleventh answer 401 and resolves when the window has passed",
        answers("401", gauge((20, 0), (1, 6), (30, 11))),
        quiet=(19, 20.5, 26.5),
        firing=(21.25, 24.5),
        kinds=("fires",),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "adds up the routes",
        merged(
            answers("401", gauge((20, 0), (30, 6))), answers("401", gauge((20, 0), (30, 6)), "/api/metrics")
        ),
        quiet=(19, 26),
        firing=(20.5, 24),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "stays quiet when ten requests are answered 401 in five minutes",
        answers("401", gauge((20, 3), (30, 13))),
        quiet=(20.5, 22.1, 24.6, 26),
        kinds=("below",),
    ),
    Case(
        "UnauthorizedAPIAccess",
        "stays quiet at ten although a lost scrape makes their extrapolated number exceed ten",
        answers("401", gauge((17.5, 3), (0.25, None), (2.25, 3), (30, 13))),
        quiet=(20.5, 22.5, 24),
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

CASES = [*FAILING, *UNAUTHORIZED, *mostly_failing_outcomes("PQCFailuresLowTraffic", "key_exchange")]
