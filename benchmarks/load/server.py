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
    other_pids: tuple[int, ...] = field(default=())

    def processes(self) -> list[psutil.Process]:
        """The processes of all instances."""
        first = [psutil.Process(pid) for pid in (self.pid, *self.other_pids)]
        return [*first, *(child for each in first for child in each.children(recursive=True))]

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
def tallow(workers: int = 1, source: Path | None = None, **environment: str) -> Iterator[LoadedServer]:
    """``tallow serve`` with raised limits.

    Args:
        source: the folder ``src`` of another version; by default the current one.
        environment: further settings.
    """
    with ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="tallow-load-"))
        port = free_port()
        command = [sys.executable, "-m", "tallow", "serve", "--port", str(port), "--data-dir", data]
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env=os.environ | UNLIMITED | environment | ({"PYTHONPATH": str(source)} if source else {}),
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


@contextmanager
def instances(workers: int = 1) -> Iterator[LoadedServer]:
    """Two servers that share a PostgreSQL and a Redis. Peers of one room join at different ones."""
    with ExitStack() as stack:
        sys.path.append(str(Path(__file__).parents[2] / "tests"))
        from support.programs.databases import postgres, redis_server  # starts the real programs

        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tallow-load-")))
        folder.chmod(0o755)  # PostgreSQL runs as another user
        redis, _ = stack.enter_context(redis_server(folder))
        shared = {
            "DATABASE_URL": stack.enter_context(postgres(folder)),
            "REDIS_URL": redis,
            "CLUSTER_SECRET": "0123456789abcdef",
        }
        first, second = (stack.enter_context(tallow(workers, **shared)) for _ in range(2))
        yield LoadedServer(first.port, first.pid, workers, (second.port,), (second.pid,))
