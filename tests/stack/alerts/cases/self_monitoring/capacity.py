"""When the alerts on samples, series and file descriptors fire, and when not."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring.programs import NODE, PROMETHEUS, of
from support.alert_rules.promtool import Case, counter, gauge

LIMITS = [
    Case(
        "ScrapeNearSampleLimit",
        "fires when a scrape has more than 40,000 samples for ten minutes, and resolves",
        {"scrape_samples_post_metric_relabeling": gauge((20, 39_999), (30, 40_001), (30, 39_999))},
        quiet=(20, 29.5, 50.5),
        firing=(30.5, 49.5),
        kinds=("fires",),
    ),
    Case(
        "ScrapeNearSampleLimit",
        "stays quiet just below, whatever other jobs have",
        {"scrape_samples_post_metric_relabeling": gauge((60, 39_999))}
        | of(NODE, "scrape_samples_post_metric_relabeling", gauge((60, 49_999))),
        quiet=(20, 59),
        kinds=("below",),
    ),
]

SERIES = "tallow_metric_series"
SAMPLES = "scrape_samples_post_metric_relabeling"
"""As many as all metrics have series together."""
GROWTH = [
    Case(
        "MetricSeriesGrowing",
        "fires when 10,001 lines have been added in six hours, and resolves when that is long past",
        {
            f'{SERIES}{{metric="tallow_errors_total"}}': gauge((20, 1000), (100, 6001)),
            f'{SERIES}{{metric="tallow_transfers_total"}}': gauge((20, 1000), (100, 6000)),
            SAMPLES: gauge((20, 2000), (100, 12_001)),
        },
        quiet=(19, 21, 80.5),
        firing=(22.25, 50, 79),
        kinds=("fires",),
        stretch=6,
    ),
    Case(
        "MetricSeriesGrowing",
        "stays quiet when exactly 10,000 lines have been added, and when many have been there for long",
        {
            f'{SERIES}{{metric="tallow_errors_total"}}': gauge((20, 1000), (100, 6000)),
            f'{SERIES}{{metric="tallow_transfers_total"}}': gauge((20, 31_000), (100, 36_000)),
            SAMPLES: gauge((20, 32_000), (100, 42_000)),
        },
        quiet=(19, 22, 23, 50, 79),
        kinds=("below",),
        stretch=6,
    ),
    Case(
        "MetricSeriesGrowing",
        "compares with the smallest number, not with the last one",
        dict.fromkeys(
            (f'{SERIES}{{metric="tallow_errors_total"}}', SAMPLES), counter((20, 0), (40, 300), start=1000)
        ),
        quiet=(50,),
        firing=(56.5, 59),
        stretch=6,
    ),
    Case(
        "MetricSeriesGrowing",
        "stays quiet after a scrape that failed",
        {
            f'{SERIES}{{metric="tallow_errors_total"}}': gauge((20, 31_000), (1, None), (60, 31_000)),
            SAMPLES: gauge((20, 31_000), (1, 0), (60, 31_000)),
        },
        quiet=(19, 23, 24, 50, 79),
        stretch=6,
    ),
]


def descriptors(used: str, allowed: str = gauge((180, 1000))) -> dict[str, str]:
    """Open file descriptors of Tallow, and how many it may open."""
    return {"tallow_process_open_fds": used, "tallow_process_max_fds": allowed}


def descriptors_of(place: dict[str, str], used: str) -> dict[str, str]:
    """The same of another program."""
    return of(place, "process_open_fds", used) | of(place, "process_max_fds", gauge((180, 1000)))


DESCRIPTORS = [
    Case(
        "FileDescriptorsLow",
        "fires when more than 80 % have been in use for five minutes, and resolves",
        descriptors(gauge((20, 799), (20, 801), (20, 799))),
        quiet=(20, 24.5, 40.5),
        firing=(25.5, 39.5),
        kinds=("fires",),
    ),
    Case(
        "FileDescriptorsLow",
        "stays quiet when 80 % are in use",
        descriptors(gauge((60, 800))) | descriptors_of(PROMETHEUS, gauge((60, 800))),
        quiet=(10, 30, 59),
        kinds=("below",),
    ),
    Case(
        "FileDescriptorsLow",
        "fires for another program that runs out of them",
        descriptors(gauge((60, 100))) | descriptors_of(PROMETHEUS, gauge((20, 799), (20, 801), (20, 799))),
        quiet=(20, 24.5, 40.5),
        firing=(25.5, 39.5),
        labels=PROMETHEUS,
    ),
    Case(
        "FileDescriptorsLow",
        "stays quiet when the limit is not known",
        descriptors(gauge((60, 900)), gauge((60, 0)))
        | of(PROMETHEUS, "process_open_fds", gauge((60, 900)))
        | of(PROMETHEUS, "process_max_fds", gauge((60, 0))),
        quiet=(10, 30, 59),
    ),
]

CASES = [*LIMITS, *GROWTH, *DESCRIPTORS]
