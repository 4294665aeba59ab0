"""Estimate what Prometheus needs for a number of instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.fit import Line, fit_line, fit_two_costs
from tallow.stack.sizing.measurements import Measurements
from tallow.stack.sizing.rule_cost import group_costs, shortest_window_seconds
from tallow.stack.sizing.series_bound import SCRAPE_SERIES, series_bound

DAY_S: Final = 86_400
RETENTION_DAYS: Final = 30
SAMPLES_PER_WINDOW: Final = 4
"""Scrapes that the shortest window of a rule should contain, so that a lost one leaves no gap."""
_SHORTEST_BLOCK_S: Final = 2 * 3600
_COMPACTION_STEP: Final = 3
_LONGEST_BLOCK_DAYS: Final = 31
_WAL_S: Final = 3 * 3600
"""Samples of up to this time are in the write-ahead log; a block is written when the head has three hours."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is scraped.

    Attributes:
        instances: of Tallow.
        interval_seconds: between two scrapes, and between two evaluations of the rules.
        retention_days: for which samples are kept.
    """

    instances: int
    interval_seconds: float = SCRAPE_INTERVAL_S
    retention_days: float = RETENTION_DAYS


@dataclass(frozen=True, slots=True)
class Estimate:
    """The load of one Prometheus that scrapes a whole fleet, with busy instances.

    Attributes:
        series: active series, with those that Prometheus adds for each target.
        series_bound: series if every combination of allowed label values has occurred.
        scrape_bytes_per_second: of expositions, before compression.
        network_bytes_per_second: of expositions, with gzip.
        disk_bytes_per_day: of blocks.
        disk_bytes: of blocks for the retention, and of the write-ahead log.
        memory_bytes: resident.
        cores: of scrapes and rules.
        slowest_group: the name of the rule group whose evaluation takes longest.
        evaluation_seconds: of that group.
        all_rules_seconds: of all groups together.
        remote_write_bytes_per_second: if it is used.
    """

    fleet: Fleet
    series: int
    series_bound: int
    samples_per_second: float
    scrape_bytes_per_second: float
    network_bytes_per_second: float
    disk_bytes_per_day: float
    disk_bytes: float
    memory_bytes: float
    cores: float
    slowest_group: str
    evaluation_seconds: float
    all_rules_seconds: float
    remote_write_bytes_per_second: float


def estimate(fleet: Fleet, measured: Measurements) -> Estimate:
    """Estimate the load of a fleet on one Prometheus.

    Args:
        fleet: the instances, the scrape interval and the retention.
        measured: see :func:`tallow.stack.sizing.measurements.load`.

    Example:
        >>> from tallow.stack.sizing.measurements import load
        >>> estimate(Fleet(200), load()).series == 2 * estimate(Fleet(100), load()).series
        True
    """
    series = fleet.instances * (measured.busy.series + SCRAPE_SERIES)
    rate = series / fleet.interval_seconds
    scrapes = fleet.instances / fleet.interval_seconds
    seconds = group_seconds(fleet, measured)
    slowest = max(seconds, key=lambda name: seconds[name])
    disk_per_day = rate * DAY_S * bytes_per_sample(fleet, measured)
    return Estimate(
        fleet,
        series=series,
        series_bound=fleet.instances * (series_bound(measured.registered) + SCRAPE_SERIES),
        samples_per_second=rate,
        scrape_bytes_per_second=scrapes * measured.busy.bytes,
        network_bytes_per_second=scrapes * measured.busy.gzip_bytes,
        disk_bytes_per_day=disk_per_day,
        disk_bytes=disk_per_day * fleet.retention_days + rate * _WAL_S * wal_bytes_per_sample(measured),
        memory_bytes=memory_line(measured).at(series),
        cores=rate * cpu_seconds_per_sample(measured) + sum(seconds.values()) / fleet.interval_seconds,
        slowest_group=slowest,
        evaluation_seconds=seconds[slowest],
        all_rules_seconds=sum(seconds.values()),
        remote_write_bytes_per_second=rate * remote_write_bytes_per_sample(measured),
    )


def group_seconds(fleet: Fleet, measured: Measurements) -> dict[str, float]:
    """The time of one evaluation of each rule group, by name."""
    per_series, per_sample = rule_costs(measured)
    density = SCRAPE_INTERVAL_S / fleet.interval_seconds
    return {
        cost.name: fleet.instances
        * (per_series * cost.series + per_sample * max(cost.series, cost.samples * density))
        for cost in group_costs(measured)
    }


def rule_costs(measured: Measurements) -> tuple[float, float]:
    """The time of an evaluation for each series that it selects, and for each sample that it reads."""
    costs = {cost.name: cost for cost in group_costs(measured)}
    return fit_two_costs(
        [
            (costs[name].series * run.instances, costs[name].samples * run.instances, seconds)
            for run in measured.rules
            for name, seconds in run.seconds.items()
            if name in costs
        ]
    )


def memory_line(measured: Measurements) -> Line:
    """Resident memory in bytes by the number of series."""
    return fit_line([(run.series, run.resident_bytes) for run in measured.processes])


def cpu_seconds_per_sample(measured: Measurements) -> float:
    """CPU time for a scraped sample, its storage and the evaluation of rules over short windows."""
    largest = measured.processes[-1]
    return largest.cpu_seconds / largest.samples


def bytes_per_sample(fleet: Fleet, measured: Measurements) -> float:
    """Bytes of blocks for each sample: chunks, and the index of the largest blocks.

    Prometheus merges blocks, each time three, until the next would be longer than a tenth of the retention
    or 31 days. Each block has an index of its series; the longer the block, the more samples share it.
    """
    block = measured.block
    samples = largest_block_seconds(fleet.retention_days) / fleet.interval_seconds
    return block.chunk_bytes / block.samples + block.index_bytes / block.series / samples


def largest_block_seconds(retention_days: float) -> float:
    """The duration of the largest blocks.

    Example:
        >>> largest_block_seconds(30) / 3600
        54.0
    """
    limit = min(retention_days / 10, _LONGEST_BLOCK_DAYS) * DAY_S
    length = _SHORTEST_BLOCK_S
    while length * _COMPACTION_STEP <= limit:
        length *= _COMPACTION_STEP
    return float(length)


def wal_bytes_per_sample(measured: Measurements) -> float:
    """Bytes of the write-ahead log for each sample."""
    return measured.block.wal_bytes / measured.block.samples


def remote_write_bytes_per_sample(measured: Measurements) -> float:
    """Compressed bytes that remote write sends for each sample."""
    return measured.remote_write.remote_write_bytes / measured.remote_write.samples


def longest_interval_seconds() -> float:
    """The longest scrape interval with which the shortest window of a shipped rule has enough scrapes."""
    return shortest_window_seconds() / SAMPLES_PER_WINDOW
