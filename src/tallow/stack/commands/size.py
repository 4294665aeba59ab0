"""``tallow size``: what Prometheus needs for a number of instances."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

import click

from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.estimate import (
    RETENTION_DAYS,
    Estimate,
    Fleet,
    estimate,
    longest_interval_seconds,
)
from tallow.stack.sizing.measurements import load
from tallow.stack.sizing.text import bytes_text, number_text, seconds_text
from tallow.stack.sizing.topology import Need, Topology, topology

MAX_INSTANCES: Final = 1_000_000
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


class DurationType(click.ParamType[float]):
    """A duration as a number in a default unit, or as Prometheus writes it: 15, 15s, 30d.

    Args:
        unit: of a number without a unit, and of the result.
        low: the smallest value, in the unit.
        high: the largest.
    """

    name = "DURATION"

    def __init__(self, unit: str, low: float, high: float) -> None:
        self._unit, self._low, self._high = unit, low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        number, unit = (text[:-1], text[-1:]) if text[-1:] in _SECONDS else (text, self._unit)
        if _NUMBER.fullmatch(number):
            length = float(number) * _SECONDS[unit] / _SECONDS[self._unit]
            if self._low <= length <= self._high:
                return length
        limits = f"{self._low:g}{self._unit} to {self._high:g}{self._unit}"
        return self.fail(
            f"'{text}' is not accepted; give a duration from {limits}, such as 30s or 2d", param, ctx
        )


@click.command("size")
@click.option(
    "--instances",
    type=click.IntRange(1, MAX_INSTANCES),
    default=1,
    show_default=True,
    help="Instances of Tallow that Prometheus scrapes.",
)
@click.option(
    "--interval",
    type=DurationType("s", 1, 300),
    default=f"{SCRAPE_INTERVAL_S}s",
    show_default=True,
    help="Time between two scrapes, and between two evaluations of the rules.",
)
@click.option(
    "--retention",
    type=DurationType("d", 1, 3650),
    default=f"{RETENTION_DAYS}d",
    show_default=True,
    help="Time for which samples are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: all figures, in seconds and bytes.")
def command(instances: int, interval: float, retention: float, as_json: bool) -> None:
    """Estimate what Prometheus needs for a number of instances, and whether one Prometheus is enough.

    The estimate is for busy instances. docs/size.md explains the figures and how they were measured.
    """
    measured = load()
    whole = estimate(Fleet(instances, interval, retention), measured)
    needs = topology(whole, measured)
    if as_json:
        click.echo(json.dumps({"estimate": asdict(whole), "topology": asdict(needs)}, indent=2))
        return
    for name, value in (*_figures(whole), *_needs(needs)):
        click.echo(f"{name:<22}{value}")
    if interval > longest_interval_seconds():
        click.echo(
            f"warning: the shortest window of the rules needs {longest_interval_seconds():g} s or less",
            err=True,
        )


def _figures(whole: Estimate) -> Iterator[tuple[str, str]]:
    fleet = whole.fleet
    share = whole.evaluation_seconds / fleet.interval_seconds
    yield "series", f"{whole.series:,} ({whole.series_bound:,} if every label value occurs)"
    yield "samples per second", number_text(whole.samples_per_second)
    compressed = f"{bytes_text(whole.network_bytes_per_second)}/s with gzip"
    yield "expositions", f"{bytes_text(whole.scrape_bytes_per_second)}/s, {compressed}"
    yield "disk per day", bytes_text(whole.disk_bytes_per_day)
    yield f"disk for {fleet.retention_days:g} days", bytes_text(whole.disk_bytes)
    yield "memory", bytes_text(whole.memory_bytes)
    yield "CPU cores", number_text(whole.cores)
    yield (
        "slowest rule group",
        f"{whole.slowest_group}: {seconds_text(whole.evaluation_seconds)}, {share:.1%} of the interval",
    )
    yield "remote write, if used", f"{bytes_text(whole.remote_write_bytes_per_second)}/s"


def _needs(needs: Topology) -> Iterator[tuple[str, str]]:
    yield "sharding", _need(needs.sharding, f"{needs.shards} shards")
    yield "remote write", _need(needs.remote_write, "yes")
    yield "recording rules", _need(needs.recording_rules, "yes")


def _need(need: Need, answer: str) -> str:
    return f"{answer if need.needed else 'no'} ({need.reason})"
