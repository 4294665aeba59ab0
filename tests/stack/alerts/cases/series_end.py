"""An alert outlives its series by a minute, so that its last message can tell that they ended.

Rules that read a range do so by themselves. Those that read the present value do it with ``last_over_time``.
"""

from __future__ import annotations

from collections.abc import Mapping

from stack.alerts.cases.host import FULL, disk
from stack.alerts.cases.performance import CPU, MEMORY, WORKERS
from stack.alerts.cases.self_monitoring.capacity import SAMPLES, SERIES, descriptors
from stack.alerts.cases.self_monitoring.delivery import remote
from stack.alerts.cases.self_monitoring.programs import PROMETHEUS, of
from stack.alerts.cases.self_monitoring.targets import ups
from stack.alerts.cases.transfers import QUEUE
from support.alert_rules.promtool import INSTANCE, Case, counter, gauge, gauge_until_stale

END = 50
TALLOW = {"job": "tallow", "instance": INSTANCE}
ELSEWHERE = {"job": "other", "instance": "other:1"}
Series = dict[str, str]


def _held(value: float) -> str:
    return gauge_until_stale(END, value)


def _ending(series: Series) -> Series:
    """The series, with those of them that are constant ending as well."""
    return {
        name: samples if "stale" in samples else _held(float(samples.partition("+")[0]))
        for name, samples in series.items()
    }


# a name of the case, its alert, its labels, and series that fire until minute END, where they end
FAULTS: Mapping[str, tuple[str, Mapping[str, str], Series]] = {
    "of the target": ("ServiceDown", TALLOW, {"up": _held(0), 'up{instance="b:3000"}': gauge((90, 1))}),
    "of the memory": ("HighMemoryUsage", TALLOW, {MEMORY: _held(2e9)}),
    "of the CPU": ("HighCPUUsage", TALLOW, {CPU: f"{counter((END, 600))} stale", WORKERS: _held(1)}),
    "of the queue": ("TransferQueueBacklog", TALLOW, {QUEUE: _held(200)}),
    "of the connections": (
        "NoActiveConnections",
        TALLOW,
        {'tallow_active_connections{type="relay"}': _held(0)},
    ),
    "of the scrape": (
        "ScrapeNearSampleLimit",
        TALLOW,
        {"scrape_samples_post_metric_relabeling": _held(45_000)},
    ),
    "of the number of series": (
        "MetricSeriesGrowing",
        TALLOW,
        {
            f'{SERIES}{{metric="errors_total"}}': f"{gauge((20, 0))} {gauge_until_stale(END - 20, 20_000)}",
            # Prometheus writes it, with the value 0, for a scrape that fails.
            SAMPLES: gauge((20, 1), (END - 20, 20_000), (60, 0)),
        },
    ),
    "of the file descriptors": ("FileDescriptorsLow", TALLOW, descriptors(_held(900), _held(1000))),
    "of another program's file descriptors": (
        "FileDescriptorsLow",
        PROMETHEUS,
        of(PROMETHEUS, "process_open_fds", _held(900)) | of(PROMETHEUS, "process_max_fds", _held(1000)),
    ),
    "of another target": ("TargetMissing", ELSEWHERE, ups() | of(ELSEWHERE, "up", _held(0))),
    "of remote storage": ("RemoteWriteFailing", PROMETHEUS, remote(_held(0), _held(-36_000))),
    "of the free space": ("DiskFilling", FULL, _ending(disk(_held(5)))),
    "of the inodes": ("DiskFilling", FULL, _ending(disk(gauge((240, 50)), inodes=_held(5)))),
    "of the disk that is read-only": (
        "DiskFilling",
        FULL,
        _ending(disk(gauge((240, 50)), readonly=f"{gauge((10, 0))} {gauge_until_stale(END - 10, 1)}")),
    ),
}

CASES = [
    Case(
        alert,
        f"goes on for a minute after the end of the series {name}",
        series,
        firing=(END - 0.5, END + 0.5),
        quiet=(END + 1.25, END + 5),
        labels=labels,
    )
    for name, (alert, labels, series) in FAULTS.items()
]
