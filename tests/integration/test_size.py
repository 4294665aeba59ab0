"""The measurements of `tallow size`, taken again with a real server, Prometheus and promtool.

``PYTHONPATH=tests python tests/integration/test_size.py`` takes them and writes the data file; after it run
``tallow generate``.
"""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from support.programs.debian import program
from support.sizing.measured_prometheus import MeasuredPrometheus, running
from support.sizing.recorded_server import (
    measured_exposition,
    record_server,
    registered_values,
    samples_by_name,
)
from support.sizing.rule_history import write_history
from support.sizing.simulated_instances import Template, serving
from support.stack import wait_until
from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing import measurements
from tallow.stack.sizing.measurements import (
    Block,
    Conditions,
    Measurements,
    Process,
    RuleEvaluation,
)

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
FLEETS = (10, 25, 100)
"""Simulated instances that a Prometheus scrapes. The last one checks what the others predict."""
RULE_FLEETS = (25, 100)
INTERVAL_S = 5.0
SCRAPES = 120
"""Scrapes of each instance: as many samples as fit into a chunk."""
EVALUATIONS = 5
"""Evaluations of each rule group. The shortest is taken: other work on the machine only adds time."""


def measure_ingestion(folder: Path, template: Template) -> tuple[tuple[Process, ...], Process, Block]:
    """Scrape the fleets at the same time, each with its own Prometheus; the last one uses remote write."""
    counts = (*FLEETS, FLEETS[0])
    with ExitStack() as stack:
        port = stack.enter_context(serving(template, max(counts)))
        servers: list[MeasuredPrometheus] = []
        for number, count in enumerate(counts):
            home = folder / f"prometheus-{number}"
            home.mkdir()
            remote = number == len(FLEETS)
            servers.append(stack.enter_context(running(home, count, port, INTERVAL_S, remote_write=remote)))
        for server in servers:
            wait_until(partial(is_scraped, server), "every instance scraped", SCRAPES * INTERVAL_S + 300)
        processes = [server.usage() for server in servers]
        return tuple(processes[:-1]), processes[-1], servers[len(FLEETS) - 1].block()


def measure_rules(folder: Path, template: Template, instances: int) -> RuleEvaluation:
    """The shortest time of each group over the first evaluations, with full windows."""
    folder.mkdir()
    write_history(folder, template, instances)
    times: dict[str, list[float]] = {}
    with running(folder, instances, None, SCRAPE_INTERVAL_S) as server:
        for done in range(EVALUATIONS):
            wait_until(partial(is_evaluated, server, done + 1), "rules evaluated", 120)
            for series, seconds in server.metrics("prometheus_rule_group_last_duration_seconds").items():
                times.setdefault(group_of(series), []).append(seconds)
    return RuleEvaluation(instances, {name: round(min(found), 6) for name, found in sorted(times.items())})


def is_scraped(server: MeasuredPrometheus) -> bool:
    return server.scrapes() >= SCRAPES


def is_evaluated(server: MeasuredPrometheus, times: int) -> bool:
    """Whether every rule group was evaluated that often."""
    rules = server.metrics("prometheus_rule_evaluations_total")
    return all(
        sum(count for series, count in rules.items() if group_of(series) == group_of(group)) >= times * size
        for group, size in server.metrics("prometheus_rule_group_rules").items()
    )


def group_of(series: str) -> str:
    """The group's name in a label such as ``rule_group="/etc/rules.yml;tallow_slo"``."""
    return series.partition('rule_group="')[2].partition('"')[0].rpartition(";")[2]


def measure(folder: Path) -> Measurements:
    idle, busy = asyncio.run(record_server(folder / "server"))
    template = Template.between(idle, busy)
    processes, remote_write, block = measure_ingestion(folder, template)
    version = subprocess.run(
        [program("prometheus"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return Measurements(
        Conditions(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            prometheus=version.split()[2].partition("+")[0],
            machine=f"{platform.machine()}, {os.cpu_count()} shared cores",
            interval_seconds=INTERVAL_S,
            scrapes=SCRAPES,
        ),
        measured_exposition(idle),
        measured_exposition(busy),
        registered_values(busy),
        samples_by_name(busy),
        block,
        processes,
        remote_write,
        tuple(measure_rules(folder / f"rules-{count}", template, count) for count in RULE_FLEETS),
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "server").mkdir()
        (ROOT / measurements.PATH).write_text(measure(Path(temporary)).to_json(), encoding="utf-8")
