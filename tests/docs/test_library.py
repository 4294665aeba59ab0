"""Runs the example and every other Python block of docs/library.md."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import sqlalchemy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import sentry as ours
from tallow.monitoring.analytics import analytics
from tallow.monitoring.health import unregister_check
from tallow.monitoring.metrics import METRICS
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import (
    FakePlausible,
    FakeSentry,
    assert_absent,
    captured_logs,
    plausible_endpoint,
    samples,
    sentry_endpoint,
)

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
SHOP, EXAMPLE, *_ = BLOCKS
ID = "0af7651916cd43dd8448eb211c80319c"
FILE = SimpleNamespace(id=ID, size=5_000_000, mime_type="image/png")


@pytest.fixture
def backends() -> Iterator[tuple[FakeSentry, FakePlausible]]:
    with sentry_endpoint() as sentry, plausible_endpoint() as plausible:
        settings = MonitoringSettings.load(
            sentry_dsn=sentry.dsn,
            sentry_traces_sample_rate=1,
            plausible_host=plausible.url,
            plausible_domain="example.org",
        )
        ours.init_monitoring(settings)
        analytics.configure(settings)
        yield sentry, plausible
        ours.close()
        analytics.configure(MonitoringSettings.load())


async def nothing(_file: Any) -> None:
    await asyncio.sleep(0.001)


async def broken(_file: Any) -> None:
    raise ConnectionError("alice@example.org hung up")


def run(block: str, **names: Any) -> dict[str, Any]:
    """Run a block of the page with the names that it does not define."""
    exec(compile(block, str(PAGE), "exec"), names)
    return names


def application() -> tuple[Starlette, dict[str, Any]]:
    """An application with one route that transfers a file, and the names that the example defines."""
    names: dict[str, Any] = {}

    async def transfer(request: Request) -> PlainTextResponse:
        await names["transfer_file"](FILE)
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/transfer", transfer, methods=["POST"])]), names


async def post(app: Starlette) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        return await client.post("/transfer", headers={"X-Request-ID": ID})


@pytest.mark.parametrize(
    ("do_transfer", "status", "code", "events"),
    [
        (nothing, "success", 200, ["Transfer: start", "Transfer: complete"]),
        (broken, "failed", 500, ["Transfer: start"]),
    ],
)
async def test_the_example_runs(
    backends: tuple[FakeSentry, FakePlausible],
    do_transfer: Callable[[Any], Any],
    status: str,
    code: int,
    events: list[str],
) -> None:
    sentry, plausible = backends
    app, names = application()
    METRICS.registry.add_catalogs(["transfers"])
    series = f'{METRICS.registry.namespace}_transfers_total{{status="{status}",method="p2p"}}'
    before = samples(METRICS, series)[series]
    names |= run(EXAMPLE, app=app, do_transfer=do_transfer, elapsed=lambda: 2.5)
    with captured_logs() as logs:
        assert (await post(app)).status_code == code
    ours.flush(10)
    assert analytics.flush(10)
    assert samples(METRICS, series)[series] == before + 1
    assert plausible.names == events
    assert (sentry.rejections, plausible.rejections) == ([], [])
    assert {record["correlation_id"] for record in logs.records} == {ID}
    assert logs.messages[:2] == ["Transfer started", "transfer"]
    assert logs.from_loggers("transfer")[0]["file_size"] == FILE.size
    spans = [span for one in sentry.payloads("transaction") for span in one["spans"]]
    (span,) = [span for span in spans if span["op"] == "transfer"]
    assert span["data"]["result"] == status
    if status == "failed":
        assert logs.from_loggers("transfer")[1]["error"]["message"] == "[email] hung up"
        assert len(sentry.payloads("event")) == 1
        assert sentry.payloads("event")[0]["tags"]["correlation_id"] == ID
    assert_absent(["alice@example.org"], logs.text, sentry.text, plausible.text)


def given() -> dict[str, Any]:
    """The names that the page's other blocks do not define."""

    async def lag() -> int:
        return 12

    def pack(_order: Any) -> None:
        raise ValueError("no box")

    return {
        "app": Starlette(),
        "http": httpx.Client(),
        "cache": _Cache(),
        "engine": sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.NullPool),
        "order": object(),
        "pack": pack,
        "wrap": lambda _order: None,
        "lag": lag,
    }


class _Cache:
    def get(self, _key: str) -> None:
        """A cache without entries."""


@pytest.mark.parametrize("number", range(2, len(BLOCKS)))
def test_every_other_block_runs(number: int, backends: tuple[FakeSentry, FakePlausible]) -> None:
    with captured_logs() as logs:
        names = run(BLOCKS[number], **given())
    assert_absent(["alice@example.org"], logs.text)
    names["http"].close()
    unregister_check("replica")
    METRICS.registry.families.pop("exports_total", None)


def test_the_scrubber_examples_have_the_stated_results() -> None:
    (block,) = [block for block in BLOCKS if "import scrub" in block]
    names = run(block)
    lines = re.findall(r"^(scrub\(.*\)) +# (.+)$", block, re.MULTILINE)
    assert len(lines) == 2
    for call, result in lines:
        assert eval(call, names) == eval(result)


def test_links_point_to_existing_files() -> None:
    for target in re.findall(r"\]\(([\w./-]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists()


USE_OF_THE_SHOP = """
import asyncio, httpx

async def use():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.post("/orders/7")).json() == {"taken": True}
        print((await client.get("/metrics")).text)
        print((await client.get("/api/health")).status_code)

asyncio.run(use())
"""


def test_the_application_at_the_beginning_works_as_described(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOP + USE_OF_THE_SHOP],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert 'shop_orders_total{payment="card"} 1.0' in done.stdout
    assert 'route="/orders/{id}"' in done.stdout
    assert '"message":"Order taken"' in done.stdout
    assert '"customer":"[user]"' in done.stdout
    assert "alice@example.org" not in done.stdout
    assert "tallow_" not in done.stdout
