"""A run of the program that leaks, and everything that came out of it, by the name of the exit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support import planted_secrets
from support.leaky_app import attack
from tallow.monitoring.health.responses import PATHS
from tallow.monitoring.testing import (
    FakeLogEndpoint,
    FakePlausible,
    FakeSentry,
    find_leaks,
    log_endpoint,
    plausible_endpoint,
    sentry_endpoint,
)

TESTS = Path(__file__).parents[1]


@dataclass
class CapturedOutputs:
    """What came out of the process, by the name of the exit."""

    folder: Path
    sentry: FakeSentry
    plausible: FakePlausible
    collector: FakeLogEndpoint
    outputs: dict[str, bytes] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """Everything switched on."""
        return {
            "LOG_LEVEL": "debug",
            "LOG_FILE": str(self.folder / "log" / "shop.log"),
            "LOG_ENDPOINT": self.collector.url,
            "LOG_SPOOL_DIR": str(self.folder / "spool"),
            "LOG_BATCH_SIZE": "50",
            "SENTRY_DSN": self.sentry.dsn,
            "SENTRY_TRACES_SAMPLE_RATE": "1",
            "SENTRY_QUEUE_SIZE": "10000",
            "PLAUSIBLE_HOST": self.plausible.url,
            "PLAUSIBLE_DOMAIN": "shop.example.org",
        }

    def add(self, name: str, *contents: bytes | str) -> None:
        """Note what an exit gave."""
        more = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in contents)
        self.outputs[name] = self.outputs.get(name, b"") + more

    def add_folder(self, name: str, folder: Path, *, without: Path | None = None) -> None:
        """Note the names and contents of a folder's files, except of one file."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path != without:
                self.add(name, str(path.relative_to(folder)), path.read_bytes())

    def find_leaks(self, *more: str) -> dict[str, list[str]]:
        """Secrets found, those of a test's own among them, by exit."""
        wanted = (*planted_secrets.SECRETS, *more)
        searched = {name: find_leaks(wanted, content) for name, content in self.outputs.items()}
        return {name: found for name, found in searched.items() if found}


@contextmanager
def captured_outputs(folder: Path) -> Iterator[CapturedOutputs]:
    with sentry_endpoint() as sentry, plausible_endpoint() as plausible, log_endpoint() as collector:
        yield CapturedOutputs(folder, sentry, plausible, collector)


@asynccontextmanager
async def leaky_process(came: CapturedOutputs, hook: str = "") -> AsyncIterator[str]:
    """The program that leaks, in a process of its own: its address. At the end it is told to stop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.leaky_app", hook),
        env=os.environ | planted_secrets.ENVIRONMENT | came.settings() | {"PYTHONPATH": str(TESTS)},
        cwd=came.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    url = (await process.stdout.readline()).decode().strip()
    output = asyncio.gather(process.stdout.read(), process.stderr.read())
    try:
        yield url
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        came.add("standard output and error", url, *(await output))
        await process.wait()


async def capture_attack(came: CapturedOutputs, hook: str = "") -> None:
    """Attack the program, take its endpoints' answers, and keep everything that came out of it."""
    came.collector.fail(status=503)
    async with leaky_process(came, hook) as url:
        answer = await attack(url)
        came.add("answers", answer.content, str(answer.headers))
        assert answer.status_code == 500
        spool = came.folder / "spool"
        while not list(spool.glob("[0-9]*.jsonl")):
            await asyncio.sleep(0.05)
        came.add_folder("spool", spool)
        await read_endpoints(came, url)
        came.collector.recover()
    came.add_folder("log file", came.folder / "log")
    for name, backend in (("Sentry", came.sentry), ("Plausible", came.plausible), ("logs", came.collector)):
        came.add(name, backend.text)


async def read_endpoints(came: CapturedOutputs, url: str, token: str = "") -> None:
    """Read the operational endpoints, /metrics by its bearer token."""
    bearer = {"Authorization": f"Bearer {token.strip()}"} if token else {}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for path in PATHS:
            came.add("health", (await client.get(path)).content)
        for accept in ("text/plain", "application/openmetrics-text"):
            came.add(
                "/metrics",
                (await client.get("/metrics", headers={"Accept": accept} | bearer)).content,
            )
