"""A real Prometheus scrapes an application with metrics of prometheus_client, including exemplars.

Debian's Prometheus 2.42 requests OpenMetrics without an escaping scheme. A Prometheus 3 (``TALLOW_PROGRAMS``,
PATH) is configured to request each format and escaping scheme, and to convert classic histograms.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.programs.debian import program
from support.programs.prometheus import START_TIMEOUT_S, free_port

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("prometheus_client")]

APPLICATION = """
import sys
import prometheus_client as client
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tallow.monitoring import instrument

client.Gauge("my:gauge", "A colon.").set(7)
client.Gauge("shop.open", "Dots.", ["shop.name"]).labels("nörth").set(1)
client.Gauge("shop_open", "What the dots may become.", ["shop_name"]).labels("south").set(2)
client.Counter("shop.sales", "A counter.").inc(3)
client.Histogram("shop.wait", "A histogram.", buckets=(1,)).observe(0.5, {"trace_id": "theirs"})

async def hello(request):
    return PlainTextResponse("hello")

app = Starlette(routes=[Route("/hello", hello)])
instrument(app)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
CORRELATION = "ab" * 16
SCHEMES: dict[str, tuple[str, ...]] = {
    "allow-utf-8": ("my:gauge", "shop.open", "shop_open", "shop.sales_total", "shop.wait_bucket"),
    "underscores": ("my:gauge", "shop_open", "shop_sales_total", "shop_wait_bucket"),
    "dots": ("my:gauge", "shop_dot_open", "shop_open", "shop_dot_sales__total", "shop_dot_wait_bucket"),
    "values": ("my:gauge", "U__shop_2e_open", "U__shop_2e_sales__total", "U__shop_2e_wait_bucket"),
}  # fmt: skip


def is_version_3() -> bool:
    output = subprocess.run(
        [program("prometheus"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(re.findall(r"version (\d+)\.", output)[0]) >= 3


def configuration(target: str, jobs: dict[str, dict[str, Any]]) -> str:
    """The configuration as JSON, which is valid YAML."""
    common = {"static_configs": [{"targets": [target]}]}
    scrapes = [{"job_name": name, **common, **options} for name, options in jobs.items()]
    return json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": scrapes})


def jobs() -> dict[str, dict[str, Any]]:
    """Scrape configurations by name: those that this Prometheus supports."""
    found: dict[str, dict[str, Any]] = {"default": {}}
    if is_version_3():
        for scheme in SCHEMES:
            options = {"metric_name_escaping_scheme": scheme}
            if scheme != "allow-utf-8":
                options["metric_name_validation_scheme"] = "legacy"
            found[f"openmetrics {scheme}"] = options | {"scrape_protocols": ["OpenMetricsText1.0.0"]}
            found[f"text {scheme}"] = options | {"scrape_protocols": ["PrometheusText1.0.0"]}
        found["native"] = {
            "convert_classic_histograms_to_nhcb": True,
            "scrape_protocols": ["OpenMetricsText1.0.0"],
        }
    return found


@contextmanager
def started(arguments: list[str], url: str, folder: Path) -> Iterator[httpx.Client]:
    """Run a program until it responds at ``url``; yields an HTTP client."""
    with (folder / "output").open("w") as output, httpx.Client(timeout=10) as client:
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
        try:
            wait_until(lambda: process.poll() is not None or answers(client, url))
            assert process.poll() is None, (folder / "output").read_text()
            yield client
        finally:
            process.terminate()
            process.wait()


def answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {START_TIMEOUT_S} s"
        time.sleep(0.1)


class Scraped:
    """The API of a Prometheus that scrapes the application."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self._url = url

    def ask(self, path: str, **query: str) -> Any:
        answer = self._client.get(f"{self._url}/api/v1/{path}", params=query).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def up(self) -> dict[str, str]:
        """The health of each target, by job; its error if there is one."""
        targets = self.ask("targets")["activeTargets"]
        return {one["labels"]["job"]: one["lastError"] or one["health"] for one in targets}

    def names(self, job: str) -> set[str]:
        return {one["__name__"] for one in self.ask("series", **{"match[]": f'{{job="{job}"}}'})}

    def exemplars(self, job: str, metric: str) -> list[dict[str, Any]]:
        now = time.time()
        found = self.ask(
            "query_exemplars",
            query=f'{{__name__="{metric}",job="{job}"}}',
            start=str(now - 600),
            end=str(now + 60),
        )
        return [exemplar for series in found for exemplar in series["exemplars"]]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    port, at = free_port(), free_port()
    folders = [tmp_path_factory.mktemp(name) for name in ("application", "prometheus")]
    application = f"http://127.0.0.1:{port}"
    with started(
        [sys.executable, "-c", APPLICATION, str(port)], f"{application}/api/health/liveness", folders[0]
    ) as client:
        traced = {"traceparent": f"00-{CORRELATION}-{'cd' * 8}-01"}
        assert client.get(f"{application}/hello", headers=traced).status_code == 200
        config = folders[1] / "prometheus.yml"
        config.write_text(configuration(f"127.0.0.1:{port}", jobs()))
        arguments = [
            str(program("prometheus")),
            f"--config.file={config}",
            f"--storage.tsdb.path={folders[1] / 'data'}",
            f"--web.listen-address=127.0.0.1:{at}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ]
        with started(arguments, f"http://127.0.0.1:{at}/-/ready", folders[1]) as asking:
            found = Scraped(asking, f"http://127.0.0.1:{at}")
            wait_until(lambda: "unknown" not in found.up().values() and found.up() != {})
            time.sleep(2.5)  # two more scrapes, so that repeated series are covered
            yield found


def test_every_scrape_succeeds(scraped: Scraped) -> None:
    assert scraped.up() == dict.fromkeys(jobs(), "up")


def test_names_have_the_requested_escaping(scraped: Scraped) -> None:
    expected = {"default": "allow-utf-8" if is_version_3() else "underscores"}
    expected |= {job: job.partition(" ")[2] for job in jobs() if " " in job}
    for job, scheme in expected.items():
        names = scraped.names(job)
        assert names >= set(SCHEMES[scheme]), job
        assert not any(name.endswith("_created") for name in names)
        ours = {name for name in names if name.startswith("app_")}
        assert "app_http_request_duration_seconds_bucket" in ours


def test_no_sample_is_duplicated(scraped: Scraped) -> None:
    text = scraped.ask(
        "query", query="sum(prometheus_target_scrapes_sample_duplicate_timestamp_total) or vector(0)"
    )
    assert text["result"][0]["value"][1] == "0"


def test_exemplars_have_timestamps(scraped: Scraped) -> None:
    for job in jobs():
        if job.startswith("text"):
            continue  # the text format has no exemplars
        metric = "app_http_request_duration_seconds" + ("" if job == "native" else "_bucket")
        found = scraped.exemplars(job, metric)
        assert {one["labels"]["correlation_id"] for one in found} == {CORRELATION}, job
        assert all(one["timestamp"] * 1000 % 1000 for one in found)
