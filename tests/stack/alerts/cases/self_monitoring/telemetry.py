"""When the alerts on lost telemetry, unlisted values and refused reports fire, and when not."""

from __future__ import annotations

from support.alert_rules.promtool import Case, counter


def dropped(samples: str, pipeline: str = "logs") -> dict[str, str]:
    return {f'tallow_telemetry_dropped_total{{pipeline="{pipeline}",reason="queue_full"}}': samples}


def overflowed(samples: str, metric: str = "errors_total") -> dict[str, str]:
    return {f'tallow_label_overflow_total{{metric="{metric}"}}': samples}


def reports(**outcomes: str) -> dict[str, str]:
    return {f'tallow_client_reports_total{{outcome="{name}"}}': samples for name, samples in outcomes.items()}


CASES = [
    Case(
        "TelemetryDropped",
        "fires when something was lost every five minutes for a quarter of an hour, and resolves",
        dropped(counter((20, 0), (30, 1), (30, 0))),
        quiet=(20, 34.5, 55.5),
        firing=(35.75, 54.5),
        kinds=("fires",),
    ),
    Case(
        "TelemetryDropped",
        "stays quiet when peers report more than their share",
        dropped(counter((20, 0), (40, 5)), "client"),
        quiet=(36, 55),
    ),
    Case(
        "TelemetryDropped",
        "stays quiet when something was lost for nine minutes",
        dropped(counter((20, 0), (9, 1), (60, 0))),
        quiet=(30, 33, 34, 36, 60),
        kinds=("below",),
    ),
    Case(
        "LabelOverflow",
        "fires when unlisted values come all the time, and resolves",
        overflowed(counter((20, 0), (40, 4), (40, 0))) | overflowed(counter((20, 0), (40, 4), (40, 0)), "x"),
        quiet=(20, 46.5, 63.5),
        firing=(48.5, 61.5),
        kinds=("fires",),
    ),
    Case(
        "LabelOverflow",
        "stays quiet when just under a hundred come in a quarter of an hour",
        overflowed(counter((20, 0), (60, 6.6))),
        quiet=(40, 50, 79),
        kinds=("below",),
    ),
    Case(
        "ClientReportsRejected",
        "fires when more than a quarter of the reports are refused, and resolves",
        reports(
            accepted=counter((20, 2.9), (50, 2), (50, 2.9)),
            rejected=counter((20, 0), (50, 0.4), (50, 0)),
            rate_limited=counter((20, 0), (50, 0.4), (50, 0)),
        ),
        quiet=(20, 46, 74),
        firing=(49.5, 70.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "ClientReportsRejected",
        "stays quiet when just under a quarter are refused",
        reports(accepted=counter((120, 30)), rejected=counter((120, 4.8)), rate_limited=counter((120, 4.8))),
        quiet=(40, 119),
        kinds=("below",),
    ),
    Case(
        "ClientReportsRejected",
        "stays quiet when fewer than 40 reports stand behind the share",
        reports(accepted=counter((120, 1)), rejected=counter((120, 0.7)), rate_limited=counter((120, 0.9))),
        quiet=(40, 119),
        kinds=("few",),
    ),
]
