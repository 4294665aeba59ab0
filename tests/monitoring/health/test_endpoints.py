"""The responses of the four endpoints in every state."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from support.transfers.server import listener
from tallow.monitoring import instrument
from tallow.monitoring.health import Health
from tallow.monitoring.health.responses import DETAILED, LIVENESS, PATHS, READINESS, SUMMARY
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import current_settings

TOKEN = "correct-horse-battery-staple"
SECRET = "hunter2 of postgresql://alice:hunter2@10.1.2.3/db, /home/alice/key.pem"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


def client_of(
    health: Health, metrics: Metrics | None = None, host: str = "127.0.0.1", **options: Any
) -> httpx.AsyncClient:
    app = instrument(Starlette(), health=health, metrics=metrics or Metrics(Registry()), **options)
    transport = httpx.ASGITransport(app, client=(host, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://tallow")


def health_of(critical: Any = True, optional: Any = True) -> Health:
    health = Health()
    health.unregister_check("memory")  # the memory of the machine must not decide a test
    health.register_check("database", lambda: critical)
    health.register_check("cache", lambda: optional, critical=False)
    return health


@pytest.mark.parametrize(
    ("critical", "optional", "code", "status", "ready"),
    [
        (True, True, 200, "healthy", {"status": "ready", "failing": [], "degraded": []}),
        ("degraded", True, 200, "degraded", {"status": "ready", "failing": [], "degraded": ["database"]}),
        (True, False, 200, "degraded", {"status": "ready", "failing": [], "degraded": ["cache"]}),
        (False, True, 503, "unhealthy", {"status": "not_ready", "failing": ["database"], "degraded": []}),
        (
            False,
            False,
            503,
            "unhealthy",
            {"status": "not_ready", "failing": ["database"], "degraded": ["cache"]},
        ),
    ],
)
async def test_every_endpoint_in_every_state(
    critical: Any, optional: Any, code: int, status: str, ready: dict[str, Any]
) -> None:
    async with client_of(health_of(critical, optional)) as client:
        summary, readiness = await client.get(SUMMARY), await client.get(READINESS)
        detailed, liveness = await client.get(DETAILED), await client.get(LIVENESS)
    assert (summary.status_code, summary.json()["status"]) == (code, status)
    assert (readiness.status_code, readiness.json()) == (code, ready)
    assert (detailed.status_code, detailed.json()["status"]) == (code, status)
    assert (liveness.status_code, liveness.json()) == (200, {"status": "alive"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", summary.json()["timestamp"])


@pytest.mark.parametrize("path", PATHS)
async def test_head_responds_like_get_without_a_body(path: str) -> None:
    async with client_of(health_of(critical=False)) as client:
        got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == str(len(got.content))
    for answer in (got, head):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", [*PATHS, "/metrics"])
async def test_other_methods_are_rejected(path: str) -> None:
    async with client_of(health_of()) as client:
        answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_the_detailed_response_has_components_versions_resources_and_queues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    metrics = Metrics(Registry())
    metrics.set_telemetry_queue_depth("sentry", 7)
    metrics.record_dropped("logs", "queue_full", 3)
    metrics.record_dropped("logs", "failed", 2)
    async with client_of(health_of(optional=False), metrics) as client:
        body = (await client.get(DETAILED)).json()
    assert body["components"]["cache"] == {
        "status": "unhealthy",
        "critical": False,
        "duration_ms": body["components"]["cache"]["duration_ms"],
        "reason": "it returned False",
    }
    assert body["components"]["environment"]["status"] == "healthy"
    assert body["telemetry"]["queued"] == {"logs": 0, "sentry": 7, "analytics": 0, "client": 0, "otel": 0}
    assert body["telemetry"]["dropped"] == {"logs": 5, "sentry": 0, "analytics": 0, "client": 0, "otel": 0}
    assert body["resources"]["process_resident_memory_bytes"] > 0
    assert body["environment"] == "staging"
    assert set(body["versions"]) == {"tallow", "python"}


@pytest.mark.parametrize(
    ("host", "headers", "code"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 401),
    ],
)
async def test_without_a_token_details_are_available_on_loopback_only(
    host: str, headers: dict[str, str], code: int
) -> None:
    async with client_of(health_of(), host=host) as client:
        assert (await client.get(DETAILED, headers=headers)).status_code == code
        assert (await client.get(READINESS, headers=headers)).status_code == 200


async def test_with_a_token_details_are_available_from_any_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEALTH_CHECK_TOKEN", TOKEN)
    async with client_of(health_of(), host="10.0.0.7") as client:
        refused = await client.get(DETAILED, headers={"Authorization": f"Bearer {TOKEN}x"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert "database" not in refused.text
        answer = await client.get(DETAILED, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
    async with client_of(health_of()) as client:
        assert (await client.get(DETAILED)).status_code == 401


async def test_no_body_holds_the_text_of_an_exception() -> None:
    health = health_of()

    def raises() -> None:
        raise ConnectionError(SECRET)

    health.register_check("database", raises)
    async with client_of(health) as client:
        bodies = [(await client.get(path)).text for path in PATHS]
    assert "it raised ConnectionError" in bodies[-1]
    for body in bodies:
        for private in ("hunter2", "alice", "/home", "10.1.2.3", "Traceback", ".py"):
            assert private not in body


async def test_a_bad_setting_makes_the_environment_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_CHECK_TOKEN", "hunter2")
    async with client_of(health_of()) as client:
        readiness, detailed = await client.get(READINESS), await client.get(DETAILED)
        liveness = await client.get(LIVENESS)
    assert (readiness.status_code, readiness.json()["failing"]) == (503, ["environment"])
    assert (detailed.status_code, liveness.status_code) == (503, 200)
    assert "hunter2" not in readiness.text + detailed.text


async def test_liveness_runs_no_check() -> None:
    health, asked = health_of(), []
    health.register_check("database", lambda: asked.append(1))
    async with client_of(health) as client:
        for _ in range(20):
            assert (await client.get(LIVENESS)).status_code == 200
        assert asked == []
        await client.get(READINESS)
    assert asked == [1]


async def test_liveness_responds_while_a_component_hangs() -> None:
    health, never = health_of(), asyncio.Event()
    health.register_check("database", never.wait, timeout=30)
    async with client_of(health) as client:
        waiting = asyncio.create_task(client.get(READINESS))
        await asyncio.sleep(0.02)
        assert (await client.get(LIVENESS)).status_code == 200
        assert not waiting.done()
        never.set()
        assert (await waiting).status_code == 200


async def test_concurrent_probes_of_all_endpoints_run_each_check_once() -> None:
    health, asked = health_of(), []
    health.register_check("database", lambda: asked.append(1))
    async with client_of(health) as client:
        answers = await asyncio.gather(*(client.get(PATHS[number % 4]) for number in range(400)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1


async def test_probes_are_counted_under_their_routes() -> None:
    metrics = Metrics(Registry())
    async with client_of(health_of(critical=False), metrics) as client:
        await client.get(READINESS)
    count = "http_request_duration_seconds_count"
    assert metrics.registry.value(count, method="GET", route=READINESS, status_code="5xx") == 1


async def test_a_blocked_event_loop_does_not_respond_to_liveness_probes() -> None:
    app = instrument(Starlette(), health=health_of(), metrics=Metrics(Registry()))
    bound, release, blocked = listener(), threading.Event(), threading.Event()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([bound])

    def block() -> None:
        blocked.set()
        release.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get(LIVENESS)).status_code == 200
            loops[0].call_soon_threadsafe(block)
            await asyncio.to_thread(blocked.wait)
            with pytest.raises(httpx.TimeoutException):
                await client.get(LIVENESS, timeout=0.2)
            release.set()
            assert (await client.get(LIVENESS)).status_code == 200
    finally:
        release.set()
        server.should_exit = True
        await asyncio.to_thread(thread.join)
