"""When ServiceDown, HighErrorRate and CriticalErrors fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.shared import events, mostly_failing
from support.alert_rules.promtool import Case, counter, gauge, gauge_until_stale

HTTP = "tallow_http_request_duration_seconds_count"


def requests(failing: str, working: str, route: str = "/api/rooms") -> dict[str, str]:
    """Requests answered 5xx and 2xx on a route."""
    return {
        f'{HTTP}{{method="POST",route="{route}",status_code="5xx"}}': failing,
        f'{HTTP}{{method="POST",route="{route}",status_code="2xx"}}': working,
    }


def errors(samples: str, kind: str = "network", severity: str = "low") -> dict[str, str]:
    return {f'tallow_errors_total{{type="{kind}",severity="{severity}"}}': samples}


SERVICE_DOWN = [
    Case(
        "ServiceDown",
        "fires when the scrape has failed for a minute, and resolves with the next good one",
        {"up": gauge((20, 1), (10, 0), (30, 1))},
        quiet=(19, 20.75, 30.5),
        firing=(21.25, 29.5),
        kinds=("fires",),
    ),
    Case(
        "ServiceDown",
        "stays quiet when three scrapes in a row fail",
        {"up": gauge((20, 1), (0.75, 0), (30, 1))},
        quiet=(20, 20.5, 21, 22),
        kinds=("below",),
    ),
    Case(
        "ServiceDown",
        "fires for the instance that is down and for no other",
        {
            'up{instance="a:3000"}': gauge((20, 1), (10, 0), (30, 1)),
            'up{instance="b:3000"}': gauge((60, 1)),
        },
        quiet=(19, 31),
        firing=(25,),
        labels={"job": "tallow", "instance": "a:3000"},
    ),
    Case(
        "ServiceDown",
        "fires without an instance when nothing of job tallow is scraped",
        {'up{job="node"}': gauge((30, 1))},
        quiet=(0.5,),
        firing=(1.5, 25),
        labels={"job": "tallow"},
    ),
    Case(
        "ServiceDown",
        "fires without an instance when the last target is taken away",
        {"up": gauge_until_stale(20, 1), 'up{job="node"}': gauge((40, 1))},
        quiet=(19, 20.75),
        firing=(21.5, 39),
        labels={"job": "tallow"},
    ),
    Case(
        "ServiceDown",
        "stays quiet when another job is down",
        {"up": gauge((30, 1)), 'up{job="node"}': gauge((30, 0))},
        quiet=(5, 25),
    ),
]

HIGH_ERROR_RATE = [
    Case(
        "HighErrorRate",
        "fires when errors rise faster than 0.1 a second, and resolves when they stop",
        errors(counter((20, 0), (30, 6.6), (30, 0))),
        quiet=(20, 28.5, 51),
        firing=(30.5, 49),
        kinds=("fires",),
    ),
    Case(
        "HighErrorRate",
        "adds up every type and severity",
        errors(counter((20, 0), (30, 3.3))) | errors(counter((20, 0), (30, 3.3)), "crypto", "high"),
        firing=(31, 45),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when errors rise just slower than 0.1 a second",
        errors(counter((20, 0), (40, 5.7))),
        quiet=(25, 40, 59),
        kinds=("below",),
    ),
    Case(
        "HighErrorRate",
        "fires when more than 5 % of requests answer 5xx, whatever scrapes and probes add",
        {
            **errors(counter((80, 0))),
            **requests(counter((20, 0), (30, 0.24), (30, 0)), counter((80, 4))),
            **requests(counter((80, 0)), counter((80, 40)), route="/metrics"),
            **requests(counter((80, 0)), counter((80, 40)), route="/api/health/liveness"),
        },
        quiet=(20, 28, 51.5),
        firing=(31, 49),
        kinds=("fires", "enough"),
    ),
    Case(
        "HighErrorRate",
        "adds up the routes",
        {
            **requests(counter((20, 0), (40, 1)), counter((60, 9))),
            **requests(counter((20, 0), (40, 1)), counter((60, 18)), route="/api/telemetry"),
        },
        quiet=(20,),
        firing=(31, 59),
    ),
    Case(
        "HighErrorRate",
        "counts the requests of all routes and answers as traffic behind the share",
        {
            **requests(counter((60, 0.1)), counter((60, 1.1))),
            **requests(counter((60, 0.4)), counter((60, 1.3)), route="/api/telemetry"),
            **requests(counter((60, 0.4)), counter((60, 1.3)), route="/"),
        },
        firing=(31, 59),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when just under 5 % answer 5xx",
        requests(counter((20, 0), (40, 0.2)), counter((60, 4))),
        quiet=(30, 45, 59),
        kinds=("below",),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when fewer than 20 requests stand behind the share",
        {
            **requests(counter((20, 0), (40, 1)), counter((60, 2.8))),
            **requests(counter((60, 0)), counter((60, 40)), route="/metrics"),
        },
        quiet=(30, 45, 59),
        kinds=("few",),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when only scrapes and probes answer 5xx",
        {
            **requests(counter((60, 0)), counter((60, 40))),
            **requests(counter((60, 4)), counter((60, 4)), route="/api/metrics"),
            **requests(counter((60, 4)), counter((60, 4)), route="/api/health/readiness"),
        },
        quiet=(30, 59),
    ),
]

OBSERVED = {
    **requests(counter((120, 1)), counter((120, 0)), route="/metrics"),
    **requests(counter((120, 0)), counter((120, 1)), route="/api/health/liveness"),
}
LOW_TRAFFIC = mostly_failing(
    "HighErrorRate",
    lambda samples: {f'{HTTP}{{method="POST",route="/api/rooms",status_code="2xx"}}': samples, **OBSERVED},
    lambda samples: {f'{HTTP}{{method="POST",route="/api/rooms",status_code="5xx"}}': samples},
    hold=5 / 6,
)

LOW_TRAFFIC.append(
    Case(
        "HighErrorRate",
        "adds up the routes over six hours",
        {
            **requests(events(15), events(10)),
            **requests(events(25), events(20), route="/api/telemetry"),
            **requests(events(35), events(), route="/"),
        },
        quiet=(34.5,),
        firing=(37, 60, 74),
        stretch=6,
    )
)

CRITICAL_ERRORS = [
    Case(
        "CriticalErrors",
        "fires at the first critical error and resolves five minutes after the last",
        errors(gauge((20, 0), (30, 1)), "storage", "critical"),
        quiet=(19.5, 25.5),
        firing=(20.25, 24.5),
        kinds=("fires",),
    ),
    Case(
        "CriticalErrors",
        "stays quiet when errors are merely high",
        errors(counter((60, 30)), "storage", "high") | errors(gauge((60, 3)), "storage", "critical"),
        quiet=(10, 59),
        kinds=("below",),
    ),
    Case(
        "CriticalErrors",
        "does not wait for a server that has just started",
        errors(gauge((1, 0), (30, 1)), "storage", "critical")
        | {"tallow_process_start_time_seconds": gauge((60, 0))},
        quiet=(0.75,),
        firing=(1.5,),
    ),
]

CASES = [*SERVICE_DOWN, *HIGH_ERROR_RATE, *LOW_TRAFFIC, *CRITICAL_ERRORS]
