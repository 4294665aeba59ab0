"""A server under test: ``tallow serve`` with fault switches, used over HTTP only."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack.drill.environment.free_port import free_port
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess

START_S: Final = 60.0
_LIMITS: Final = {
    # All clients of a drill share one address; limits per address must not reject them.
    "ROOMS_PER_MINUTE": "1000000",
    "JOINS_PER_MINUTE": "1000000",
    "REPORTS_PER_MINUTE": "1000000",
    "ROOMS_PER_ADDRESS": "1000000",
    "SOCKETS_PER_ADDRESS": "10000",
    "FAILURES_PER_ADDRESS": "1000000",
    "ERRORS_PER_ADDRESS": "1000000",
    "RELAYED_PER_ADDRESS": "1000000",
    "QUEUED_PER_ADDRESS": "1000000",
}


class DrillError(Exception):
    """A drill cannot continue. The text is one line."""


class ServerUnderTest:
    """One server.

    Args:
        name: of the drill that it belongs to.
        folder: for its data and its log.
        metrics_token_file: the file with the token of /metrics.
        settings: further environment variables.

    Attributes:
        target: the address that Prometheus scrapes, and the label ``instance``.
        ready_at: when it was first ready, in seconds since the epoch; 0 before that.
    """

    def __init__(
        self, name: str, folder: Path, metrics_token_file: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.folder = name, folder
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.target}"
        self.ready_at = 0.0
        self._fault_token = secrets.token_urlsafe(24)
        self.http = async_client(
            direct=True,
            base_url=self.url,
            timeout=30,
            transport={"limits": httpx.Limits(max_connections=500)},
        )
        private_folder(folder)
        self.process = ManagedProcess(
            [sys.executable, "-m", "tallow", "serve", f"--port={self.port}", f"--data-dir={folder}"],
            folder,
            folder / "server.log",
            {
                **inherited_environment(),
                "METRICS_TOKEN_FILE": str(metrics_token_file),
                "TALLOW_FAULTS": "1",
                "TALLOW_FAULTS_TOKEN": self._fault_token,
                "LOG_FORMAT": "json",
                **_LIMITS,
                **(settings or {}),
            },
        )

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            DrillError: it does not become ready.
        """
        await self.process.start()
        deadline = time.monotonic() + START_S
        while not await self.is_ready():
            if not self.process.is_running or time.monotonic() > deadline:
                raise DrillError(f"{self.name}: the server does not start: {self.process.last_lines()}")
            await asyncio.sleep(0.05)
        self.ready_at = time.time()

    async def is_ready(self) -> bool:
        """Whether its readiness check succeeds."""
        try:
            return (await self.http.get("/api/health/readiness")).is_success
        except httpx.HTTPError:
            return False

    async def set_faults(self, **amounts: float) -> None:
        """Set its fault switches.

        Raises:
            DrillError: it refuses them.
        """
        response = await self.http.put(
            "/api/faults", json=amounts, headers={"authorization": f"Bearer {self._fault_token}"}
        )
        if not response.is_success:
            raise DrillError(f"{self.name}: the fault switch answered {response.status_code}")

    async def close(self) -> None:
        """Stop it."""
        await self.http.aclose()
        await self.process.stop()
