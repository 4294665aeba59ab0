"""Estimates: their arithmetic, and that more instances never need less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.stack.sizing import model
from tallow.stack.sizing.estimate import Fleet, estimate, longest_interval_seconds
from tallow.stack.sizing.measurements import load
from tallow.stack.sizing.series_bound import SCRAPE_SERIES
from tallow.stack.sizing.topology import (
    CORES_LIMIT,
    EVALUATION_SHARE,
    MEMORY_LIMIT_BYTES,
    instances_limit,
    topology,
)

MEASURED = load()
INSTANCES = st.integers(1, 100_000)
INTERVALS = st.floats(1, 300)
DAYS = st.floats(1, 3650)
GROWING = (
    "series",
    "series_bound",
    "samples_per_second",
    "scrape_bytes_per_second",
    "network_bytes_per_second",
    "disk_bytes_per_day",
    "disk_bytes",
    "memory_bytes",
    "cores",
    "evaluation_seconds",
    "all_rules_seconds",
    "remote_write_bytes_per_second",
)


def test_one_instance() -> None:
    one = estimate(Fleet(1, 15, 30), MEASURED)
    assert one.series == MEASURED.busy.series + SCRAPE_SERIES
    assert one.samples_per_second == one.series / 15
    assert one.scrape_bytes_per_second == MEASURED.busy.bytes / 15
    per_sample = model.bytes_per_sample(MEASURED, 15, 30)
    assert one.disk_bytes_per_day == pytest.approx(one.samples_per_second * 86_400 * per_sample)
    wal = one.samples_per_second * 3 * 3600 * model.wal_bytes_per_sample(MEASURED)
    assert one.disk_bytes == pytest.approx(30 * one.disk_bytes_per_day + wal)


@given(INSTANCES, INSTANCES, INTERVALS, DAYS)
def test_more_instances_need_more_of_everything(few: int, more: int, interval: float, days: float) -> None:
    small = estimate(Fleet(few, interval, days), MEASURED)
    large = estimate(Fleet(few + more, interval, days), MEASURED)
    for name in GROWING:
        assert 0 < getattr(small, name) < getattr(large, name), name
    assert topology(small, MEASURED).shards <= topology(large, MEASURED).shards


@given(INSTANCES, INTERVALS, st.floats(1, 10), DAYS)
def test_a_longer_interval_needs_less(instances: int, interval: float, factor: float, days: float) -> None:
    often = estimate(Fleet(instances, interval, days), MEASURED)
    rarely = estimate(Fleet(instances, interval * factor, days), MEASURED)
    assert rarely.samples_per_second <= often.samples_per_second
    assert rarely.cores <= often.cores
    assert rarely.series == often.series
    assert rarely.memory_bytes == often.memory_bytes


@given(INSTANCES, DAYS, DAYS)
def test_a_longer_retention_needs_more_disk(instances: int, days: float, more: float) -> None:
    short = estimate(Fleet(instances, 15, days), MEASURED)
    long = estimate(Fleet(instances, 15, days + more), MEASURED)
    assert long.disk_bytes > short.disk_bytes - short.disk_bytes * 1e-9
    assert long.memory_bytes == short.memory_bytes


@given(INSTANCES, INTERVALS)
def test_every_shard_is_within_the_limits(instances: int, interval: float) -> None:
    found = topology(estimate(Fleet(instances, interval), MEASURED), MEASURED)
    assert found.shards * found.shard.fleet.instances >= instances
    one_instance = model.memory_line(MEASURED).slope * (MEASURED.busy.series + SCRAPE_SERIES)
    assert found.shard.memory_bytes <= MEMORY_LIMIT_BYTES + one_instance  # instances are not divided
    assert found.sharding.needed == (found.shards > 1)
    assert found.remote_write.needed or found.shards == 1
    assert CORES_LIMIT > 0


def test_the_slowest_group_takes_its_share_at_the_limit() -> None:
    count = instances_limit(MEASURED, 15, EVALUATION_SHARE)
    assert estimate(Fleet(count), MEASURED).evaluation_seconds <= 7.5
    assert estimate(Fleet(count + 1), MEASURED).evaluation_seconds > 7.5


@pytest.mark.parametrize(("days", "hours"), [(1, 2), (2.5, 6), (30, 54), (3650, 486)])
def test_blocks_are_merged_by_threes(days: float, hours: float) -> None:
    assert model.largest_block_seconds(days) / 3600 == hours


def test_costlier_measurements_make_larger_estimates() -> None:
    costlier = replace(MEASURED, busy=replace(MEASURED.busy, series=2 * MEASURED.busy.series))
    assert estimate(Fleet(10), costlier).memory_bytes > estimate(Fleet(10), MEASURED).memory_bytes


def test_the_shipped_interval_fits_the_windows_of_the_rules() -> None:
    assert longest_interval_seconds() >= 15
