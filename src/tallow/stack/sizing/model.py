"""The costs of series, samples and rule evaluations, fitted to the measurements."""

from __future__ import annotations

from typing import Final

from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.fit import Line, fit_line, fit_two_costs
from tallow.stack.sizing.measurements import Measurements
from tallow.stack.sizing.rule_cost import group_costs

DAY_S: Final = 86_400
_SHORTEST_BLOCK_S: Final = 2 * 3600
_COMPACTION_STEP: Final = 3
_LONGEST_BLOCK_DAYS: Final = 31


def group_seconds(
    measured: Measurements, instances: int, interval_seconds: float = SCRAPE_INTERVAL_S
) -> dict[str, float]:
    """The time of one evaluation of each rule group, by name."""
    per_series, per_sample = rule_costs(measured)
    density = SCRAPE_INTERVAL_S / interval_seconds
    return {
        cost.name: instances
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


def groups_with_long_windows(measured: Measurements) -> list[str]:
    """The groups whose windows the measured processes did not fill, so that their CPU time is not in that of
    a sample."""
    filled = measured.conditions.scrapes * SCRAPE_INTERVAL_S
    return [cost.name for cost in group_costs(measured) if cost.longest_window_seconds > filled]


def cpu_seconds_per_sample(measured: Measurements) -> float:
    """CPU time for a scraped sample, its storage and the evaluation of rules over filled windows."""
    largest = measured.processes[-1]
    return largest.cpu_seconds / largest.samples


def bytes_per_sample(measured: Measurements, interval_seconds: float, retention_days: float) -> float:
    """Bytes of blocks for each sample: chunks, and the index of the largest blocks.

    Prometheus merges blocks, each time three, until the next would be longer than a tenth of the retention
    or 31 days. Each block has an index of its series; the longer the block, the more samples share it.
    """
    block = measured.block
    samples = largest_block_seconds(retention_days) / interval_seconds
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
    largest = measured.processes[-1]
    return largest.wal_bytes / largest.wal_samples


def remote_write_bytes_per_sample(measured: Measurements) -> float:
    """Compressed bytes that remote write sends for each sample."""
    return measured.remote_write.remote_write_bytes / measured.remote_write.samples
