"""Start an application of the suite on a server, in the environment with all frameworks."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from support.programs.databases import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
_SAMPLE = re.compile(r"^(?:app|tallow)_(\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')

COMMANDS = {
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "{app}"],
    "hypercorn": ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", "{app}"],
    "granian": ["-m", "granian", "--interface", "asgi", "--port", "{port}", "{app}"],
    "daphne": ["-m", "daphne", "--port", "{port}", "{app}"],
    "gunicorn": [
        "-m",
        "gunicorn",
        "--worker-class",
        "uvicorn_worker.UvicornWorker",
        "--bind",
        "127.0.0.1:{port}",
        "{app}",
    ],
}
"""Arguments of Python for each server."""

Labels = frozenset[tuple[str, str]]


def environment(name: str = "frameworks") -> Path:
    """The Python of an environment, which is created if it is missing or old."""
    (ROOT / ".tools").mkdir(exist_ok=True)
    with (ROOT / ".tools" / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers of the tests wait
        subprocess.run([ROOT / "scripts" / "env", name], check=True, cwd=ROOT)
    return ROOT / f".venv-{name}" / "bin" / "python"


class Running:
    """A server with an application, and a client.

    Attributes:
        port: of the server, on 127.0.0.1.
        client: sends requests to it.
        log: what the server has written to its outputs.
    """

    def __init__(self, port: int, client: httpx.AsyncClient, log: Path) -> None:
        self.port = port
        self.client = client
        self.log = log

    async def samples(self) -> dict[tuple[str, Labels], float]:
        """The samples of /metrics that are not 0, by name without namespace, and labels."""
        text = (await self.client.get("/metrics")).text
        found = {
            (name, frozenset(_LABEL.findall(labels or ""))): float(value)
            for name, labels, value in _SAMPLE.findall(text)
        }
        return {key: value for key, value in found.items() if value}

    async def value(self, name: str, **labels: str) -> float:
        """One sample of /metrics, 0 if there is none."""
        return (await self.samples()).get((name, frozenset(labels.items())), 0)

    async def until(self, name: str, value: float, **labels: str) -> None:
        """Wait until a sample has a value."""
        async with asyncio.timeout(START_SECONDS):
            while await self.value(name, **labels) != value:
                await asyncio.sleep(0.02)

    async def answered(self) -> dict[tuple[str, str, str], float]:
        """The counted requests by method, route and status, without those of the operational endpoints."""
        counted = {}
        for (name, labels), value in (await self.samples()).items():
            if name == "http_request_duration_seconds_count":
                known = dict(labels)
                if not known["route"].startswith(("/metrics", "/api/health", "/api/metrics")):
                    counted[known["method"], known["route"], known["status_code"]] = value
        return counted


@asynccontextmanager
async def serve(
    framework: str, folder: Path, server: str = "uvicorn", env: str = "frameworks", **variables: str
) -> AsyncIterator[Running]:
    """Run the application of a framework.

    Args:
        framework: the name of a module in ``apps``, without ``_app``.
        folder: for the log.
        server: a key of ``COMMANDS``.
        env: the environment's name.
        variables: further environment variables.
    """
    python = await asyncio.to_thread(environment, env)
    port = free_port()
    app = f"conformance.apps.{framework}_app:app"
    arguments = [part.format(port=port, app=app) for part in COMMANDS[server]]
    log = folder / "server.log"
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            python,
            *arguments,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "LOG_LEVEL": "warning", **variables},
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS) as client:
            await _until_ready(client, process, log)
            yield Running(port, client, log)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), START_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


async def _until_ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            try:
                await client.get("/api/health/liveness")
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise AssertionError(f"the server has ended: {log.read_text()}")
