"""The history that fills the windows of every shipped rule, for many simulated instances."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from support.programs.debian import program
from support.sizing.simulated_instances import Sample, SimulatedInstance, Template
from tallow.stack.alerts import RULES
from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.rule_cost import reads

AFTER_S = 900
"""History after the present, so that windows stay full while the rules are evaluated."""
MARGIN_S = 120


def windows() -> dict[str, float]:
    """The longest range, in seconds, that a rule reads of each metric."""
    longest: dict[str, float] = {}
    for rule in RULES.values():
        for read in reads(rule.render().expr):
            name = read.selector.name or ""
            longest[name] = max(longest.get(name, 0), read.range_seconds)
    return longest


def write_history(folder: Path, template: Template, instances: int) -> None:
    """Write blocks with every series that the rules read, over the longest window that reads it."""
    source = folder / "history.om"
    now = time.time()
    with source.open("w") as file:
        for block in _scrapes(template, instances, now):
            file.write(block)
        file.write("# EOF\n")
    promtool = program("promtool")
    options = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h"]
    subprocess.run([promtool, *options, source, folder / "data"], check=True, capture_output=True)
    source.unlink()


def _scrapes(template: Template, instances: int, now: float) -> Iterator[str]:
    """Every scrape of every instance, in the order of time."""
    longest = windows()
    samples = [
        (longest[name], sample)
        for sample in [*template.samples, Sample("up", 1, 0, 0)]
        if (name := sample.series.partition("{")[0]) in longest
    ]
    fleet = [SimulatedInstance(template, seed) for seed in range(instances)]
    start = now - max(longest.values()) - MARGIN_S
    for scrape in range(round((now + AFTER_S - start) / SCRAPE_INTERVAL_S)):
        at = start + scrape * SCRAPE_INTERVAL_S
        read = [sample for window, sample in samples if at >= now - window - MARGIN_S]
        for number, instance in enumerate(fleet):
            instance.advance()
            labels = f'job="tallow",instance="tallow-{number}.example:3000"'
            yield "".join(
                f"{_labelled(sample.series, labels)} {instance.value(sample)} {at:.3f}\n" for sample in read
            )


def _labelled(series: str, labels: str) -> str:
    name, _, rest = series.partition("{")
    return f"{name}{{{labels}{',' + rest if rest else '}'}"
