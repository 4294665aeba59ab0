"""The canary test: secrets of every kind planted in every hole, every exit searched, and nothing found.

Taking any one hook out makes the search find something: each is needed, and the search sees what it should.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
import pytest

from support import planted, unhooked
from support.leaky import attack
from tallow.monitoring.health.answers import PATHS
from tallow.monitoring.testing import (
    LogEndpoint,
    Plausible,
    Sentry,
    leaks,
    log_endpoint,
    plausible_endpoint,
    sentry_endpoint,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TESTS = Path(__file__).parents[1]


@dataclass
class Exits:
    """What came out of the process, by the name of the exit."""

    folder: Path
    sentry: Sentry
    plausible: Plausible
    collector: LogEndpoint
    found: dict[str, bytes] = field(default_factory=dict)

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

    def keep(self, name: str, *contents: bytes | str) -> None:
        """Note what an exit gave."""
        more = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in contents)
        self.found[name] = self.found.get(name, b"") + more

    def keep_folder(self, name: str, folder: Path) -> None:
        """Note a folder's files, their names among it."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.keep(name, str(path.relative_to(folder)), path.read_bytes())

    def leaks(self) -> dict[str, list[str]]:
        """Secrets found, by exit."""
        searched = {name: leaks(planted.SECRETS, content) for name, content in self.found.items()}
        return {name: found for name, found in searched.items() if found}


@asynccontextmanager
async def exits(folder: Path) -> AsyncIterator[Exits]:
    with sentry_endpoint() as sentry, plausible_endpoint() as plausible, log_endpoint() as collector:
        yield Exits(folder, sentry, plausible, collector)


@asynccontextmanager
async def leaky(came: Exits, hook: str = "") -> AsyncIterator[str]:
    """The program that leaks, in a process of its own: its address. At the end it is told to stop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.leaky", hook),
        env=os.environ | planted.ENVIRONMENT | came.settings() | {"PYTHONPATH": str(TESTS)},
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
        came.keep("standard output and error", url, *(await output))
        await process.wait()


async def run(came: Exits, hook: str = "") -> None:
    """Attack the program, take its endpoints' answers, and keep everything that came out of it."""
    came.collector.fail(status=503)
    async with leaky(came, hook) as url:
        answer = await attack(url)
        came.keep("answers", answer.content, str(answer.headers))
        assert answer.status_code == 500
        spool = came.folder / "spool"
        while not list(spool.glob("[0-9]*.jsonl")):
            await asyncio.sleep(0.05)
        came.keep_folder("spool", spool)
        await ask(came, url)
        came.collector.recover()
    came.keep_folder("log file", came.folder / "log")
    for name, backend in (("Sentry", came.sentry), ("Plausible", came.plausible), ("logs", came.collector)):
        came.keep(name, backend.text)


async def ask(came: Exits, url: str) -> None:
    """Read the operational endpoints."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for path in PATHS:
            came.keep("health", (await client.get(path)).content)
        for accept in ("text/plain", "application/openmetrics-text"):
            came.keep("/metrics", (await client.get("/metrics", headers={"Accept": accept})).content)


async def test_no_exit_of_an_application_holds_a_secret_and_the_useful_parts_are_there(
    tmp_path: Path,
) -> None:
    async with exits(tmp_path) as came:
        await run(came)
        assert came.leaks() == {}
        useful(came)


def useful(came: Exits) -> None:
    """What an operator needs is still there."""
    assert (came.sentry.refusals, came.plausible.refusals, came.collector.refusals) == ([], [], [])
    records = came.collector.records
    messages = {record["message"] for record in records}
    assert {
        "Everything is fine",
        "Somebody wrote: it is [email] again",
        "Transfer noted",
        "Failed",
    } <= messages
    assert any(record["logger"] == "uvicorn.access" for record in records)
    (noted,) = [record for record in records if record["message"] == "Transfer noted"]
    assert (noted["method"], noted["password"], noted["room_code"]) == ("p2p", "[secret]", "[room_code]")
    failed = next(record for record in records if record["message"] == "Failed")
    assert "leaky.py" in failed["error"]["stack"]
    written = [orjson.loads(line) for line in (came.folder / "log" / "shop.log").read_bytes().splitlines()]
    assert len(written) == len(records)
    assert came.plausible.names.count("order_placed") == 1
    kinds = {kind for kind, _ in came.sentry.items}
    assert {"event", "transaction", "log", "trace_metric", "check_in", "client_report"} <= kinds
    assert {"attachment", "profile", "session"}.isdisjoint(kinds)
    assert 'tallow_transfers_total{status="success",method="p2p"} 1' in came.found["/metrics"].decode()
    assert b"the queue of [email] is full" in came.found["health"]


@pytest.mark.parametrize("hook", unhooked.HOOKS)
async def test_without_any_one_hook_something_is_found(tmp_path: Path, hook: str) -> None:
    async with exits(tmp_path) as came:
        await run(came, hook)
        assert came.leaks()
