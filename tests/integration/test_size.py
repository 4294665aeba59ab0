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
from support.sizing.rule_history import measured_block, write_history
from support.sizing.simulated_instances import Template, serving
from support.stack import wait_until
from tallow.stack.alerts import GROUPS
from tallow.stack.prometheus import SCRAPE_INTERVAL_S
from tallow.stack.sizing import measurements, model
from tallow.stack.sizing.estimate import RETENTION_DAYS
from tallow.stack.sizing.fit import fit_line
from tallow.stack.sizing.measurements import (
    Conditions,
    Measurements,
    Process,
    RuleEvaluation,
    load,
)
from tallow.stack.sizing.page import verification
from tallow.stack.sizing.series_bound import SCRAPE_SERIES

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
FLEETS = (10, 25, 100)
"""Simulated instances that a Prometheus scrapes. The last one checks what the others predict."""
RULE_FLEETS = (25, 100)
INTERVAL_S = 15.0
SCRAPES = 20
"""Successful scrapes of each instance. Memory depends on the number of series, not of scrapes."""
BLOCK_INSTANCES = 3
EVALUATIONS = 5
"""Evaluations of each rule group. The shortest is taken: other work on the machine only adds time."""


def measure_ingestion(folder: Path, template: Template) -> tuple[tuple[Process, ...], Process]:
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
        half = [wait_for_scrapes(server, SCRAPES // 2) for server in servers]
        for server in servers:
            wait_for_scrapes(server, SCRAPES)
        processes = [server.usage(before) for server, before in zip(servers, half, strict=True)]
        return tuple(processes[:-1]), processes[-1]


def wait_for_scrapes(server: MeasuredPrometheus, count: int) -> tuple[int, int]:
    """Wait until every instance was scraped that often; returns the write-ahead log then."""
    wait_until(partial(is_scraped, server, count), "every instance scraped", count * INTERVAL_S + 300)
    return server.wal()


def measure_rules(folder: Path, template: Template, instances: int) -> RuleEvaluation:
    """The shortest time of each group over the first evaluations, with full windows."""
    folder.mkdir()
    write_history(folder, template, instances)
    times: dict[str, dict[float, float]] = {}
    with running(folder, instances, None, SCRAPE_INTERVAL_S) as server:
        wait_until(partial(record_evaluations, server, times), "rules evaluated", EVALUATIONS * 60)
    seconds = {name: round(min(found.values()), 6) for name, found in sorted(times.items())}
    return RuleEvaluation(instances, seconds)


def record_evaluations(server: MeasuredPrometheus, times: dict[str, dict[float, float]]) -> bool:
    """Record the last evaluation of each group by its time; whether each has been evaluated often enough."""
    durations = server.metrics("prometheus_rule_group_last_duration_seconds")
    for series, at in server.metrics("prometheus_rule_group_last_evaluation_timestamp_seconds").items():
        group = group_of(series)
        [seconds] = [value for other, value in durations.items() if group_of(other) == group]
        if at > 0 and seconds > 0:
            times.setdefault(group, {})[at] = seconds
    return set(times) == set(GROUPS) and all(len(found) >= EVALUATIONS for found in times.values())


def is_scraped(server: MeasuredPrometheus, count: int) -> bool:
    return server.scrapes() >= count


def group_of(series: str) -> str:
    """The group's name in a label such as ``rule_group="/etc/rules.yml;tallow_slo"``."""
    return series.partition('rule_group="')[2].partition('"')[0].rpartition(";")[2]


def measure(folder: Path) -> Measurements:
    idle, busy = asyncio.run(record_server(folder / "server"))
    template = Template.between(idle, busy)
    (folder / "block").mkdir()
    block = measured_block(folder / "block", template, BLOCK_INSTANCES)
    print(block, flush=True)
    processes, remote_write = measure_ingestion(folder, template)
    print(processes, remote_write, flush=True)
    version = subprocess.run(
        [program("prometheus"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    rules = tuple(measure_rules(folder / f"rules-{count}", template, count) for count in RULE_FLEETS)
    return Measurements(
        Conditions(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            prometheus=version.split()[2].partition("+")[0],
            machine=f"{platform.machine()}, {os.cpu_count()} shared cores",
            interval_seconds=INTERVAL_S,
            scrapes=SCRAPES,
            load_average=round(os.getloadavg()[0], 1),
        ),
        measured_exposition(idle),
        measured_exposition(busy),
        registered_values(busy),
        samples_by_name(busy),
        block,
        processes,
        remote_write,
        rules,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measurements:
    folder = tmp_path_factory.mktemp("size")
    (folder / "server").mkdir()
    found = measure(folder)
    print(found.to_json())
    for row in verification(found):
        print("  ".join(row))
    return found


def test_the_committed_expositions_are_those_of_the_server(measured: Measurements) -> None:
    assert measured.idle.series == pytest.approx(load().idle.series, rel=0.05)
    assert measured.busy.series == pytest.approx(load().busy.series, rel=0.1)
    assert measured.busy.bytes == pytest.approx(load().busy.bytes, rel=0.1)


def test_the_committed_bytes_per_sample_are_those_of_the_block(measured: Measurements) -> None:
    for found, committed in (
        (model.bytes_per_sample(each, SCRAPE_INTERVAL_S, RETENTION_DAYS) for each in (measured, load())),
        (model.wal_bytes_per_sample(each) for each in (measured, load())),
        (model.remote_write_bytes_per_sample(each) for each in (measured, load())),
    ):
        assert found == pytest.approx(committed, rel=0.25)


def test_the_committed_memory_is_that_of_the_process(measured: Measurements) -> None:
    largest = measured.processes[-1]
    predicted = model.memory_line(load()).at(largest.series)
    assert predicted == pytest.approx(
        largest.resident_bytes, rel=0.4
    )  # Go's heap depends on its last collection


def test_smaller_fleets_predict_series_and_memory_of_the_largest(measured: Measurements) -> None:
    *smaller, largest = measured.processes
    assert largest.instances >= 100
    assert largest.samples >= largest.instances * SCRAPES * measured.busy.series
    series = largest.instances * (measured.busy.series + SCRAPE_SERIES)
    assert series == pytest.approx(largest.series, rel=0.1)
    memory = fit_line([(run.series, run.resident_bytes) for run in smaller])
    assert memory.at(largest.series) == pytest.approx(largest.resident_bytes, rel=0.5)


def test_the_model_has_the_groups_of_the_rules_and_the_slowest_ones(measured: Measurements) -> None:
    run = measured.rules[-1]
    predicted = model.group_seconds(measured, run.instances)
    assert set(run.seconds) == set(predicted)
    slowest = sorted(predicted, key=lambda name: predicted[name])[-2:]
    assert max(run.seconds, key=lambda name: run.seconds[name]) in slowest


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "server").mkdir()
        (ROOT / measurements.PATH).write_text(measure(Path(temporary)).to_json(), encoding="utf-8")
