"""``Monitoring``: paths, the application's own routes, bad arguments, and what stays when it is closed."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from tallow.monitoring import Monitoring
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics import Metrics, Registry
from tallow.monitoring.settings import process_options

OPEN_AND_CLOSE = """
import gc, logging, os, signal, sys, threading, atexit

import httpx, asyncio
from starlette.applications import Starlette
from tallow.monitoring import Monitoring
from tallow.monitoring.logging import logger
from tallow.monitoring.metrics import METRICS, Registry


async def use(app):
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for path in ("/", "/metrics", "/api/health"):
            await client.get(path)


def open_and_close(number):
    with Monitoring(service="shop") as first, Monitoring(namespace=f"shop{number % 3}") as second:
        asyncio.run(use(second.instrument(Starlette())))
        logger.info("used")


def hooks():
    gc.collect()
    return {
        "gc": len(gc.callbacks),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "handlers": list(logging.root.handlers),
        "level": logging.root.level,
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "signal": signal.getsignal(signal.SIGTERM),
    }


def counts():
    registries = sum(type(one) is Registry for one in gc.get_objects())
    return len(os.listdir("/proc/self/fd")), registries, atexit._ncallbacks()


before = hooks()
open_and_close(0)
first = counts()
for number in range(50):
    open_and_close(number)
after = hooks()
for name in before:
    if before[name] != after[name]:
        print("changed", name, before[name], after[name])
if counts() != first:
    print("changed", first, counts())
"""


async def text(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("the application's own")


async def get(app: Any, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.get(path)


def monitoring(**options: Any) -> Monitoring:
    return Monitoring(metrics=Metrics(Registry()), **options)


async def test_an_empty_application_has_fewer_than_300_lines_under_its_namespace() -> None:
    with monitoring(namespace="shop") as shop:
        shop.instrument(Starlette())
        exposed = expose(shop.metrics.registry).decode()
    assert len(exposed.splitlines()) < 300
    assert "tallow_" not in exposed
    assert "shop_" in exposed


async def test_paths_can_be_changed() -> None:
    with monitoring(metrics_path="/internal/metrics", health_path="/status") as shop:
        app = shop.instrument(Starlette())
        assert (await get(app, "/internal/metrics")).status_code == 200
        assert (await get(app, "/status/liveness")).json() == {"status": "alive"}
        for path in ("/metrics", "/api/metrics", "/api/health", "/api/health/liveness"):
            assert (await get(app, path)).status_code == 404


async def test_paths_can_be_left_out() -> None:
    with monitoring(metrics_path=None, health_path=None) as shop:
        app = shop.instrument(Starlette(routes=[Route("/metrics", text)]))
        assert (await get(app, "/metrics")).text == "the application's own"
        assert (await get(app, "/api/health")).status_code == 404


async def test_a_route_of_the_application_is_not_shadowed(caplog: pytest.LogCaptureFixture) -> None:
    warn_once.reset()
    caplog.set_level(logging.WARNING)
    routes = [Route("/metrics", text), Mount("/api", routes=[Route("/health", text)])]
    with monitoring() as shop:
        app = shop.instrument(Starlette(routes=routes))
        for path in ("/metrics", "/api/health", "/metrics"):
            assert (await get(app, path)).text == "the application's own"
        assert (await get(app, "/api/health/liveness")).status_code == 200
    warned = [record.getMessage() for record in caplog.records if "has a route" in record.getMessage()]
    assert ["/metrics" in line and "metrics_path=" in line for line in warned] == [True, False]
    assert "/api/health" in warned[1]
    assert "health_path=" in warned[1]


async def test_a_parameter_or_a_mount_does_not_replace_an_endpoint() -> None:
    routes = [Route("/{page}", text), Mount("/api", app=Starlette(routes=[Route("/{rest:path}", text)]))]
    with monitoring() as shop:
        app = shop.instrument(Starlette(routes=routes))
        assert (await get(app, "/metrics")).headers["content-type"].startswith("text/plain; version=")
        assert (await get(app, "/api/health/liveness")).json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"namespace": "my shop"}, "namespace"),
        ({"metrics_path": "metrics"}, "metrics_path"),
        ({"health_path": "/health/"}, "health_path"),
        ({"metrics_path": "/x", "health_path": "/x"}, "metrics_path"),
        ({"metrics_path": "/api/health/liveness"}, "metrics_path"),
        ({"catalogs": ["invoices"]}, "invoices"),
        ({"service": "my shop"}, "service"),
    ],
)
def test_a_bad_argument_is_named_in_one_line(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        monitoring(**options)
    assert "\n" not in str(caught.value)
    assert process_options.current_options() == process_options.ProcessOptions()


def test_the_first_open_one_decides_for_the_process() -> None:
    with monitoring(service="first"):
        with monitoring(namespace="other", service="second") as second:
            assert process_options.service_name(None) == "first"
            assert second.metrics.registry.namespace == "other"
    assert process_options.service_name(None) == "app"


async def test_an_application_goes_on_after_it_is_closed() -> None:
    shop = monitoring()
    app = shop.instrument(Starlette(routes=[Route("/", text)]))
    assert (await get(app, "/metrics")).status_code == 200
    shop.close()
    shop.close()
    assert (await get(app, "/")).status_code == 200
    assert (await get(app, "/metrics")).status_code == 404
    with pytest.raises(RuntimeError, match="closed"):
        shop.instrument(Starlette())


def test_fifty_opened_and_closed_leave_the_process_unchanged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_CLOSE], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("changed")] == []
