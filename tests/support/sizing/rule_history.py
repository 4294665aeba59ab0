"""The history that fills the windows of every shipped rule, for many simulated instances."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from support.programs.debian import program
from support.sizing.simulated_instances import Sample, SimulatedInstance, Template
from tallow.stack.alerts import RULES
from tallow.stack.lint.promql.vocabulary import TARGET_LABELS
from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing.measurements import Block
from tallow.stack.sizing.rule_cost import Read, reads, selects

AFTER_S = 600
"""History after the present, so that windows stay full while the rules are evaluated."""
MARGIN_S = 120
SCRAPE = (Sample("up", 1, 0, 0), Sample("scrape_samples_post_metric_relabeling", 2000, 0, 0))
"""What rules read of the series that Prometheus adds to a scrape."""
BLOCK_S = 7200


def windows() -> dict[str, list[Read]]:
    """What the rules read of each metric."""
    found: dict[str, list[Read]] = {}
    for rule in RULES.values():
        for read in reads(rule.render().expr):
            found.setdefault(read.selector.name or "", []).append(read)
    return found


def window_of(sample: Sample, by_name: dict[str, list[Read]]) -> float | None:
    """The longest range in which a rule reads a sample; None if no rule does."""
    name, _, rest = sample.series.partition("{")
    labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    ranges = [read.range_seconds for read in by_name.get(name, ()) if _selects(read, labels)]
    return max(ranges, default=None)


def _selects(read: Read, labels: dict[str, str]) -> bool:
    return all(
        selects(matcher, labels.get(matcher.name, ""))
        for matcher in read.selector.matchers.matchers
        if matcher.name not in TARGET_LABELS
    )


def write_history(folder: Path, template: Template, instances: int) -> None:
    """Write blocks with every series that the rules read, over the longest window that reads it."""
    write_blocks(folder, _scrapes(template, instances, time.time()))


def measured_block(folder: Path, template: Template, instances: int) -> Block:
    """Write a block of two hours with every series of some instances, and return what promtool says of it."""
    end = time.time() // BLOCK_S * BLOCK_S
    write_blocks(folder, _every_scrape(template, instances, end - BLOCK_S))
    [path] = [block for block in (folder / "data").iterdir() if (block / "meta.json").exists()]
    stats = json.loads((path / "meta.json").read_text())["stats"]
    command = ["tsdb", "analyze", str(folder / "data"), path.name]
    analysis = subprocess.run(
        [program("promtool"), *command], capture_output=True, text=True, check=True
    ).stdout
    [series] = re.findall(r"^(?:Total )?Series: (\d+)$", analysis, re.MULTILINE)
    assert int(series) == stats["numSeries"]
    return Block(
        samples=stats["numSamples"],
        series=stats["numSeries"],
        chunk_bytes=sum(file.stat().st_size for file in (path / "chunks").iterdir()),
        index_bytes=(path / "index").stat().st_size,
    )


def write_blocks(folder: Path, texts: Iterable[str]) -> None:
    """Write blocks into ``folder / "data"``; ``texts`` are OpenMetrics without the end."""
    source = folder / "history.om"
    with source.open("w") as file:
        for text in texts:
            file.write(text)
        file.write("# EOF\n")
    promtool = program("promtool")
    options = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h"]
    subprocess.run([promtool, *options, source, folder / "data"], check=True, capture_output=True)
    source.unlink()


def _every_scrape(template: Template, instances: int, start: float) -> Iterator[str]:
    fleet = [SimulatedInstance(template, seed) for seed in range(instances)]
    for scrape in range(BLOCK_S // SCRAPE_INTERVAL_S):
        for number, instance in enumerate(fleet):
            instance.advance()
            yield _lines(instance, template.samples, number, start + scrape * SCRAPE_INTERVAL_S)


def _scrapes(template: Template, instances: int, now: float) -> Iterator[str]:
    """Every scrape of every instance, in the order of time."""
    by_name = windows()
    samples = [
        (window, sample)
        for sample in [*template.samples, *SCRAPE]
        if (window := window_of(sample, by_name)) is not None
    ]
    fleet = [SimulatedInstance(template, seed) for seed in range(instances)]
    start = now - max(window for window, _ in samples) - MARGIN_S
    for scrape in range(round((now + AFTER_S - start) / SCRAPE_INTERVAL_S)):
        at = start + scrape * SCRAPE_INTERVAL_S
        read = [sample for window, sample in samples if at >= now - window - MARGIN_S]
        for number, instance in enumerate(fleet):
            instance.advance()
            yield _lines(instance, read, number, at)


def _lines(instance: SimulatedInstance, samples: Iterable[Sample], number: int, at: float) -> str:
    """Samples of an instance as lines of OpenMetrics."""
    labels = f'job="tallow",instance="tallow-{number}.example:3000"'
    return "".join(
        f"{_labelled(sample.series, labels)} {instance.value(sample)} {at:.3f}\n" for sample in samples
    )


def _labelled(series: str, labels: str) -> str:
    name, _, rest = series.partition("{")
    return f"{name}{{{labels}{',' + rest if rest else '}'}"
