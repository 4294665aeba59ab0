"""A real Prometheus with the shipped configuration and rules, and what it needs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.programs.debian import program
from support.programs.prometheus import Prometheus, free_port, wait_until_ready
from tallow.stack.alerts import rule_files
from tallow.stack.deployment import Deployment
from tallow.stack.prometheus import (
    PASSWORD_FILE,
    SCRAPE_INTERVAL_S,
    PrometheusPaths,
    RemoteStorage,
    prometheus_config,
)
from tallow.stack.sizing.measurements import Process


@dataclass(frozen=True)
class MeasuredPrometheus:
    """A running Prometheus, and the folder of its data."""

    api: Prometheus
    data: Path
    instances: int

    def metric(self, name: str) -> float:
        """The sum of a metric of its own, read from its exposition."""
        return sum(self.metrics(name).values())

    def metrics(self, name: str) -> dict[str, float]:
        """The samples of a metric of its own, by series."""
        lines = self.api.client.get(f"{self.api.url}/metrics").text.splitlines()
        samples = (line.rpartition(" ") for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        return {series: float(value) for series, _, value in samples}

    def scrapes(self) -> float:
        """The smallest number of successful scrapes of an instance."""
        found = self.api.query('min(sum_over_time(up{job="tallow"}[1d]))', time.time())
        return float(found[0]["value"][1]) if found else 0.0

    def usage(self, wal_before: tuple[int, int]) -> Process:
        """What it holds and has used; memory is the largest of the last two minutes.

        Args:
            wal_before: an earlier result of :meth:`wal`.
        """
        wal = self.wal()
        memory = self.api.query(
            'max_over_time(process_resident_memory_bytes{job="prometheus"}[2m])', time.time()
        )
        return Process(
            self.instances,
            series=round(self.metric("prometheus_tsdb_head_series")),
            samples=round(self.metric("prometheus_tsdb_head_samples_appended_total")),
            resident_bytes=round(float(memory[0]["value"][1])),
            cpu_seconds=round(self.metric("process_cpu_seconds_total"), 2),
            remote_write_bytes=round(self.metric("prometheus_remote_storage_bytes_total")),
            wal_bytes=wal[0] - wal_before[0],
            wal_samples=wal[1] - wal_before[1],
        )

    def wal(self) -> tuple[int, int]:
        """The bytes of its write-ahead log, and the samples in it."""
        size = sum(path.stat().st_size for path in (self.data / "wal").rglob("*") if path.is_file())
        return size, round(self.metric("prometheus_tsdb_head_samples_appended_total"))


@contextlib.contextmanager
def running(
    folder: Path, instances: int, port: int | None, interval_seconds: float, *, remote_write: bool = False
) -> Iterator[MeasuredPrometheus]:
    """A Prometheus with the shipped rules; the durations have the ratio of the intervals.

    Args:
        folder: for its files; samples that exist in ``folder / "data"`` are kept.
        instances: of the simulated ones, to scrape.
        port: of the simulated instances; None to scrape nothing.
        interval_seconds: between two scrapes and two evaluations.
        remote_write: send the samples to the simulated instances' port, too.
    """
    own, factor = free_port(), interval_seconds / SCRAPE_INTERVAL_S
    paths = PrometheusPaths(folder, folder, folder)
    remote = RemoteStorage(write_url=f"http://127.0.0.1:{port}/write" if remote_write else None)
    deployment = Deployment(
        name="measured",
        job_names={"prometheus": "prometheus"},
        hosts={"prometheus": f"127.0.0.1:{own}", "alertmanager": "127.0.0.1:9"},
        base_urls={},
    )
    config = prometheus_config(deployment, paths, remote=remote, scale=factor)
    (folder / PASSWORD_FILE).write_text("unused")
    (folder / "prometheus.yaml").write_text(config)
    for name, content in rule_files(factor).items():
        (folder / name).write_text(content)
    targets = [] if port is None else [_target(number, port) for number in range(instances)]
    (folder / "targets.yml").write_text(json.dumps(targets))
    data = folder / "data"
    arguments = [
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address=127.0.0.1:{own}",
        "--web.enable-admin-api",
        "--log.level=error",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([program("prometheus"), *arguments], stderr=log) as process,
        httpx.Client(timeout=60) as client,
    ):
        try:
            url = f"http://127.0.0.1:{own}"
            wait_until_ready(url, client, process)
            yield MeasuredPrometheus(Prometheus(url, client), data, instances)
        finally:
            process.terminate()


def _target(number: int, port: int) -> dict[str, object]:
    labels = {
        "__metrics_path__": f"/{number}/metrics",
        "job": "tallow",
        "instance": f"tallow-{number}.example:3000",
    }
    return {"targets": [f"127.0.0.1:{port}"], "labels": labels}
