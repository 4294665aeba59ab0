"""A real Prometheus on loopback with backfilled history."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.programs.debian import program

START_TIMEOUT_S = 120


class QueryError(AssertionError):
    """Prometheus rejected a query. The message is Prometheus's."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The API of a running Prometheus."""

    url: str
    client: httpx.Client

    def query(self, expr: str, at: float) -> list[dict[str, Any]]:
        """An instant query's series, each with ``metric`` and ``value``."""
        return self._ask("query", {"query": expr, "time": str(at)})

    def query_range(self, expr: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """A range query's series, each with ``metric`` and ``values``."""
        asked = {"query": expr, "start": str(start), "end": str(end), "step": str(step)}
        return self._ask("query_range", asked)

    def _ask(self, kind: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        answer = self.client.post(f"{self.url}/api/v1/{kind}", data=asked).json()
        if answer["status"] != "success":
            raise QueryError(f"{answer['error']}: {asked['query']}")
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


def backfill(folder: Path, history: str) -> None:
    """Write ``history`` as TSDB blocks: OpenMetrics, timestamps in seconds, terminated by ``# EOF``."""
    source = folder.parent / "history.om"
    source.write_text(history)
    promtool = program("promtool")
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", source, folder],
        check=True,
        capture_output=True,
    )


def free_port() -> int:
    """A TCP port that is free at the moment."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return int(reserved.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, port: int = 0, rules: str = "") -> Iterator[Prometheus]:
    """A Prometheus that serves the blocks in ``folder`` and scrapes nothing.

    ``port`` 0 chooses a free port. ``rules`` is the text of a rule file.
    """
    config = folder.parent / "prometheus.yml"
    (folder.parent / "rules.yml").write_text(rules or "groups: []\n")
    config.write_text("global: {evaluation_interval: 1s}\nscrape_configs: []\nrule_files: [rules.yml]\n")
    port = port or free_port()
    arguments = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (
        subprocess.Popen([program("prometheus"), *arguments]) as process,
        httpx.Client() as client,
    ):
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", client, process)
            yield Prometheus(f"http://127.0.0.1:{port}", client)
        finally:
            process.terminate()


def wait_until_ready(url: str, client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "Prometheus ended while starting"
        with contextlib.suppress(httpx.TransportError):
            if client.get(f"{url}/-/ready").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"Prometheus was not ready within {START_TIMEOUT_S} s")
