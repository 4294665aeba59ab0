"""Runs :mod:`support.privacy.leaky_app` and collects its outputs, by the name of the output channel."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support.privacy import planted_secrets
from support.privacy.leaky_app import attack
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

TESTS = Path(__file__).parents[2]


@dataclass
class CapturedOutputs:
    """What a process has output, by the name of the output channel."""

    folder: Path
    sentry: FakeSentry
    plausible: FakePlausible
    collector: FakeLogEndpoint
    outputs: dict[str, bytes] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """Settings that enable every backend."""
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
        """Append contents to an output channel."""
        more = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in contents)
        self.outputs[name] = self.outputs.get(name, b"") + more

    def add_folder(self, name: str, folder: Path, *, without: Path | None = None) -> None:
        """Append the names and contents of a folder's files, except ``without``.

        The folder may belong to a process that still writes: a file that it renamed after the listing is read
        under its new name.
        """
        read: set[Path] = set()
        while missing := {path for path in folder.rglob("*") if path.is_file()} - read - {without}:
            for path in sorted(missing):
                with suppress(FileNotFoundError):
                    self.add(name, str(path.relative_to(folder)), path.read_bytes())
            read |= missing

    def find_leaks(self, *more: str) -> dict[str, list[str]]:
        """The secrets found, by output channel; ``more`` are secrets of the test itself."""
        wanted = (*planted_secrets.SECRETS, *more)
        searched = {name: find_leaks(wanted, content) for name, content in self.outputs.items()}
        return {name: found for name, found in searched.items() if found}


@contextmanager
def captured_outputs(folder: Path) -> Iterator[CapturedOutputs]:
    with sentry_endpoint() as sentry, plausible_endpoint() as plausible, log_endpoint() as collector:
        yield CapturedOutputs(folder, sentry, plausible, collector)


@asynccontextmanager
async def leaky_process(captured: CapturedOutputs, hook: str = "") -> AsyncIterator[str]:
    """Run the leaky application in its own process; yields its URL. SIGTERM stops it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.privacy.leaky_app", hook),
        env=os.environ | planted_secrets.ENVIRONMENT | captured.settings() | {"PYTHONPATH": str(TESTS)},
        cwd=captured.folder,
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
        captured.add("standard output and error", url, *(await output))
        await process.wait()


async def capture_attack(captured: CapturedOutputs, hook: str = "") -> None:
    """Attack the application, read its endpoints, and capture everything it outputs."""
    captured.collector.fail(status=503)
    async with leaky_process(captured, hook) as url:
        answer = await attack(url)
        captured.add("answers", answer.content, str(answer.headers))
        assert answer.status_code == 500
        spool = captured.folder / "spool"
        while not list(spool.glob("[0-9]*.jsonl")):
            await asyncio.sleep(0.05)
        captured.add_folder("spool", spool)
        await read_endpoints(captured, url)
        # At SIGTERM a process has five seconds for its events; a loaded machine may need more.
        while not hook and "order_placed" not in captured.plausible.names:
            await asyncio.sleep(0.05)
        captured.collector.recover()
    captured.add_folder("log file", captured.folder / "log")
    for name, backend in (
        ("Sentry", captured.sentry),
        ("Plausible", captured.plausible),
        ("logs", captured.collector),
    ):
        captured.add(name, backend.text)


async def read_endpoints(captured: CapturedOutputs, url: str, token: str = "") -> None:
    """Read the operational endpoints; ``token`` is the bearer token of /metrics."""
    bearer = {"Authorization": f"Bearer {token.strip()}"} if token else {}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for path in PATHS:
            captured.add("health", (await client.get(path)).content)
        for accept in ("text/plain", "application/openmetrics-text"):
            captured.add(
                "/metrics",
                (await client.get("/metrics", headers={"Accept": accept} | bearer)).content,
            )
