"""Estimate what Prometheus needs for a number of instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing import model
from tallow.stack.sizing.measurements import Measurements
from tallow.stack.sizing.rule_cost import shortest_window_seconds
from tallow.stack.sizing.series_bound import SCRAPE_SERIES, series_bound

RETENTION_DAYS: Final = 30
SAMPLES_PER_WINDOW: Final = 4
"""Scrapes that the shortest window of a rule should contain, so that a lost one leaves no gap."""
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
        rule_seconds: of every group, by name.
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
    rule_seconds: Mapping[str, float]
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
    seconds = model.group_seconds(measured, fleet.instances, fleet.interval_seconds)
    long_seconds = sum(seconds[name] for name in model.groups_with_long_windows(measured))
    slowest = max(seconds, key=lambda name: seconds[name])
    per_sample = model.bytes_per_sample(measured, fleet.interval_seconds, fleet.retention_days)
    disk_per_day = rate * model.DAY_S * per_sample
    return Estimate(
        fleet,
        series=series,
        series_bound=fleet.instances * (series_bound(measured.registered) + SCRAPE_SERIES),
        samples_per_second=rate,
        scrape_bytes_per_second=scrapes * measured.busy.bytes,
        network_bytes_per_second=scrapes * measured.busy.gzip_bytes,
        disk_bytes_per_day=disk_per_day,
        disk_bytes=disk_per_day * fleet.retention_days + rate * _WAL_S * model.wal_bytes_per_sample(measured),
        memory_bytes=model.memory_line(measured).at(series),
        cores=rate * model.cpu_seconds_per_sample(measured) + long_seconds / fleet.interval_seconds,
        slowest_group=slowest,
        evaluation_seconds=seconds[slowest],
        rule_seconds=seconds,
        all_rules_seconds=sum(seconds.values()),
        remote_write_bytes_per_second=rate * model.remote_write_bytes_per_sample(measured),
    )


def longest_interval_seconds() -> float:
    """The longest scrape interval with which the shortest window of a shipped rule has enough scrapes."""
    return shortest_window_seconds() / SAMPLES_PER_WINDOW
