"""A Tallow server under drill: ``tallow serve`` with fault switches, seen over HTTP alone."""

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
from tallow.stack.drill.environment.process import ManagedProcess, free_port

START_S: Final = 60.0
_LIMITS: Final = {
    # All visitors of a drill come from one address; its shares must not be what limits them.
    "ROOMS_PER_MINUTE": "1000000",
    "JOINS_PER_MINUTE": "1000000",
    "REPORTS_PER_MINUTE": "1000000",
    "ROOMS_PER_ADDRESS": "1000000",
    "SOCKETS_PER_ADDRESS": "10000",
}


class DrillError(Exception):
    """A drill cannot go on: one line that says where."""


class ServerUnderTest:
    """One server.

    Args:
        name: of the drill it is for.
        folder: its data and its log.
        metrics_token_file: what /metrics asks for.
        environment: further settings.
    """

    def __init__(
        self, name: str, folder: Path, metrics_token_file: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.folder = name, folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.target = f"127.0.0.1:{self.port}"
        """Where Prometheus scrapes it; the label ``instance``."""
        self.ready_at = 0.0
        """When it answered first, in seconds since the epoch."""
        self._token = secrets.token_urlsafe(24)
        self.http = async_client(
            direct=True,
            base_url=self.url,
            timeout=30,
            transport={"limits": httpx.Limits(max_connections=500)},
        )
        private_folder(folder)
        self.process = ManagedProcess(
            [sys.executable, "-m", "tallow", "serve", f"--port={self.port}", f"--data-dir={folder}"],
            folder / "server.log",
            folder,
            {
                "METRICS_TOKEN_FILE": str(metrics_token_file),
                "TALLOW_FAULTS": "1",
                "TALLOW_FAULTS_TOKEN": self._token,
                "LOG_FORMAT": "json",
                **_LIMITS,
                **(environment or {}),
            },
        )

    async def start(self) -> None:
        """Start it and wait until it can work.

        Raises:
            DrillError: it does not come up.
        """
        await self.process.start()
        deadline = time.monotonic() + START_S
        while not await self.is_ready():
            if not self.process.is_running or time.monotonic() > deadline:
                raise DrillError(f"{self.name}: the server does not come up: {self.process.last_lines()}")
            await asyncio.sleep(0.05)
        self.ready_at = time.time()

    async def is_ready(self) -> bool:
        """Whether it can work."""
        try:
            return (await self.http.get("/api/health/readiness")).is_success
        except httpx.HTTPError:
            return False

    async def set_faults(self, **amounts: float) -> None:
        """Move its fault switches.

        Raises:
            DrillError: it does not take it.
        """
        answer = await self.http.put(
            "/api/faults", json=amounts, headers={"authorization": f"Bearer {self._token}"}
        )
        if not answer.is_success:
            raise DrillError(f"{self.name}: the fault switch answered {answer.status_code}")

    async def close(self) -> None:
        """Stop it."""
        await self.http.aclose()
        await self.process.stop()
