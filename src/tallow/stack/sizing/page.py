"""``docs/size.md``, generated from the catalogue, the rules and the measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import PurePosixPath
from string import Template
from typing import Final

from tallow.stack.alerts.self_monitoring import SAMPLE_LIMIT
from tallow.stack.prometheus import RETENTION_SIZE, SCRAPE_INTERVAL_S
from tallow.stack.sizing import model
from tallow.stack.sizing import topology as limits
from tallow.stack.sizing.estimate import RETENTION_DAYS, Estimate, Fleet, estimate
from tallow.stack.sizing.fit import fit_line
from tallow.stack.sizing.measurements import Measurements, load
from tallow.stack.sizing.rule_cost import group_costs
from tallow.stack.sizing.series_bound import SCRAPE_SERIES, closed_series, series_bound
from tallow.stack.sizing.text import bytes_text, number_text, seconds_text
from tallow.stack.sizing.topology import Need, Topology, instances_limit, topology

PATH: Final = PurePosixPath("docs/size.md")
INSTANCES: Final = (1, 100, 10_000)
"""The numbers of instances of the page."""


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes: content by repository path."""
    return {PATH: page(load())}


def page(measured: Measurements) -> str:
    """The text of the page.

    Args:
        measured: the measurements that it shows.
    """
    text = (resources.files("tallow.stack.sizing") / "page.md").read_text("utf-8")
    wholes = [estimate(Fleet(count), measured) for count in INSTANCES]
    return Template(text).substitute(
        _loads(wholes)
        | _needs(wholes, measured)
        | _series(measured)
        | _rules(measured)
        | _conditions(measured)
        | _costs(measured)
    )


def _loads(wholes: Sequence[Estimate]) -> dict[str, str]:
    rows: Mapping[str, Callable[[Estimate], str]] = {
        "series": lambda one: f"{one.series:,}",
        "samples per second": lambda one: number_text(one.samples_per_second),
        "expositions": lambda one: f"{bytes_text(one.scrape_bytes_per_second)}/s",
        "expositions with gzip": lambda one: f"{bytes_text(one.network_bytes_per_second)}/s",
        "disk per day": lambda one: bytes_text(one.disk_bytes_per_day),
        "disk for the retention": lambda one: bytes_text(one.disk_bytes),
        "memory": lambda one: bytes_text(one.memory_bytes),
        "CPU cores": lambda one: number_text(one.cores),
        "slowest rule group": lambda one: f"{one.slowest_group}, {seconds_text(one.evaluation_seconds)}",
        "all rules": lambda one: seconds_text(one.all_rules_seconds),
        "remote write, if used": lambda one: f"{bytes_text(one.remote_write_bytes_per_second)}/s",
    }
    head = ["one Prometheus", *(f"{one.fleet.instances:,}" for one in wholes)]
    *first, last = (f"{count:,}" for count in INSTANCES)
    return {
        "load": table(head, ([name, *map(show, wholes)] for name, show in rows.items())),
        "counts": f"{', '.join(first)} and {last}",
        "interval": str(SCRAPE_INTERVAL_S),
        "retention": str(RETENTION_DAYS),
    }


def _needs(wholes: Sequence[Estimate], measured: Measurements) -> dict[str, str]:
    found = [topology(whole, measured) for whole in wholes]
    rows: Mapping[str, Callable[[Topology], str]] = {
        "sharding": lambda one: _need(one.sharding, f"{one.shards} shards"),
        "recording rules": lambda one: _need(one.recording_rules, "yes"),
        "remote write": lambda one: _need(one.remote_write, "yes"),
    }
    head = ["needed", *(f"{one.fleet.instances:,}" for one in wholes)]
    fleet_wide = [f"`{name}`" for cost in group_costs(measured) for name in cost.fleet_wide]
    kept = [
        f"{one.kept_days:.0f} days are kept with {one.shard.fleet.instances:,} instances on a server"
        for one in found
        if one.kept_days < RETENTION_DAYS
    ]
    return {
        "needs": table(head, ([name, *map(show, found)] for name, show in rows.items())),
        "memory_limit": f"{limits.MEMORY_LIMIT_BYTES // limits.GIB} GiB",
        "cores_limit": f"{limits.CORES_LIMIT:g}",
        "disk_limit": bytes_text(limits.DISK_LIMIT_BYTES),
        "shipped_disk_limit": RETENTION_SIZE,
        "fleet_wide": ", ".join(fleet_wide),
        "kept_days": ", ".join(kept) or "the retention fits",
    }


def _series(measured: Measurements) -> dict[str, str]:
    rows = (
        ("closed labels only, from the first scrape", f"{closed_series():,}", ""),
        ("idle server", f"{measured.idle.series:,}", bytes_text(measured.idle.bytes)),
        ("busy server", f"{measured.busy.series:,}", bytes_text(measured.busy.bytes)),
        ("every combination of allowed values", f"{series_bound(measured.registered):,}", ""),
        ("`sample_limit` of the scrape job", f"{SAMPLE_LIMIT:,}", ""),
    )
    return {"series": table(["exposition", "samples", "size"], rows), "scrape_series": str(SCRAPE_SERIES)}


def _rules(measured: Measurements) -> dict[str, str]:
    run = measured.rules[-1]
    predicted = model.group_seconds(measured, run.instances)
    rows = [
        (
            f"`{cost.name}`",
            number_text(cost.series),
            number_text(cost.samples),
            seconds_text(run.seconds[cost.name]) if cost.name in run.seconds else "",
            seconds_text(predicted[cost.name]),
        )
        for cost in group_costs(measured)
    ]
    head = ["group", "series", "samples", f"measured, {run.instances} instances", "model"]
    per_series, per_sample = model.rule_costs(measured)
    half, full = (
        instances_limit(measured, SCRAPE_INTERVAL_S, share) for share in (limits.EVALUATION_SHARE, 1.0)
    )
    return {
        "rules": table(head, rows),
        "per_series": seconds_text(per_series),
        "per_sample": seconds_text(per_sample),
        "slowest": max(predicted, key=lambda name: predicted[name]),
        "half_instances": f"{half:,}",
        "all_instances": f"{full:,}",
    }


def _conditions(measured: Measurements) -> dict[str, str]:
    conditions, block = measured.conditions, measured.block
    *first, last = (str(run.instances) for run in measured.processes)
    return {
        "date": conditions.date,
        "prometheus": conditions.prometheus,
        "load_average": f"{conditions.load_average:g}",
        "machine": conditions.machine,
        "scrapes": str(conditions.scrapes),
        "measured_interval": f"{conditions.interval_seconds:g}",
        "fleets": f"{', '.join(first)} and {last}",
        "rule_fleets": " and ".join(str(run.instances) for run in measured.rules),
        "block_samples": f"{block.samples:,}",
        "block_series": f"{block.series:,}",
        "verification": table(
            ["figure", "instances", "predicted", "measured", "error"], verification(measured)
        ),
        "factor": f"{INSTANCES[-1] // measured.processes[-1].instances}",
    }


def _costs(measured: Measurements) -> dict[str, str]:
    block, memory = measured.block, model.memory_line(measured)
    return {
        "chunk_bytes": f"{block.chunk_bytes / block.samples:.2f}",
        "index_bytes": f"{block.index_bytes / block.series:.0f}",
        "largest_block": f"{model.largest_block_seconds(RETENTION_DAYS) / 3600:g}",
        "bytes_per_sample": f"{model.bytes_per_sample(measured, SCRAPE_INTERVAL_S, RETENTION_DAYS):.2f}",
        "wal_bytes": f"{model.wal_bytes_per_sample(measured):.1f}",
        "base_memory": bytes_text(memory.base),
        "series_memory": bytes_text(memory.slope),
        "cpu": f"{model.cpu_seconds_per_sample(measured) * 1e6:.1f}",
        "long_groups": ", ".join(f"`{name}`" for name in model.groups_with_long_windows(measured)),
        "remote_bytes": f"{model.remote_write_bytes_per_sample(measured):.1f}",
    }


def verification(measured: Measurements) -> list[tuple[str, ...]]:
    """What the smaller fleets predict for the largest one, and what was measured there."""
    *smaller, largest = measured.processes
    few, many = measured.rules[0], measured.rules[-1]
    memory = fit_line([(run.series, run.resident_bytes) for run in smaller]).at(largest.series)
    slowest = max(many.seconds, key=lambda name: many.seconds[name])
    seconds = few.seconds[slowest] * many.instances / few.instances
    series = largest.instances * (measured.busy.series + SCRAPE_SERIES)
    return [
        _compared("series", largest.instances, series, largest.series, number_text),
        _compared("memory", largest.instances, memory, largest.resident_bytes, bytes_text),
        _compared(f"`{slowest}`", many.instances, seconds, many.seconds[slowest], seconds_text),
    ]


def _compared(
    name: str, instances: int, predicted: float, found: float, show: Callable[[float], str]
) -> tuple[str, ...]:
    return name, str(instances), show(predicted), show(found), f"{predicted / found - 1:+.0%}"


def _need(need: Need, answer: str) -> str:
    return f"{answer if need.needed else 'no'}: {need.reason}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that ends with a line break."""
    lines = (f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
    return "\n".join(lines) + "\n"
