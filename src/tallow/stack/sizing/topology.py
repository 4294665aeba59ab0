"""Which of sharding, remote write and recording rules a fleet needs."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from math import ceil
from typing import Final

from tallow.stack.prometheus import RETENTION_SIZE
from tallow.stack.sizing import model
from tallow.stack.sizing.estimate import Estimate, Fleet, estimate
from tallow.stack.sizing.measurements import Measurements
from tallow.stack.sizing.rule_cost import group_costs

GIB: Final = 2**30
MEMORY_LIMIT_BYTES: Final = 32 * GIB
"""Memory of one Prometheus. A larger one takes minutes to read its write-ahead log after a restart."""
CORES_LIMIT: Final = 4.0
"""Cores for scrapes and rules of one Prometheus; queries need others."""
DISK_LIMIT_BYTES: Final = 10**12
"""Blocks and write-ahead log on one machine: a disk that is lost loses them."""
SHIPPED_DISK_LIMIT_BYTES: Final = int(RETENTION_SIZE.removesuffix("GB")) * GIB
"""The shipped ``--storage.tsdb.retention.size``; Prometheus's GB are binary."""
EVALUATION_SHARE: Final = 0.5
"""Share of the evaluation interval that the slowest group may take. At 1 evaluations are missed."""


@dataclass(frozen=True, slots=True)
class Need:
    """Whether something is needed, and why or why not."""

    needed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Topology:
    """What a fleet needs beyond one Prometheus as shipped.

    Attributes:
        shards: servers that share the instances between them.
        shard: the load of each.
        kept_days: days that the shipped size limit keeps on each shard; at most the retention.
    """

    shards: int
    shard: Estimate
    kept_days: float
    sharding: Need
    remote_write: Need
    recording_rules: Need


def topology(whole: Estimate, measured: Measurements) -> Topology:
    """What a fleet needs.

    Args:
        whole: the load on a single Prometheus.
        measured: the measurements of that estimate.
    """
    costs = group_costs(measured)
    fleet_wide = [name for cost in costs for name in cost.fleet_wide]
    recordable = {cost.name for cost in costs if cost.is_recordable}
    shards, resource = _shards(whole, recordable, model.memory_line(measured).base)
    fleet = whole.fleet
    per_shard = Fleet(ceil(fleet.instances / shards), fleet.interval_seconds, fleet.retention_days)
    shard = whole if shards == 1 else estimate(per_shard, measured)
    return Topology(
        shards,
        shard,
        kept_days=min(fleet.retention_days, SHIPPED_DISK_LIMIT_BYTES / shard.disk_bytes_per_day),
        sharding=Need(shards > 1, resource),
        remote_write=_remote_write(shards, shard),
        recording_rules=_recording_rules(shards, whole, recordable, len(fleet_wide)),
    )


def instances_limit(measured: Measurements, interval_seconds: float, share: float) -> int:
    """The number of instances at which the slowest group takes a share of the interval."""
    one = estimate(Fleet(1, interval_seconds), measured)
    return int(share * interval_seconds / one.evaluation_seconds)


def _shards(whole: Estimate, recordable: Set[str], base_bytes: float) -> tuple[int, str]:
    """The servers needed, and the resource that decides.

    Groups that recording rules make cheap do not count. Each server has the base memory of an empty one.
    """
    interval = whole.fleet.interval_seconds
    recorded = sum(seconds for name, seconds in whole.rule_seconds.items() if name in recordable)
    slowest, seconds = max(
        ((name, seconds) for name, seconds in whole.rule_seconds.items() if name not in recordable),
        key=lambda group: group[1],
    )
    used = {
        "memory": (whole.memory_bytes - base_bytes) / (MEMORY_LIMIT_BYTES - base_bytes),
        "CPU": (whole.cores - recorded / interval) / CORES_LIMIT,
        f"the evaluation of {slowest}": seconds / (EVALUATION_SHARE * interval),
    }
    resource = max(used, key=lambda name: used[name])
    return max(1, ceil(used[resource])), f"{resource} needs {_percent(used[resource])} of one server's limit"


def _remote_write(shards: int, shard: Estimate) -> Need:
    if shards > 1:
        return Need(True, f"rules and dashboards over all instances need the samples of {shards} shards")
    if shard.disk_bytes > DISK_LIMIT_BYTES:
        return Need(True, f"{shard.fleet.retention_days:g} days exceed one disk")
    if shard.disk_bytes > SHIPPED_DISK_LIMIT_BYTES:
        days = SHIPPED_DISK_LIMIT_BYTES / shard.disk_bytes_per_day
        return Need(False, f"or raise the size limit: {RETENTION_SIZE} keep {days:.0f} days")
    return Need(False, "one disk holds the retention")


def _recording_rules(shards: int, whole: Estimate, recordable: Set[str], fleet_wide: int) -> Need:
    slow = [
        f"{name} takes {_percent(seconds / whole.fleet.interval_seconds)} of the interval"
        for name, seconds in whole.rule_seconds.items()
        if name in recordable
    ]
    limit = EVALUATION_SHARE * whole.fleet.interval_seconds
    too_slow = any(whole.rule_seconds[name] > limit for name in recordable)
    if shards > 1 and fleet_wide:
        slow.append(f"{fleet_wide} rules need the sums of {shards} shards")
    return Need(too_slow or (shards > 1 and fleet_wide > 0), "; ".join(slow) or "no rule combines instances")


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"
