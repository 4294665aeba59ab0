"""Servers under load: ``tallow serve`` with its limits raised, and the cost of its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.wormhole import free_port, wait_for_port

UNLIMITED = dict.fromkeys(
    (
        *("ROOMS_PER_MINUTE", "JOINS_PER_MINUTE", "ROOMS_PER_ADDRESS", "SOCKETS_PER_ADDRESS", "MAX_ROOMS"),
        *("CONNECTIONS_PER_ADDRESS", "MAX_CONNECTIONS"),
    ),
    "1000000000",
) | {"TALLOW_LOG_LEVEL": "WARN"}
"""All clients of a load test have one address."""


@dataclass(frozen=True)
class LoadedServer:
    """A running server.

    Attributes:
        port: on loopback.
        pid: of its first process.
        workers: that serve.
    """

    port: int
    pid: int
    workers: int = 1
    others: tuple[int, ...] = field(default=())
    """Ports of further instances that share its database and its Redis."""

    def processes(self) -> list[psutil.Process]:
        """The server's processes."""
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time of all its processes until now."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(each.user + each.system for each in times)

    def memory_bytes(self) -> int:
        """Private memory of all its processes (USS)."""
        return sum(process.memory_full_info().uss for process in self.processes())


def raise_descriptor_limit() -> None:
    """Allow this process, and those it starts, as many descriptors as the system permits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def tallow(workers: int = 1, folder: Path | None = None, **environment: str) -> Iterator[LoadedServer]:
    """``tallow serve`` with raised limits.

    Args:
        folder: its data folder; a temporary one by default.
        environment: further settings.
    """
    with ExitStack() as stack:
        data = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tallow-load-")))
        port = free_port()
        command = [sys.executable, "-m", "tallow", "serve", "--port", str(port), "--data-dir", str(data)]
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env=os.environ | UNLIMITED | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(port)
            wait_until_served(port, workers)
            yield LoadedServer(port, process.pid, workers)
        finally:
            process.terminate()
            process.wait()


def wait_until_served(port: int, workers: int) -> None:
    """Wait until every worker answers."""
    import httpx

    while True:
        try:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30, trust_env=False).text
        except httpx.HTTPError:
            continue
        if workers == 1 or f"tallow_workers {workers}" in text:
            return
