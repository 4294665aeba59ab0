"""When ServiceDown, HighErrorRate and CriticalErrors fire, and when not."""

from __future__ import annotations

from support.promtool import Case, counter, gauge

HTTP = "tallow_http_request_duration_seconds_count"


def requests(failing: str, working: str, route: str = "/api/rooms") -> dict[str, str]:
    """Requests answered 5xx and 2xx on a route."""
    return {
        f'{HTTP}{{method="POST",route="{route}",status_code="5xx"}}': failing,
        f'{HTTP}{{method="POST",route="{route}",status_code="2xx"}}': working,
    }


CASES = [
    Case(
        "ServiceDown",
        "fires when the scrape has failed for a minute, and resolves with the next good one",
        {"up": gauge((20, 1), (10, 0), (30, 1))},
        quiet=(19, 20.75, 30.5),
        firing=(21.25, 29.5),
    ),
    Case(
        "ServiceDown",
        "stays quiet when one scrape fails",
        {"up": gauge((20, 1), (0.75, 0), (30, 1))},
        quiet=(20, 20.5, 21, 22),
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
        "stays quiet when another job is down",
        {"up": gauge((30, 1)), 'up{job="node"}': gauge((30, 0))},
        quiet=(5, 25),
    ),
    Case(
        "HighErrorRate",
        "fires when errors rise faster than 0.1 a second, and resolves when they stop",
        {'tallow_errors_total{type="network",severity="low"}': counter((20, 0), (30, 6.6), (30, 0))},
        quiet=(20, 28.5, 51),
        firing=(30.5, 49),
    ),
    Case(
        "HighErrorRate",
        "adds up every type and severity",
        {
            'tallow_errors_total{type="network",severity="low"}': counter((20, 0), (30, 3.3)),
            'tallow_errors_total{type="crypto",severity="high"}': counter((20, 0), (30, 3.3)),
        },
        firing=(31, 45),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when errors rise just slower than 0.1 a second",
        {'tallow_errors_total{type="network",severity="low"}': counter((20, 0), (40, 5.4))},
        quiet=(25, 40, 59),
    ),
    Case(
        "HighErrorRate",
        "fires when more than 5 % of requests answer 5xx, whatever scrapes and probes add",
        {
            **requests(counter((20, 0), (30, 0.24), (30, 0)), counter((80, 4))),
            **requests(counter((80, 0)), counter((80, 40)), route="/metrics"),
            **requests(counter((80, 0)), counter((80, 40)), route="/api/health/liveness"),
        },
        quiet=(20, 28, 51.5),
        firing=(31, 49),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when just under 5 % answer 5xx",
        requests(counter((20, 0), (40, 0.19)), counter((60, 4))),
        quiet=(30, 45, 59),
    ),
    Case(
        "HighErrorRate",
        "stays quiet when fewer than 20 requests stand behind the share",
        requests(counter((20, 0), (40, 1)), counter((60, 2.8))),
        quiet=(30, 45, 59),
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
    Case(
        "CriticalErrors",
        "fires at the first critical error and resolves five minutes after the last",
        {'tallow_errors_total{type="storage",severity="critical"}': gauge((20, 0), (30, 1))},
        quiet=(19.5, 25.5),
        firing=(20.25, 24.5),
    ),
    Case(
        "CriticalErrors",
        "stays quiet when errors are merely high",
        {
            'tallow_errors_total{type="storage",severity="high"}': counter((60, 30)),
            'tallow_errors_total{type="storage",severity="critical"}': gauge((60, 3)),
        },
        quiet=(10, 59),
    ),
]
